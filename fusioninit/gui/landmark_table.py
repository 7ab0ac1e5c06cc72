"""The landmarks of both images as a table: state, uncertainty, residual, lock."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QHeaderView, QWidget

from fusioninit.geometry import Space
from fusioninit.gui.calm import Calm
from fusioninit.gui.card import ROW_PX, PlainTable
from fusioninit.gui.glyphs import icon, space_icon
from fusioninit.gui.theme import SPACE_NAME, current_theme
from fusioninit.gui.view_state import ViewState
from fusioninit.landmarks import ALL_NAMES, LABELS, REQUIRED_NAMES, Landmark, LandmarkName, Source
from fusioninit.registration import LandmarkFit
from fusioninit.session import Session

_Index = QModelIndex | QPersistentModelIndex
_Role = Qt.ItemDataRole
COLUMNS = ("Landmark", "Image", "State", "Models", "Residual", "")
NAME, IMAGE, STATE, APART, RESIDUAL, LOCK = range(len(COLUMNS))
_WIDTHS = (108, 50, 0, 62, 66, 22)
_TIPS = {
    STATE: "Predicted by the network (with its confidence), edited or confirmed by a person",
    APART: "How far apart two networks place the landmark, coloured where that is unusually far; "
    "empty where only one looked",
    RESIDUAL: "Distance left between both images' points after alignment. Not an accuracy.",
    LOCK: "Locked landmarks refuse moves; click to lock or unlock",
}


class LandmarkTableModel(QAbstractTableModel):
    """Two rows per landmark, US above MR. Auxiliary landmarks appear when asked for."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.shows_auxiliary = False
        self._rows: list[tuple[LandmarkName, Space]] = []
        self._choose_rows()
        session.case_opened.connect(self._refresh)
        calm = Calm(session, self._refresh, self)
        session.landmarks_changed.connect(calm.follow)
        session.registration_changed.connect(calm.follow)

    def key(self, row: int) -> tuple[Space, LandmarkName]:
        """Space and name of a row."""
        name, space = self._rows[row]
        return space, name

    def row_of(self, space: Space, name: LandmarkName) -> int | None:
        """The row of a landmark, None where it is not listed."""
        return self._rows.index((name, space)) if (name, space) in self._rows else None

    def rowCount(self, parent: _Index | None = None) -> int:
        """Rows at present."""
        return 0 if parent is not None and parent.isValid() else len(self._rows)

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
        return _TIPS.get(section) if role == _Role.ToolTipRole else None

    def data(self, index: _Index, role: int = _Role.DisplayRole) -> Any:
        """What a cell shows."""
        name, space = self._rows[index.row()]
        mark = self._session.case.landmarks(space).get(name)
        column = index.column()
        if role == _Role.DisplayRole:
            return self._text(name, space, mark, column)
        if role == _Role.DecorationRole:
            return self._decoration(space, mark, column)
        if role == _Role.ForegroundRole:
            if column == APART and self._is_doubtful(space, name):
                return QColor(current_theme().warn)
            return self._colour(space, mark, column)
        if role == _Role.TextAlignmentRole and column in (APART, RESIDUAL):
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if role == _Role.ToolTipRole:
            return self._tip(mark) or _TIPS.get(column)
        return None

    def _text(
        self, name: LandmarkName, space: Space, mark: Landmark | None, column: int
    ) -> str | None:
        if column == NAME:
            number = REQUIRED_NAMES.index(name) + 1 if name in REQUIRED_NAMES else None
            return f"{number}  {LABELS[name]}" if number else LABELS[name]
        if column == IMAGE:
            return SPACE_NAME[space]
        if column == RESIDUAL:
            fit = self._session.case.registration
            residual = fit.residuals_mm.get(name) if isinstance(fit, LandmarkFit) else None
            return "–" if residual is None else _distance_text(residual)
        if column == APART:
            apart_mm = self._apart_mm(space, name)
            return None if apart_mm is None else _distance_text(apart_mm)
        if column == STATE:
            return "not placed" if mark is None else _state_text(mark)
        return None

    def _apart_mm(self, space: Space, name: LandmarkName) -> float | None:
        apart = self._session.case.disagreement(space)
        return None if apart is None else apart.distances_mm.get(name)

    def _is_doubtful(self, space: Space, name: LandmarkName) -> bool:
        apart = self._session.case.disagreement(space)
        return apart is not None and apart.is_doubtful(name)

    @staticmethod
    def _decoration(space: Space, mark: Landmark | None, column: int) -> Any:
        if column == IMAGE:
            return space_icon(space)
        if column == LOCK and mark is not None:
            theme = current_theme()
            name = "lock" if mark.locked else "lock-open-variant-outline"
            return icon(name, colour=theme.good if mark.locked else theme.faint)
        return None

    def _colour(self, space: Space, mark: Landmark | None, column: int) -> QColor | None:
        theme = current_theme()
        if mark is None and column == STATE:
            return QColor(theme.faint)
        if column == STATE and mark is not None:
            colours = {Source.PREDICTED: theme.warn, Source.CONFIRMED: theme.good}
            return QColor(colours.get(mark.source, theme.text))
        return QColor(theme.space(space)) if column == IMAGE else None

    @staticmethod
    def _tip(mark: Landmark | None) -> str | None:
        if mark is None:
            return None
        x, y, z = mark.position_mm
        where = f"L {x:.1f}, P {y:.1f}, S {z:.1f} mm; standard deviation {mark.sd_mm:.1f} mm"
        return f"{where}\n{mark.provenance}" if mark.provenance else where

    def _choose_rows(self) -> None:
        case = self._session.case
        known = set(REQUIRED_NAMES)
        if self.shows_auxiliary:
            known |= set(case.us_landmarks) | set(case.mr_landmarks)
        self._rows = [(n, s) for n in ALL_NAMES if n in known for s in (Space.US, Space.MR)]

    def show_auxiliary(self, *, shown: bool) -> None:
        """List the auxiliary landmarks too, or only those a person is asked for."""
        self.shows_auxiliary = shown
        self._refresh()

    def _refresh(self, _space: Space | None = None) -> None:
        before = self._rows
        self._choose_rows()
        if before != self._rows:
            self.beginResetModel()
            self.endResetModel()
        elif self._rows:
            self.dataChanged.emit(
                self.index(0, 0), self.index(len(self._rows) - 1, len(COLUMNS) - 1)
            )


class LandmarkTable(PlainTable):
    """Selecting a row jumps to its landmark; clicking the lock locks or unlocks it."""

    def __init__(
        self, session: Session, view_state: ViewState, parent: QWidget | None = None
    ) -> None:
        super().__init__("Landmarks", parent)
        self._session, self._view_state = session, view_state
        self.landmarks = LandmarkTableModel(session, self)
        self.setModel(self.landmarks)
        self._arrange()
        self.landmarks.modelReset.connect(self._span)
        self.selectionModel().currentRowChanged.connect(self._on_row_chosen)
        self.clicked.connect(self._on_clicked)
        view_state.selection_changed.connect(self._show_selection)

    def _arrange(self) -> None:
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header = self.horizontalHeader()
        for column, width in enumerate(_WIDTHS):
            if width:
                header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
                self.setColumnWidth(column, width)
            else:
                header.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)
        self._span()

    def _span(self) -> None:
        self.clearSpans()
        rows = self.landmarks.rowCount()
        for row in range(0, rows, 2):
            self.setSpan(row, NAME, 2, 1)
            self.setSpan(row, RESIDUAL, 2, 1)
        self.setFixedHeight(27 + ROW_PX * rows + 4)

    def _on_row_chosen(self, current: QModelIndex, _previous: QModelIndex) -> None:
        if current.isValid():
            space, name = self.landmarks.key(current.row())
            self._view_state.select(space, name)
            mark = self._session.case.landmarks(space).get(name)
            if mark is not None:
                self._view_state.set_crosshair(space, mark.position_mm)

    def _on_clicked(self, index: QModelIndex) -> None:
        space, name = self.landmarks.key(index.row())
        mark = self._session.case.landmarks(space).get(name)
        if mark is None:
            return
        if index.column() == LOCK:
            self._session.lock_landmark(space, name, locked=not mark.locked)
        else:
            self._view_state.set_crosshair(space, mark.position_mm)

    def _show_selection(self) -> None:
        selection = self._view_state.selection
        row = None if selection is None else self.landmarks.row_of(*selection)
        if row is not None and row != self.currentIndex().row():
            blocked = self.selectionModel().blockSignals(True)
            self.setCurrentIndex(self.landmarks.index(row, IMAGE))
            self.selectionModel().blockSignals(blocked)
            self.viewport().update()


def _state_text(mark: Landmark) -> str:
    if mark.source is Source.PREDICTED:
        # never 100: a network is not certain
        return f"Predicted {min(99, round(100 * mark.confidence))} %"
    return mark.source.value.capitalize()


def _distance_text(distance_mm: float) -> str:
    """With a tenth below 10 mm: what fits the column, and what can be told."""
    return f"{distance_mm:.1f} mm" if distance_mm < 9.95 else f"{distance_mm:.0f} mm"
