"""Turning two planes about the normal of the one that is looked at, by pointer or keys."""

from __future__ import annotations

from functools import cache
from math import atan2, degrees, pi, radians

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QCursor, QPainter, QPixmap

from fusioninit.gui.glyphs import icon
from fusioninit.gui.slice_view import SliceView

SNAP_DEG = 5.0
"""With Shift the line that is held goes through multiples of this on the screen."""
KEY_DEG, FAR_KEY_DEG = 1.0, 5.0


class Turning:
    """One drag of a handle: the line that is held follows the pointer about the crossing."""

    def __init__(self, view: SliceView, at: QPointF, along: QPointF) -> None:
        self._view = view
        self._before = view.view_state.triad(view.space)
        self._center = view.crosshair.center(view.frame())
        self._began_rad = _angle_rad(at - self._center)
        self._line_rad = _angle_rad(along)

    def follow(self, at: QPointF, *, snaps: bool) -> None:
        """The pointer is here now."""
        turn_rad = _angle_rad(at - self._center) - self._began_rad
        if snaps:
            step = radians(SNAP_DEG)
            turn_rad = round((self._line_rad + turn_rad) / step) * step - self._line_rad
        turn_rad = (turn_rad + pi) % (2 * pi) - pi
        view = self._view
        turn_deg = round(degrees(turn_rad), 1) + 0.0  # no minus before a zero
        view.crosshair.note = f"{turn_deg:+.1f}°".replace("-", "\N{MINUS SIGN}")
        triad = self._before.turned(view.orientation, turn_rad)
        view.view_state.set_triad(view.space, triad)

    def end(self) -> None:
        """The handle was let go."""
        self._view.crosshair.note = ""
        self._view.update()

    def cancel(self) -> None:
        """Planes as before the drag."""
        self._view.view_state.set_triad(self._view.space, self._before)
        self.end()


def turn_by_keys(view: SliceView, *, clockwise: bool, far: bool) -> None:
    """Turn the other two planes a little, and show the handles that do it by pointer."""
    turn_rad = radians(FAR_KEY_DEG if far else KEY_DEG) * (1 if clockwise else -1)
    state = view.view_state
    state.set_flag("turning", shown=True)
    state.motion.step()
    state.set_triad(view.space, state.triad(view.space).turned(view.orientation, turn_rad))


@cache
def turn_cursor() -> QCursor:
    """A bent arrow, white with a dark rim: readable on any image."""
    size = 24
    picture = QPixmap(size + 2, size + 2)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    rim, arrow = (icon("rotate-right", colour=c).pixmap(size, size) for c in ("#000000", "#ffffff"))
    for dx, dy in ((0, 1), (2, 1), (1, 0), (1, 2)):
        painter.drawPixmap(dx, dy, rim)
    painter.drawPixmap(1, 1, arrow)
    painter.end()
    return QCursor(picture)


def _angle_rad(way: QPointF) -> float:
    """Clockwise from the right of the screen."""
    return atan2(way.y(), way.x())
