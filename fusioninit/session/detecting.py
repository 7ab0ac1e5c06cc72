"""Detection as the window sees it: start, progress, cancel, and an answer that is an edit."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, Signal

from fusioninit.geometry import Space
from fusioninit.imaging.volume import Volume
from fusioninit.session.jobs import Job
from fusioninit.session.protocols import Cancelled, LandmarkPredictor, Progress
from fusioninit.session.session import Session


class Detecting(QObject):
    """Runs the predictor on open volumes, one after the other, and offers its answers as edits.

    An answer for a volume that is no longer open is refused.
    """

    started = Signal(Space)
    progressed = Signal(float, str)
    found = Signal(Space, object)
    """(space, the detection): already accepted into the session as one undo step."""
    failed = Signal(str)
    finished = Signal()

    def __init__(
        self,
        session: Session,
        predictor: LandmarkPredictor,
        job: Job,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._predictor = predictor
        self._job = job
        self._waiting: list[Space] = []
        job.progressed.connect(self.progressed)
        job.succeeded.connect(self._on_succeeded)
        job.failed.connect(self._on_failed)

    @property
    def is_running(self) -> bool:
        """Whether a detection is under way."""
        return self._job.is_running

    def start(self, spaces: Iterable[Space]) -> None:
        """Detect in these volumes (those that are open), superseding a detection that runs."""
        self._job.cancel()
        self._waiting = [space for space in spaces if self._session.case.volume(space) is not None]
        self._next()

    def cancel(self) -> None:
        """Stop; landmarks stay as they are."""
        was_running = self.is_running
        self._waiting = []
        self._job.cancel()
        if was_running:
            self.finished.emit()

    def close(self) -> bool:
        """Stop and wait for the thread to end."""
        self.cancel()
        return self._job.wait()

    def _next(self) -> None:
        if not self._waiting:
            self.finished.emit()
            return
        space = self._waiting.pop(0)
        volume = self._session.case.volume(space)
        if volume is None:
            self._next()
            return
        self.started.emit(space)
        self._job.submit(partial(_detect, self._predictor, volume), context=volume)

    def _on_succeeded(self, detection: Any, volume: object) -> None:
        space = detection.landmarks.space
        if self._session.case.volume(space) is volume:
            self._session.accept_detection(detection)
            self.found.emit(space, detection)
        self._next()

    def _on_failed(self, sentence: str) -> None:
        self.failed.emit(sentence)
        self._next()


def _detect(
    predictor: LandmarkPredictor, volume: Volume, *, progress: Progress, cancelled: Cancelled
) -> object:
    return predictor(volume, progress=progress, cancelled=cancelled)
