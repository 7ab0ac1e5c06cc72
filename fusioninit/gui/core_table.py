"""The planned biopsy cores as a table: path, depth, and what each is taken for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidget

from fusioninit.gui.calm import Calm
from fusioninit.gui.slice_cores import CORE_COLOUR
from fusioninit.gui.theme import current_theme
from fusioninit.session import Session
from fusioninit.state import Core, CoreKind, target_miss_mm

_Index = QModelIndex | QPersistentModelIndex
_Role = Qt.ItemDataRole
NAME, KIND, ENTRY, TIP, DEPTH, OFF, TARGET = range(7)
COLUMNS = ("Core", "Kind", "Entry x y z", "Tip x y z", "Depth", "Off", "Target")
TOLD_BY_NAME = (KIND, TARGET)
"""Columns that are copied but need no room: a core's name, colour and explanation tell them."""
_KINDS = {CoreKind.SYSTEMATIC: "Syst.", CoreKind.TARGETED: "Target"}
_TIPS = (
    "What the core is called; its colour is that of its kind in the views",
    "Of the systematic template, or for a target",
    "Where the needle's path begins, in the frame of the US (LPS mm); double-click to type it",
    "The deepest point of the needle, in the frame of the US (LPS mm); double-click to type it",
    "mm from entry to tip; the last 17 mm are the tissue taken",
    "How far (mm) a targeted core passes its target's centre, as aligned now",
    "What a targeted core is for",
)
MISS_MM = 3.0
"""A targeted core that passes its target farther off than this was planned on an alignment that
has changed since; half the diameter of the smallest lesion that is sampled."""


class CoreTableModel(QAbstractTableModel):
    """One row per core; name, entry and tip can be edited."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        session.case_opened.connect(self._reset)
        session.cores_changed.connect(self._reset)
        session.targets_changed.connect(self._refresh)
        session.registration_changed.connect(Calm(session, self._refresh, self).follow)

    @property
    def cores(self) -> tuple[Core, ...]:
        """The cores, a row each."""
        return self._session.case.cores

    def missing(self) -> list[Core]:
        """Targeted cores that pass their target too far off, as aligned now."""
        return [core for core in self.cores if self._is_missing(core)]

    def _is_missing(self, core: Core) -> bool:
        return (target_miss_mm(self._session.case, core) or 0.0) > MISS_MM

    def rowCount(self, parent: _Index | None = None) -> int:
        """One per core."""
        return 0 if parent is not None and parent.isValid() else len(self.cores)

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
        """Names and positions are editable."""
        flags = super().flags(index)
        editable = index.column() in (NAME, ENTRY, TIP)
        return flags | Qt.ItemFlag.ItemIsEditable if editable else flags

    def data(self, index: _Index, role: int = _Role.DisplayRole) -> Any:
        """What a cell shows."""
        core = self.cores[index.row()]
        if role in (_Role.DisplayRole, _Role.EditRole):
            return self._text(core, index.column())
        if role == _Role.ToolTipRole:
            return _name_tip(core) if index.column() == NAME else _TIPS[index.column()]
        if role == _Role.DecorationRole and index.column() == NAME:
            return CORE_COLOUR[core.kind]
        if role == _Role.ForegroundRole and index.column() == OFF and self._is_missing(core):
            return QColor(current_theme().warn)
        return None

    def setData(self, index: _Index, value: Any, role: int = _Role.EditRole) -> bool:
        """Rename a core, or put its entry or tip where three numbers say."""
        core, text = self.cores[index.row()], str(value).strip()
        if not text or text == self._text(core, index.column()):
            return False
        if index.column() == NAME:
            cores = tuple(replace(c, name=text) if c is core else c for c in self.cores)
            self._session.set_cores(cores, action=f"Rename core {core.name}")
            return True
        position = read_position(text)
        if position is None:
            self._session.refused.emit(f"'{text}' is no position; give x y z in mm, as 12.5 -4 30")
            return False
        if index.column() == ENTRY:
            self._session.move_core(core.name, entry_us_mm=position)
        else:
            self._session.move_core(core.name, tip_us_mm=position)
        return True

    def _text(self, core: Core, column: int) -> str:
        if column == OFF:
            miss = target_miss_mm(self._session.case, core)
            return "" if miss is None else f"{miss:.1f}"
        return {
            NAME: core.name,
            KIND: _KINDS[core.kind],
            ENTRY: position_text(core.entry_us_mm),
            TIP: position_text(core.tip_us_mm),
            DEPTH: f"{core.depth_mm:.0f}",
            TARGET: core.target or "",
        }[column]

    def _reset(self) -> None:
        self.beginResetModel()
        self.endResetModel()

    def _refresh(self) -> None:
        if self.rowCount():
            self.dataChanged.emit(self.index(0, OFF), self.index(self.rowCount() - 1, OFF))


def _name_tip(core: Core) -> str:
    purpose = f"Targeted, for {core.target}" if core.target else "Of the systematic template"
    return f"{core.name}\n{purpose}\nDouble-click to rename"


def position_text(position_mm: NDArray[np.float64]) -> str:
    """Three coordinates to a tenth of a millimetre, as tables show them."""
    return " ".join(f"{value:.1f}".replace("-", "\N{MINUS SIGN}") for value in position_mm)


def read_position(text: str) -> NDArray[np.float64] | None:
    """(3,) mm from typed text; None where it is not three finite numbers.

    >>> read_position("12.5, -4 30").tolist(), read_position("12.5 4")
    ([12.5, -4.0, 30.0], None)
    """
    try:
        words = text.replace("\N{MINUS SIGN}", "-").replace(",", " ").split()
        position = np.array([float(word) for word in words])
    except ValueError:
        return None
    return position if position.shape == (3,) and np.isfinite(position).all() else None
