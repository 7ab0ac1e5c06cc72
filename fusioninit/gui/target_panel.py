"""Biopsy targets: the list, and what can be done with it."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from fusioninit.geometry import Space
from fusioninit.gui.calm import Calm
from fusioninit.gui.card import Card, PlainTable
from fusioninit.gui.glyphs import icon
from fusioninit.gui.target_table import NAME, TargetTableModel
from fusioninit.gui.view_state import ViewState
from fusioninit.session import Session
from fusioninit.state import Target

_HINT = "Choose a target to see what 1 mm at each landmark does to it."


class TargetPanel(Card):
    """The list of targets; `load_requested` asks for a file of them."""

    load_requested = Signal()

    def __init__(
        self, session: Session, view_state: ViewState, parent: QWidget | None = None
    ) -> None:
        super().__init__("Targets", parent)
        self._session, self._view_state = session, view_state
        self.targets = TargetTableModel(session, self)
        self.table = PlainTable("Targets")
        self.table.setModel(self.targets)
        self.table.stretch(NAME)
        self.add = QPushButton(icon("plus"), "At crosshair")
        self.add.setToolTip("Add a target at the MR crosshair (T)")
        self.load = QPushButton(icon("folder-open-outline"), "Load…")
        self.load.setToolTip("From a point list, mask, STL, DICOM SEG or RTSTRUCT (Ctrl+T)")
        self.copy = QPushButton(icon("content-copy"), "Copy")
        self.copy.setToolTip("Copy the whole list with its coordinates")
        self.remove = QPushButton(icon("delete-outline"), "Remove")
        self.remove.setToolTip("Remove the chosen target (Del in the list)")
        self.hint = QLabel(_HINT)
        self._arrange()
        self.add.clicked.connect(self.add_at_crosshair)
        self.load.clicked.connect(self.load_requested)
        self.copy.clicked.connect(self.table.copy_all)
        self.remove.clicked.connect(self.remove_chosen)
        self.table.removal_requested.connect(self.remove_chosen)
        self.table.selectionModel().currentRowChanged.connect(self._on_row_chosen)
        session.case_opened.connect(self._refresh)
        session.targets_changed.connect(self._refresh)
        session.registration_changed.connect(Calm(session, self._show_hint, self).follow)
        self._refresh()

    def _arrange(self) -> None:
        self.column.addWidget(self.table, 1)
        self.hint.setObjectName("faint")
        self.hint.setWordWrap(True)
        self.column.addWidget(self.hint)
        row = QHBoxLayout()
        for button in (self.add, self.load, self.copy, self.remove):
            row.addWidget(button)
        self.column.addLayout(row)

    def add_at_crosshair(self) -> None:
        """A new target where the MR crosshair is."""
        targets = self._session.case.targets
        if self._session.case.mr is None:
            return
        names = {target.name for target in targets}
        number = next(n for n in range(1, len(targets) + 2) if f"Target {n}" not in names)
        position = self._view_state.crosshair_mm(Space.MR)
        self._session.set_targets((*targets, Target(f"Target {number}", position)))
        self.table.choose(len(targets))

    def remove_chosen(self) -> None:
        """Remove the chosen target."""
        row = self.table.currentIndex().row()
        targets = self._session.case.targets
        if 0 <= row < len(targets):
            self._session.set_targets(targets[:row] + targets[row + 1 :])

    def _on_row_chosen(self, current: QModelIndex, _previous: QModelIndex) -> None:
        if current.isValid():
            target = self._session.case.targets[current.row()]
            self._view_state.set_crosshair(Space.MR, target.position_mr_mm)
        self._refresh_buttons()

    def _refresh(self) -> None:
        self._refresh_buttons()
        self._show_hint()

    def _refresh_buttons(self) -> None:
        has_mr = self._session.case.mr is not None
        for button in (self.add, self.load):
            button.setEnabled(has_mr)
        self.copy.setEnabled(bool(self._session.case.targets))
        self.remove.setEnabled(self.table.currentIndex().isValid())
        self._show_hint()

    def _show_hint(self) -> None:
        row = self.table.currentIndex().row()
        known = 0 <= row < len(self._session.case.targets)
        self.hint.setText((self.targets.sensitivity(row) if known else "") or _HINT)
