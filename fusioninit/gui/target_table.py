"""The biopsy targets as a table: where each is in MR and in US, and how far off it may be."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtWidgets import QWidget

from fusioninit.gui.calm import Calm
from fusioninit.gui.core_table import position_text
from fusioninit.landmarks import LABELS, REQUIRED_NAMES
from fusioninit.registration import LandmarkFit
from fusioninit.session import Session
from fusioninit.state import Target

_Index = QModelIndex | QPersistentModelIndex
_Role = Qt.ItemDataRole
NAME, MR, US, ERROR = range(4)
COLUMNS = ("Target", "MR x y z", "US x y z", "Error")
_TIPS = (
    "Double-click to rename",
    "In the frame of the MR: mm to the patient's left, to the back, to the head (LPS)",
    "Where the alignment puts it in the frame of the US (LPS mm)",
    "Expected error of the alignment here, and what 95 % of errors stay under",
)


class TargetTableModel(QAbstractTableModel):
    """One row per target; names can be edited."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        session.case_opened.connect(self._reset)
        session.targets_changed.connect(self._reset)
        session.registration_changed.connect(Calm(session, self._refresh, self).follow)

    def rowCount(self, parent: _Index | None = None) -> int:
        """One per target."""
        return 0 if parent is not None and parent.isValid() else len(self._session.case.targets)

    def columnCount(self, parent: _Index | None = None) -> int:
        """Always the same columns."""
        return 0 if parent is not None and parent.isValid() else len(COLUMNS)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = _Role.DisplayRole
    ) -> Any:
        """Titles and their explanations."""
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == _Role.DisplayRole:
            return COLUMNS[section]
        return _TIPS[section] if role == _Role.ToolTipRole else None

    def flags(self, index: _Index) -> Qt.ItemFlag:
        """Names are editable."""
        flags = super().flags(index)
        return flags | Qt.ItemFlag.ItemIsEditable if index.column() == NAME else flags

    def data(self, index: _Index, role: int = _Role.DisplayRole) -> Any:
        """What a cell shows."""
        target = self._session.case.targets[index.row()]
        if role in (_Role.DisplayRole, _Role.EditRole):
            return self._text(target, index.column())
        if role == _Role.ToolTipRole:
            return self.sensitivity(index.row()) or _TIPS[index.column()]
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

    def sensitivity(self, row: int) -> str:
        """The plain words: what a millimetre at each required landmark does to a row's target."""
        fit, target = self._session.case.registration, self._session.case.targets[row]
        if not isinstance(fit, LandmarkFit):
            return ""
        amounts = fit.sensitivity(target.position_mr_mm)
        asked = [name for name in REQUIRED_NAMES if name in amounts]
        parts = [f"at {LABELS[name].lower()} by {amounts[name]:.1f} mm" for name in asked]
        return f"1 mm moves {target.name}: {', '.join(parts)}."

    def _text(self, target: Target, column: int) -> str:
        if column == NAME:
            return target.name
        if column == MR:
            return position_text(target.position_mr_mm)
        fit = self._session.case.registration
        if not isinstance(fit, LandmarkFit):
            return "–"
        if column == US:
            return position_text(fit.us_from_mr.apply(target.position_mr_mm))
        error = fit.predicted_error_mm(target.position_mr_mm)
        expected, upper = (float(np.ravel(value)[0]) for value in (error.mean_mm, error.upper_mm))
        return f"{expected:.1f} (<{upper:.0f})"

    def _reset(self) -> None:
        self.beginResetModel()
        self.endResetModel()

    def _refresh(self) -> None:
        if self.rowCount():
            self.dataChanged.emit(self.index(0, US), self.index(self.rowCount() - 1, ERROR))
