"""Views that are painted anew one after another, so that the window answers in between."""

from __future__ import annotations

import shiboken6
from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QWidget

from fusioninit.gui.motion import Motion


class PaintTurns(QObject):
    """Six slices take up to 35 ms to paint together, and one of them a sixth of it.

    While something moves they are painted together all the same: the pictures of one step of a
    gesture belong together.
    """

    def __init__(self, motion: Motion, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._motion = motion
        self._waiting: list[QWidget] = []
        self._timer = QTimer(self, singleShot=True, interval=0)
        self._timer.timeout.connect(self._paint_next)

    def paint(self, view: QWidget) -> None:
        """Paint a view soon: in the turn of its own, or with the others while something moves."""
        if self._motion.is_on:
            view.update()
        elif view.isVisible() and view not in self._waiting:
            self._waiting.append(view)
            if not self._timer.isActive():
                self._timer.start()

    def _paint_next(self) -> None:
        view = self._waiting.pop(0)
        if self._waiting:
            self._timer.start()
        if shiboken6.isValid(view):
            view.update()
