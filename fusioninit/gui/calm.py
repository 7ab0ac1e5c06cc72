"""Text follows a drag now and then, so that the pictures follow it at once."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

from fusioninit.session import Session

INTERVAL_MS = 120
"""Numbers that change more often than eight times a second cannot be read."""


class Calm(QObject):
    """Calls `react` at once after an edit; while a drag runs at most every `INTERVAL_MS`.

    Connect a signal to `follow`. When the drag ends, what is owed is shown before anything else.
    """

    def __init__(self, session: Session, react: Callable[[], object], parent: QObject) -> None:
        super().__init__(parent)
        self._session, self._react = session, react
        self._timer = QTimer(self, singleShot=True, interval=INTERVAL_MS)
        self._timer.timeout.connect(react)
        session.rested.connect(self._catch_up)

    def follow(self, _what: object = None) -> None:
        """Something has changed."""
        if not self._session.is_dragging:
            self._timer.stop()
            self._react()
        elif not self._timer.isActive():
            self._timer.start()

    def _catch_up(self) -> None:
        if self._timer.isActive():
            self._timer.stop()
            self._react()
