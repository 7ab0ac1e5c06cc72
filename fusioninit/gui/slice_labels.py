"""Names in a slice view, laid out together so that none covers another, a glyph or the frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QLineF, QPointF, QRectF
from PySide6.QtGui import QColor, QPainter, QPen

from fusioninit.gui.slice_painting import draw_text

HEIGHT_PX = 17.0
GAP_PX = 6.0
"""Between the rim of a glyph and its name."""
_EDGE_PX = 4.0
_ROWS = (-19.0, 1.0, -9.0, -36.0, 18.0, -53.0, 35.0, -70.0, 52.0)
"""Tops of the lines of text beside a glyph, against its middle."""
_FAR_PX = 14.0
"""A name farther from its glyph's rim than this is joined to it by a line."""


LEAST_OPACITY = 0.8
"""Of a name: its glyph alone tells how far off the plane it is, the name must be read."""


@dataclass(frozen=True)
class Label:
    """A name and the glyph that it belongs to."""

    key: object
    """What is named; it keeps its place while something is dragged."""
    at: QPointF
    text: str
    colour: QColor
    reach_px: float
    """Radius of the glyph."""
    strength: float = 1.0
    rank: int = 0
    """The lowest chooses its place first."""


class SliceLabels:
    """Collects the names of one picture, then places and draws them, greedily by rank."""

    def __init__(self) -> None:
        self._labels: list[Label] = []
        self._taken: list[QRectF] = []
        self._width = self._height = 0.0
        self._last: dict[object, int] = {}

    def begin(self, size: tuple[float, float]) -> None:
        """Another picture of that size (logical px): nothing is named, the frame's texts stand."""
        self._width, self._height = width, height = size
        self._labels = []
        self._taken = [
            QRectF(0, 0, width, 26),
            QRectF(0, height - 25, width, 25),
            QRectF(0, height / 2 - 9, 20, 18),
            QRectF(width - 22, height / 2 - 9, 22, 18),
            QRectF(width / 2 - 10, 26, 20, 18),
        ]

    def keep_clear(self, at: QPointF, reach_px: float) -> None:
        """No name over a glyph about `at`."""
        side = 2 * reach_px
        self._taken.append(QRectF(at.x() - reach_px, at.y() - reach_px, side, side))

    def add(self, label: Label) -> None:
        """Name a glyph, which no other name may cover."""
        self._labels.append(label)
        self.keep_clear(label.at, label.reach_px)

    def draw(self, painter: QPainter, *, keeps_places: bool) -> None:
        """Draw all names; those drawn before stay on their side where `keeps_places` and free."""
        metrics = painter.fontMetrics()
        places: dict[object, int] = {}
        for label in sorted(self._labels, key=lambda each: each.rank):
            width = metrics.horizontalAdvance(label.text) + 2.0
            first = self._last.get(label.key) if keeps_places else None
            number, box = self._place(label, width, first)
            places[label.key] = number
            self._taken.append(box)
            painter.setOpacity(label.strength)
            _draw_leader(painter, label, box)
            painter.setOpacity(max(label.strength, LEAST_OPACITY))
            draw_text(painter, box, label.text, colour=label.colour)
        painter.setOpacity(1.0)
        self._last = places

    def _place(self, label: Label, width: float, first: int | None) -> tuple[int, QRectF]:
        boxes = list(label_boxes(label, width, (self._width, self._height)))
        order = range(len(boxes)) if first is None else (first, *range(len(boxes)))
        for number in order:
            if is_free(boxes[number], self._taken):
                return number, boxes[number]
        return 0, boxes[0]


def label_boxes(label: Label, width: float, size: tuple[float, float]) -> Iterator[QRectF]:
    """Where a name may stand, best first: always as many, all inside a view of that size.

    Above to the right, below to the left, then the other corners, then lines further off. Where
    there is no room to the right, the left comes first.
    """
    right = label.at.x() + label.reach_px + GAP_PX
    left = label.at.x() - label.reach_px - GAP_PX - width
    right_edge, bottom = size[0] - 22.0, size[1] - _EDGE_PX
    sides = (right, left) if right + width <= right_edge else (left, right)
    for number, row in enumerate(_ROWS):
        y = min(max(label.at.y() + row, _EDGE_PX), bottom - HEIGHT_PX)
        for side in sides if number % 2 == 0 else sides[::-1]:
            x = min(max(side, _EDGE_PX), max(right_edge - width, _EDGE_PX))
            yield QRectF(x, y, width, HEIGHT_PX)


def _draw_leader(painter: QPainter, label: Label, box: QRectF) -> None:
    """A thin line from the glyph's rim to a name that stands far off."""
    x = min(max(label.at.x(), box.left()), box.right())
    y = min(max(label.at.y(), box.top() + 2), box.bottom() - 2)
    line = QLineF(label.at, QPointF(x, y))
    if line.length() > label.reach_px + _FAR_PX:
        painter.setPen(QPen(label.colour, 1.0))
        painter.drawLine(QLineF(line.pointAt(label.reach_px / line.length()), line.p2()))


def is_free(box: QRectF, taken: Sequence[QRectF]) -> bool:
    """Whether a box touches none of those taken."""
    return not any(box.intersects(other) for other in taken)
