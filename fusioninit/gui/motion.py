"""Whether pictures follow one another fast at the moment, so that each may be cut coarsely."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

REST_MS = 120
"""Steps of a gesture come closer together than this; after so long a rest all is drawn finely."""


class Motion(QObject):
    """A single step is no motion: only what follows a step within `REST_MS` is in motion."""

    settled = Signal()
    """The last step lies `REST_MS` back; what was drawn coarsely is to be drawn again."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.is_on = False
        self._timer = QTimer(self, singleShot=True, interval=REST_MS)
        self._timer.timeout.connect(self.settle)

    def step(self) -> None:
        """A person drags, scrolls or zooms: another picture is due."""
        self.is_on = self._timer.isActive()
        self._timer.start()

    def settle(self) -> None:
        """The gesture rests, or is over."""
        self._timer.stop()
        if self.is_on:
            self.is_on = False
            self.settled.emit()
