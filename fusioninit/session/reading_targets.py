"""Targets from a file as the window sees it: read off the GUI thread, added as one edit."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from fusioninit.session.jobs import Job
from fusioninit.session.protocols import Cancelled, Progress
from fusioninit.session.session import Session
from fusioninit.session.work import Work
from fusioninit.state import Target

TargetReader = Callable[[Path], tuple[Target, ...]]
"""The targets of a file in MR coordinates, or InputError with one sentence."""


class ReadingTargets(Work):
    """Adds the targets of a file to those of the case whose MR was open when it was asked for."""

    added = Signal(object, int)
    """(the file, how many targets it held)"""

    def __init__(
        self, session: Session, read: TargetReader, job: Job, parent: QObject | None = None
    ) -> None:
        super().__init__(session, job, parent)
        self._read = read

    def start(self, path: Path) -> None:
        """Read the targets of `path`; without an MR there is nothing to place them in."""
        mr = self._session.case.mr
        if mr is None:
            self.failed.emit("Targets are points of the MR; open the MR first, then the targets")
            return
        self.started.emit(f"Reading targets from {path.name}")
        self._job.submit(partial(_read, self._read, path), context=(path, mr))

    def _on_succeeded(self, answer: Any, context: Any) -> None:
        path, mr = context
        case = self._session.case
        if case.mr is mr:
            self._session.set_targets((*case.targets, *_named_apart(answer, case.targets)))
            self.added.emit(path, len(answer))


def _read(
    read: TargetReader, path: Path, *, progress: Progress, cancelled: Cancelled
) -> tuple[Target, ...]:
    progress(0.2, f"Reading targets from {path.name}")
    return read(path)


def _named_apart(new: Iterable[Target], known: Iterable[Target]) -> list[Target]:
    """The new targets, renamed where a target of that name is already there."""
    taken = {target.name for target in known}
    named = []
    for target in new:
        name, number = target.name, 2
        while name in taken:
            name, number = f"{target.name} ({number})", number + 1
        taken.add(name)
        named.append(Target(name, target.position_mr_mm, target.radius_mm))
    return named
