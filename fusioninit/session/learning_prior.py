"""A prior learned from a folder of exports as the window sees it: read off the GUI thread."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from fusioninit.session.jobs import Job
from fusioninit.session.protocols import Cancelled, Progress
from fusioninit.session.session import Session
from fusioninit.session.work import Work
from fusioninit.state.pose_prior import PosePrior

PriorLearner = Callable[[Path], PosePrior]
"""The prior that accepted exports below a folder give, or InputError with one sentence."""


class LearningPrior(Work):
    """Gives the case the prior of a folder, as one edit."""

    learned = Signal(object)
    """The `PosePrior`."""

    def __init__(
        self, session: Session, learn: PriorLearner, job: Job, parent: QObject | None = None
    ) -> None:
        super().__init__(session, job, parent)
        self._learn = learn

    def start(self, folder: Path) -> None:
        """Read the exports below `folder`."""
        self.started.emit(f"Reading accepted registrations below {folder.name}")
        self._job.submit(partial(_learn, self._learn, folder))

    def _on_succeeded(self, answer: Any, context: Any) -> None:
        self._session.set_prior(answer)
        self.learned.emit(answer)


def _learn(
    learn: PriorLearner, folder: Path, *, progress: Progress, cancelled: Cancelled
) -> PosePrior:
    progress(0.2, f"Reading accepted registrations below {folder.name}")
    return learn(folder)
