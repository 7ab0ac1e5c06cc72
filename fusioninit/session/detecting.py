"""Detection as the window sees it: start, progress, cancel, and an answer that is an edit."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, Signal

from fusioninit.geometry import Space
from fusioninit.imaging.volume import Volume
from fusioninit.landmarks import LABELS, LandmarkName
from fusioninit.session.jobs import Job
from fusioninit.session.protocols import Cancelled, Detection, LandmarkPredictor, Progress
from fusioninit.session.session import Session
from fusioninit.session.work import Work


@dataclass(frozen=True)
class _Asked:
    """Which volume is looked at, and for which landmark alone (None: for all)."""

    volume: Volume
    only: LandmarkName | None


class Detecting(Work):
    """Runs the predictor on open volumes, one after the other, and offers its answers as edits.

    An answer for a volume that is no longer open is refused. `prepare` is called with every gland
    that is found, on the predictor's thread, for work that showing it needs.
    """

    found = Signal(Space, object)
    """(space, the detection): already accepted into the session as one undo step."""

    def __init__(
        self,
        session: Session,
        predictor: LandmarkPredictor,
        job: Job,
        *,
        prepare: Callable[[Volume], object] = id,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(session, job, parent)
        self._predictor, self._prepare = predictor, prepare
        self._only: LandmarkName | None = None
        self._waiting: list[Space] = []

    def start(self, spaces: Iterable[Space], *, only: LandmarkName | None = None) -> None:
        """Detect in these volumes (those that are open), superseding a detection that runs.

        With `only`, that landmark alone is taken from the answers; the others stay.
        """
        self.cancel()
        self._only = only
        self._waiting = [space for space in spaces if self._session.case.volume(space) is not None]
        self._on_stopped()

    def cancel(self) -> None:
        """Stop; landmarks stay as they are."""
        self._waiting = []
        super().cancel()

    def _on_stopped(self) -> None:
        if not self._waiting:
            self.finished.emit()
            return
        space = self._waiting.pop(0)
        volume = self._session.case.volume(space)
        if volume is None:
            self._on_stopped()
            return
        what = "landmarks" if self._only is None else LABELS[self._only].lower()
        self.started.emit(f"Finding {what} in {space.upper()}")
        task = partial(_detect, self._predictor, self._prepare, volume)
        self._job.submit(task, context=_Asked(volume, self._only))

    def _on_succeeded(self, answer: Any, context: Any) -> None:
        space = answer.landmarks.space
        if self._session.case.volume(space) is context.volume:
            self._session.accept_detection(answer, only=context.only)
            self.found.emit(space, answer)


def _detect(
    predictor: LandmarkPredictor,
    prepare: Callable[[Volume], object],
    volume: Volume,
    *,
    progress: Progress,
    cancelled: Cancelled,
) -> Detection:
    found = predictor(volume, progress=progress, cancelled=cancelled)
    if not cancelled() and found.gland is not None:
        prepare(found.gland)
    return found
