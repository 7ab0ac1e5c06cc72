"""The crosshair of a slice view: where the other two planes cut it, and handles to turn them by."""

from __future__ import annotations

from math import hypot

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from fusioninit.geometry import Orientation, PixelFrame, Space
from fusioninit.gui.slice_painting import draw_text
from fusioninit.gui.view_state import ViewState

GAP_PX = 9
"""What lies at the crossing stays visible."""
HANDLE_PX = 5.0
REACH_PX = 11.0
"""A press this near to a handle's middle takes it."""
_INSET_PX = 46.0
"""Handles stand this far inside the view, clear of letters and titles."""
_NEAREST_PX = 34.0
"""Nearer to the crossing a handle would be in the way there, and turn too coarsely."""
_HAIR = QColor(225, 235, 245, 105)
_CLEAR_HAIR = QColor(235, 242, 250, 190)
_HANDLE = QColor(235, 242, 250)
_INK = QColor(0, 0, 0, 190)


class SliceCrosshair:
    """Draws the lines of one view; says where its handles are while planes are turned by hand."""

    def __init__(self, view_state: ViewState, space: Space, orientation: Orientation) -> None:
        self._state, self._space, self._orientation = view_state, space, orientation
        self._others = [other for other in Orientation if other is not orientation]
        self.note = ""
        """What is said beside the crossing while something is turned."""

    @property
    def has_handles(self) -> bool:
        """Whether planes are being turned by hand."""
        return self._state.flag("turning")

    def center(self, frame: PixelFrame) -> QPointF:
        """Continuous view coordinates of the crossing."""
        x, y = (frame.to_pixel(self._state.crosshair_mm(self._space)) + 0.5).tolist()
        return QPointF(x, y)

    def paint(self, painter: QPainter, frame: PixelFrame) -> None:
        """Two thin lines with a gap at the crossing, and their handles."""
        width, height = frame.size_px
        at = self.center(frame)
        colour = _CLEAR_HAIR if self.has_handles else _HAIR
        for along in self._directions():
            if 0.0 in (along.x(), along.y()):
                _draw_straight(painter, at, along, (width, height), colour)
            else:
                _draw_slanted(painter, at, along, width + height, colour)
        if self.has_handles:
            self._paint_handles(painter, frame)
        if self.note:
            draw_text(painter, QRectF(at.x() + 14, at.y() + 12, 120, 18), self.note)

    def handle_at(self, at: QPointF, frame: PixelFrame) -> QPointF | None:
        """The unit screen direction of the line whose handle is there; None where there is none."""
        if not self.has_handles:
            return None
        for handle, along in self._handles(frame):
            if hypot(handle.x() - at.x(), handle.y() - at.y()) <= REACH_PX:
                return along
        return None

    def handles(self, frame: PixelFrame) -> list[QPointF]:
        """Continuous view coordinates of all handles."""
        return [handle for handle, _ in self._handles(frame)]

    def _directions(self) -> list[QPointF]:
        triad = self._state.triad(self._space)
        return [QPointF(*triad.line_on(self._orientation, other)) for other in self._others]

    def _handles(self, frame: PixelFrame) -> list[tuple[QPointF, QPointF]]:
        width, height = frame.size_px
        inset_x, inset_y = min(_INSET_PX, width / 5), min(_INSET_PX, height / 5)
        inner = QRectF(inset_x, inset_y, width - 2 * inset_x, height - 2 * inset_y)
        at = self.center(frame)
        found = []
        for along in self._directions():
            ends = _span_inside(inner, at, along)
            found += [(at + along * end, along) for end in ends if abs(end) >= _NEAREST_PX]
        return found

    def _paint_handles(self, painter: QPainter, frame: PixelFrame) -> None:
        painter.setPen(QPen(_INK, 2.0))
        painter.setBrush(_HANDLE)
        for handle in self.handles(frame):
            painter.drawEllipse(handle, HANDLE_PX, HANDLE_PX)
        painter.setBrush(Qt.BrushStyle.NoBrush)


def _draw_straight(
    painter: QPainter, at: QPointF, along: QPointF, size: tuple[int, int], colour: QColor
) -> None:
    """A level or upright line, a pixel wide and sharp; filling is cheaper than stroking."""
    width, height = size
    x, y = round(at.x()), round(at.y())
    if along.y() == 0.0:
        parts = ((0, y, x - GAP_PX, 1), (x + GAP_PX, y, width - x - GAP_PX, 1))
    else:
        parts = ((x, 0, 1, y - GAP_PX), (x, y + GAP_PX, 1, height - y - GAP_PX))
    for left, top, across, down in parts:
        if across > 0 and down > 0:
            painter.fillRect(left, top, across, down, colour)


def _draw_slanted(
    painter: QPainter, at: QPointF, along: QPointF, length: float, colour: QColor
) -> None:
    painter.setPen(QPen(colour, 1.0))
    for sign in (-1.0, 1.0):
        painter.drawLine(QLineF(at + along * (sign * GAP_PX), at + along * (sign * length)))


def _span_inside(box: QRectF, at: QPointF, along: QPointF) -> list[float]:
    """Where a line (a point and a unit direction) enters and leaves a box, in px from the point."""
    low, high = -float("inf"), float("inf")
    for place, way, first, last in (
        (at.x(), along.x(), box.left(), box.right()),
        (at.y(), along.y(), box.top(), box.bottom()),
    ):
        if way == 0.0:
            if not first <= place <= last:
                return []
            continue
        near, far = sorted(((first - place) / way, (last - place) / way))
        low, high = max(low, near), min(high, far)
    return [low, high] if low < high else []
