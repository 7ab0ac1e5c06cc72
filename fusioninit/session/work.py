"""Work off the GUI thread as the window sees it: it starts, progresses, fails or answers, ends."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, Signal

from fusioninit.session.jobs import Job
from fusioninit.session.session import Session


class Work(QObject):
    """One kind of work on the open case. A kind says what is run and what becomes of the answer.

    Every `started` is followed by one `finished`, whatever happens in between.
    """

    started = Signal(str)
    """What is being done, for the progress area."""
    progressed = Signal(float, str)
    failed = Signal(str)
    """One sentence for a person."""
    finished = Signal()

    def __init__(self, session: Session, job: Job, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session, self._job = session, job
        job.progressed.connect(self.progressed)
        job.succeeded.connect(self._on_succeeded)
        job.failed.connect(self.failed)
        job.stopped.connect(self._on_stopped)

    @property
    def is_running(self) -> bool:
        """Whether an answer is still awaited."""
        return self._job.is_running

    def cancel(self) -> None:
        """Stop; the case stays as it is."""
        self._job.cancel()

    def close(self) -> bool:
        """Stop and wait for the thread to end."""
        self.cancel()
        return self._job.wait()

    def _on_succeeded(self, answer: Any, context: Any) -> None:
        """Take the answer to what was submitted with `context`."""

    def _on_stopped(self) -> None:
        self.finished.emit()
