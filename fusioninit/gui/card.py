"""The frame that panels of the sidebar share: a card with a heading, and its plain table."""

from __future__ import annotations

from PySide6.QtCore import QItemSelectionModel, Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QTableView,
    QVBoxLayout,
    QWidget,
)

ROW_PX = 25


class Card(QFrame):
    """A framed column: `top` is the line with the heading, `column` holds everything."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(12, 9, 12, 10)
        self.column.setSpacing(6)
        heading = QLabel(title.upper())
        heading.setObjectName("heading")
        self.top = QHBoxLayout()
        self.top.addWidget(heading)
        self.top.addStretch(1)
        self.column.addLayout(self.top)


class PlainTable(QTableView):
    """Whole rows, one at a time, no grid; Ctrl+C copies the chosen row, `copy_all` every row."""

    removal_requested = Signal()
    """Del was pressed."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(ROW_PX)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)

    def stretch(self, column: int) -> None:
        """Let one column take the room that the others, as wide as their content, leave."""
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)

    def narrow(self, *columns: int) -> None:
        """Give columns of short cells the width of their titles and no more."""
        header = self.horizontalHeader()
        for column in columns:
            title = str(self.model().headerData(column, Qt.Orientation.Horizontal))
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
            header.resizeSection(column, header.fontMetrics().horizontalAdvance(title) + 12)

    def hide_columns(self, *columns: int) -> None:
        """Show some columns nowhere but in what is copied."""
        for column in columns:
            self.setColumnHidden(column, True)

    def set_small_text(self, points: float) -> None:
        """Cells and titles in letters of this size, where many columns share little room."""
        font = self.font()
        font.setPointSizeF(points)
        self.setFont(font)
        self.horizontalHeader().setFont(font)

    def choose(self, row: int) -> None:
        """Make a row the chosen one."""
        flags = QItemSelectionModel.SelectionFlag
        self.selectionModel().setCurrentIndex(
            self.model().index(row, 0), flags.ClearAndSelect | flags.Rows
        )
        self.scrollTo(self.model().index(row, 0))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Ctrl+C copies the chosen row; other keys as in any table."""
        if event.matches(QKeySequence.StandardKey.Copy) and self.currentIndex().isValid():
            self._copy([self.currentIndex().row()])
        else:
            super().keyPressEvent(event)

    def copy_all(self) -> None:
        """Put the whole table, tab-separated with its titles, on the clipboard."""
        self._copy(range(self.model().rowCount()))

    def _copy(self, rows: range | list[int]) -> None:
        model = self.model()
        columns = range(model.columnCount())
        titles = [model.headerData(c, Qt.Orientation.Horizontal) for c in columns]
        lines = [titles, *([model.index(row, c).data() for c in columns] for row in rows)]
        text = "\n".join("\t".join(str(cell or "") for cell in line) for line in lines)
        QGuiApplication.clipboard().setText(text + "\n")
