"""The alignment in words and numbers, live: estimator, errors, edges, transform, findings."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from fusioninit.geometry import Space
from fusioninit.gui.alignment_text import (
    edge_lines,
    estimator_label,
    findings_html,
    matrix_text,
    motion_lines,
    rms_mm,
    signed,
)
from fusioninit.gui.calm import Calm
from fusioninit.gui.prior_choice import PriorChoice
from fusioninit.gui.theme import current_theme
from fusioninit.registration import ESTIMATORS, LandmarkFit, Unsolved
from fusioninit.session import Session

EDGE_CONSPICUOUS_MM = 5.0
"""A rigid motion keeps lengths: two readers' edges differ by about this much at most."""


class RegistrationPanel(QFrame):
    """Reads everything from the case's registration; changes only the estimator and the prior."""

    learning_requested = Signal()
    """The person would have the prior learned from own exports."""
    jump_requested = Signal(str)
    """The landmark that a finding names."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self._session = session
        self.estimator = QComboBox()
        for name in ESTIMATORS:
            self.estimator.addItem(estimator_label(name), name)
        self.estimator.setAccessibleName("Estimator")
        self.prior = PriorChoice()
        self.figure, self.figure_caption = _label("figure"), _label("faint")
        self.error, self.error_caption = _label("figure"), _label("faint")
        self.caption = _label("faint", wraps=True)
        self.findings = _label(wraps=True)
        self.edges = [(_label(), _label(right=True)) for _ in range(3)]
        self.motion = [(_label(), _label(right=True)) for _ in range(6)]
        self.matrix = _label("matrix")
        self.matrix.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._arrange()
        session.registration_changed.connect(Calm(session, self.refresh, self).follow)
        session.case_opened.connect(self.refresh)
        self.estimator.activated.connect(self._choose_estimator)
        self.prior.chosen.connect(session.set_prior)
        self.prior.learning_requested.connect(self.learning_requested)
        self.findings.linkActivated.connect(self.jump_requested)
        self.refresh()

    def _arrange(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 9, 12, 10)
        column.setSpacing(4)
        top = QHBoxLayout()
        top.addWidget(_label("heading", text="ALIGNMENT"))
        top.addStretch(1)
        top.addWidget(self.estimator)
        column.addLayout(top)
        column.addLayout(self._make_figures())
        column.addWidget(self.caption)
        column.addWidget(self.findings)
        column.addLayout(self._make_prior())
        self._details = QWidget()
        details = QVBoxLayout(self._details)
        details.setContentsMargins(0, 2, 0, 0)
        details.setSpacing(3)
        for title, content in (
            ("EDGES, MR MINUS US", _two_columns(self.edges)),
            ("MR MOVES ONTO US BY", _two_columns(self.motion)),
        ):
            details.addWidget(_label("heading", text=title))
            details.addLayout(content)
            details.addSpacing(4)
        details.addWidget(_label("heading", text="US FROM MR (LPS, MM)"))
        details.addWidget(self.matrix)
        column.addWidget(self._details)

    def _make_prior(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.addWidget(_label("heading", text="ASSUMED OF THE POSE"))
        row.addStretch(1)
        row.addWidget(self.prior)
        return row

    def _make_figures(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setVerticalSpacing(0)
        grid.setColumnStretch(0, 2)
        grid.setColumnStretch(1, 3)
        for column, (figure, caption) in enumerate(
            ((self.figure, self.figure_caption), (self.error, self.error_caption))
        ):
            grid.addWidget(figure, 0, column)
            grid.addWidget(caption, 1, column)
        return grid

    def _choose_estimator(self, index: int) -> None:
        self._session.set_estimator(self.estimator.itemData(index))

    def refresh(self) -> None:
        """Show the case's registration as it is now."""
        case = self._session.case
        with QSignalBlocker(self.estimator):
            self.estimator.setCurrentIndex(self.estimator.findData(case.estimator))
        self.prior.show_prior(case.prior)
        fit = case.registration
        is_solved = isinstance(fit, LandmarkFit)
        for widget in (self._details, self.error, self.error_caption, self.figure_caption):
            widget.setVisible(is_solved)
        match fit:
            case Unsolved(reason):
                self.figure.setText("Not aligned")
                self.caption.setText(reason[:1].upper() + reason[1:].rstrip(".") + ".")
                self.findings.hide()
            case LandmarkFit():
                self._show_fit(fit)

    def _show_fit(self, fit: LandmarkFit) -> None:
        self.figure.setText(f"{rms_mm(fit):.1f} mm")
        self.figure_caption.setText("RMS residual (FRE)")
        center_mr_mm = self._session.case.landmarks(Space.MR).positions_mm().mean(axis=0)
        error = fit.predicted_error_mm(center_mr_mm)
        self.error.setText(f"{float(np.ravel(error.mean_mm)[0]):.1f} mm")
        upper = float(np.ravel(error.upper_mm)[0])
        self.error_caption.setText(f"expected mid-gland (95 % < {upper:.1f})")
        self.caption.setText(fit.explanation or "A small residual is no small target error.")
        self.findings.setVisible(bool(fit.findings))
        self.findings.setText(findings_html(fit, current_theme()))
        self._show_numbers(fit)

    def _show_numbers(self, fit: LandmarkFit) -> None:
        theme = current_theme()
        for (name, value), (text, difference) in zip(self.edges, edge_lines(fit), strict=False):
            name.setText(text)
            value.setText(signed(difference, " mm"))
            conspicuous = abs(difference) > EDGE_CONSPICUOUS_MM
            style = f"color: {theme.warn if conspicuous else theme.text};"
            if style != value.styleSheet():  # the same one, too, would be worked through anew
                value.setStyleSheet(style)
        landmarks = self._session.case.landmarks(Space.MR)
        for (name, value), (text, amount) in zip(
            self.motion, motion_lines(fit.us_from_mr, landmarks), strict=True
        ):
            name.setText(text)
            value.setText(amount)
        self.matrix.setText(matrix_text(fit.us_from_mr))


def _label(role: str = "", *, text: str = "", wraps: bool = False, right: bool = False) -> QLabel:
    label = QLabel(text)
    label.setObjectName(role)
    label.setWordWrap(wraps)
    if right:
        label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    return label


def _two_columns(rows: list[tuple[QLabel, QLabel]]) -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(8)
    grid.setVerticalSpacing(1)
    grid.setColumnStretch(0, 1)
    for row, (name, value) in enumerate(rows):
        grid.addWidget(name, row, 0)
        grid.addWidget(value, row, 1)
    return grid
