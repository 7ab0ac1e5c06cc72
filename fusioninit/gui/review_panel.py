"""The decision on the alignment: accept, or reject with a reason; both signed with initials."""

from __future__ import annotations

from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from fusioninit.gui.calm import Calm
from fusioninit.gui.glyphs import icon
from fusioninit.gui.theme import current_theme
from fusioninit.gui.tour import Tour
from fusioninit.registration import LandmarkFit
from fusioninit.session import Session
from fusioninit.state import Decision


class ReviewPanel(QFrame):
    """A decision is an edit: undoable, in the journal, and void once anything is moved."""

    def __init__(self, session: Session, tour: Tour, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("bar")
        self._session, self._tour = session, tour
        self.state = QLabel()
        self.begin_tour = QPushButton(icon("map-marker-path"), "Tour")
        self.begin_tour.setToolTip("Step through landmarks and targets, then decide (G)")
        self.back = QPushButton(icon("chevron-left"), "Back")
        self.forth = QPushButton("Next")
        self.forth.setIcon(icon("chevron-right"))
        self.end_tour = QPushButton("End tour")
        self.place = QLabel()
        self.reason = QLineEdit()
        self.reason.setPlaceholderText("Reason (needed to reject)")
        self.reason.setAccessibleName("Reason")
        self.initials = QLineEdit()
        self.initials.setPlaceholderText("Initials")
        self.initials.setAccessibleName("Initials")
        self.initials.setFixedWidth(74)
        self.initials.setMaxLength(8)
        self.accept = QPushButton(icon("check-bold", colour="#08130d"), "Accept")
        self.accept.setProperty("role", "good")
        self.accept.setToolTip("Needs an alignment and your initials (Ctrl+Return, then Return)")
        self.reject = QPushButton(icon("close-thick"), "Reject")
        self.reject.setToolTip("Needs an alignment, a reason and your initials")
        self.withdraw = QPushButton("Withdraw")
        self._arrange()
        self.accept.clicked.connect(lambda: self._decide(accepted=True))
        self.reject.clicked.connect(lambda: self._decide(accepted=False))
        self.withdraw.clicked.connect(lambda: session.decide(None))
        self.reason.textChanged.connect(self.refresh)
        self.initials.textChanged.connect(self.refresh)
        session.case_opened.connect(self.refresh)
        session.registration_changed.connect(Calm(session, self.refresh, self).follow)
        session.decision_changed.connect(self.refresh)
        self.initials.returnPressed.connect(self._accept_by_key)
        self.begin_tour.clicked.connect(tour.begin)
        self.back.clicked.connect(lambda: tour.step(-1))
        self.forth.clicked.connect(lambda: tour.step(1))
        self.end_tour.clicked.connect(tour.end)
        tour.changed.connect(self.refresh)
        session.targets_changed.connect(self.refresh)
        self.refresh()

    def _arrange(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 12, 10)
        column.setSpacing(6)
        top = QHBoxLayout()
        heading = QLabel("DECISION")
        heading.setObjectName("heading")
        top.addWidget(heading)
        top.addStretch(1)
        top.addWidget(self.state)
        top.addSpacing(6)
        top.addWidget(self.begin_tour)
        column.addLayout(top)
        steps = QHBoxLayout()
        steps.addWidget(self.place, 1)
        for button in (self.back, self.forth, self.end_tour):
            steps.addWidget(button)
        column.addLayout(steps)
        fields = QHBoxLayout()
        fields.addWidget(self.reason, 1)
        fields.addWidget(self.initials)
        column.addLayout(fields)
        buttons = QHBoxLayout()
        for button in (self.accept, self.reject, self.withdraw):
            buttons.addWidget(button)
        column.addLayout(buttons)

    def _accept_by_key(self) -> None:
        """Accept, and leave the field: a line of text keeps keys such as Ctrl+E to itself."""
        if self.accept.isEnabled():
            self.accept.click()
            self.window().setFocus()

    def _decide(self, *, accepted: bool) -> None:
        self._session.decide(
            Decision(accepted, self.reason.text().strip(), self.initials.text().strip())
        )

    def refresh(self) -> None:
        """Show the decision, and what can be decided now."""
        decision, theme = self._session.case.decision, current_theme()
        aligned = isinstance(self._session.case.registration, LandmarkFit)
        self._show_tour(aligned=aligned)
        signed = bool(self.initials.text().strip())
        self.accept.setEnabled(aligned and signed and decision is None)
        self.reject.setEnabled(
            aligned and signed and decision is None and bool(self.reason.text().strip())
        )
        self.withdraw.setVisible(decision is not None)
        self.accept.setVisible(decision is None)
        self.reject.setVisible(decision is None)
        if decision is None:
            self.state.setText("not decided" if aligned else "nothing to decide yet")
            self.state.setStyleSheet(f"color: {theme.faint};")
            return
        word = "Accepted" if decision.accepted else "Rejected"
        by = f" by {decision.initials}" if decision.initials else ""
        self.state.setText(word + by)
        colour = theme.good if decision.accepted else theme.bad
        self.state.setStyleSheet(f"color: {colour}; font-weight: 600;")

    def _show_tour(self, *, aligned: bool) -> None:
        tour = self._tour
        self.begin_tour.setVisible(not tour.is_on)
        self.begin_tour.setEnabled(aligned and bool(tour.stops))
        for widget in (self.place, self.back, self.forth, self.end_tour):
            widget.setVisible(tour.is_on)
        self.place.setText(tour.text)
        self.forth.setEnabled(not tour.is_at_end)
