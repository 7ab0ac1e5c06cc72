"""What a later work will need is loaded ahead, while the person looks for the first file."""

from __future__ import annotations

from fusioninit.session.jobs import Job, Task
from fusioninit.session.session import Session
from fusioninit.session.work import Work


class Preparing(Work):
    """Runs `task` once, unseen: its answer changes nothing and nothing is said of it.

    Not of a failure either: the work that needs what could not be loaded will say so.
    """

    def __init__(self, session: Session, task: Task, job: Job) -> None:
        super().__init__(session, job)
        job.failed.disconnect(self.failed)
        self._task: Task | None = task

    def begin(self) -> None:
        """Start, the first time."""
        task, self._task = self._task, None
        if task is not None:
            self._job.submit(task)
