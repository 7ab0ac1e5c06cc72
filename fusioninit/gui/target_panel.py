"""Biopsy targets: where they are, and how far off the alignment may be there."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import (
    QAbstractTableModel,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    Qt,
    Signal,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from fusioninit.geometry import Space
from fusioninit.gui.glyphs import icon
from fusioninit.gui.view_state import ViewState
from fusioninit.landmarks import LABELS
from fusioninit.registration import LandmarkFit
from fusioninit.session import Session
from fusioninit.state import Target

_Index = QModelIndex | QPersistentModelIndex
_Role = Qt.ItemDataRole
COLUMNS = ("Target", "Expected error", "95 % under")


class TargetTableModel(QAbstractTableModel):
    """One row per target with its predicted error; names can be edited."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        session.case_opened.connect(self._reset)
        session.targets_changed.connect(self._reset)
        session.registration_changed.connect(self._refresh)

    def rowCount(self, parent: _Index | None = None) -> int:
        """One per target."""
        return 0 if parent is not None and parent.isValid() else len(self._session.case.targets)

    def columnCount(self, parent: _Index | None = None) -> int:
        """Always the same columns."""
        return 0 if parent is not None and parent.isValid() else len(COLUMNS)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = _Role.DisplayRole
    ) -> Any:
        """Titles."""
        is_title = orientation is Qt.Orientation.Horizontal and role == _Role.DisplayRole
        return COLUMNS[section] if is_title else None

    def flags(self, index: _Index) -> Qt.ItemFlag:
        """Names are editable."""
        flags = super().flags(index)
        return flags | Qt.ItemFlag.ItemIsEditable if index.column() == 0 else flags

    def data(self, index: _Index, role: int = _Role.DisplayRole) -> Any:
        """What a cell shows."""
        target = self._session.case.targets[index.row()]
        if role in (_Role.DisplayRole, _Role.EditRole):
            return target.name if index.column() == 0 else self._error(target, index.column())
        if role == _Role.ToolTipRole:
            return self._tip(target)
        return None

    def setData(self, index: _Index, value: Any, role: int = _Role.EditRole) -> bool:
        """Rename a target."""
        targets = list(self._session.case.targets)
        old = targets[index.row()]
        name = str(value).strip()
        if not name or name == old.name:
            return False
        targets[index.row()] = Target(name, old.position_mr_mm, old.radius_mm)
        self._session.set_targets(tuple(targets))
        return True

    def _error(self, target: Target, column: int) -> str:
        fit = self._session.case.registration
        if not isinstance(fit, LandmarkFit):
            return "–"
        error = fit.predicted_error_mm(target.position_mr_mm)
        value = error.mean_mm if column == 1 else error.upper_mm
        return f"{float(np.ravel(value)[0]):.1f} mm"

    def _tip(self, target: Target) -> str:
        """The plain words: what a millimetre at each landmark does here."""
        fit = self._session.case.registration
        x, y, z = target.position_mr_mm
        lines = [f"MR: L {x:.1f}, P {y:.1f}, S {z:.1f} mm"]
        if isinstance(fit, LandmarkFit):
            lines += [
                f"1 mm at {LABELS[name].lower()} moves this target {amount:.1f} mm"
                for name, amount in fit.sensitivity(target.position_mr_mm).items()
            ]
        return "\n".join(lines)

    def _reset(self) -> None:
        self.beginResetModel()
        self.endResetModel()

    def _refresh(self) -> None:
        if self.rowCount():
            self.dataChanged.emit(self.index(0, 1), self.index(self.rowCount() - 1, 2))


class TargetPanel(QFrame):
    """The list of targets; `load_requested` asks for a file of them."""

    load_requested = Signal()

    def __init__(
        self, session: Session, view_state: ViewState, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self._session, self._view_state = session, view_state
        self.targets = TargetTableModel(session, self)
        self.table = QTableView()
        self.table.setModel(self.targets)
        self.add = QPushButton(icon("plus"), "At crosshair")
        self.add.setToolTip("Add a target at the MR crosshair (T)")
        self.load = QPushButton(icon("folder-open-outline"), "Load…")
        self.remove = QPushButton(icon("delete-outline"), "Remove")
        self._arrange()
        self.add.clicked.connect(self.add_at_crosshair)
        self.load.clicked.connect(self.load_requested)
        self.remove.clicked.connect(self.remove_chosen)
        self.table.selectionModel().currentRowChanged.connect(self._on_row_chosen)
        session.case_opened.connect(self._refresh)
        session.targets_changed.connect(self._refresh)
        self._refresh()

    def _arrange(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 9, 12, 10)
        column.setSpacing(6)
        heading = QLabel("TARGETS")
        heading.setObjectName("heading")
        column.addWidget(heading)
        self.table.setAccessibleName("Targets")
        self.table.setShowGrid(False)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(25)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        header = self.table.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        column.addWidget(self.table, 1)
        hint = QLabel("Hover a target to see what 1 mm at each landmark does to it.")
        hint.setObjectName("faint")
        column.addWidget(hint)
        row = QHBoxLayout()
        for button in (self.add, self.load, self.remove):
            row.addWidget(button)
        column.addLayout(row)

    def add_at_crosshair(self) -> None:
        """A new target where the MR crosshair is."""
        targets = self._session.case.targets
        if self._session.case.mr is None:
            return
        names = {target.name for target in targets}
        number = next(n for n in range(1, len(targets) + 2) if f"Target {n}" not in names)
        position = self._view_state.crosshair_mm(Space.MR)
        self._session.set_targets((*targets, Target(f"Target {number}", position)))

    def remove_chosen(self) -> None:
        """Remove the chosen target."""
        row = self.table.currentIndex().row()
        targets = self._session.case.targets
        if 0 <= row < len(targets):
            self._session.set_targets(targets[:row] + targets[row + 1 :])

    def choose(self, row: int) -> None:
        """Choose a target and show it."""
        flags = QItemSelectionModel.SelectionFlag
        self.table.selectionModel().setCurrentIndex(
            self.targets.index(row, 0), flags.ClearAndSelect | flags.Rows
        )

    def _on_row_chosen(self, current: QModelIndex, _previous: QModelIndex) -> None:
        if current.isValid():
            target = self._session.case.targets[current.row()]
            self._view_state.set_crosshair(Space.MR, target.position_mr_mm)

    def _refresh(self) -> None:
        self.add.setEnabled(self._session.case.mr is not None)
        self.remove.setEnabled(bool(self._session.case.targets))
