"""Saving a case together with copies of its images, which takes longer than a moment."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import Signal

from fusioninit.errors import InputError
from fusioninit.session.protocols import Cancelled, Progress
from fusioninit.session.work import Work
from fusioninit.state import Case, save_case


class Saving(Work):
    """Saves the case as it is at the start. Cancelled, it still ends what it has begun."""

    saved = Signal(object, object)
    """(path, the case that was saved)"""

    def start(self, path: Path) -> None:
        """Save the present case at `path`, its images in a folder beside it."""
        case = self._session.case
        self.started.emit("Saving the case with its images")
        self._job.submit(partial(_save, case, path), context=case)

    def _on_succeeded(self, answer: Any, context: Any) -> None:
        self.saved.emit(answer, context)


def _save(case: Case, path: Path, *, progress: Progress, cancelled: Cancelled) -> Path:
    progress(0.1, "Copying images")
    try:
        return save_case(case, path, copy_images=True)
    except OSError as error:
        raise InputError(
            f"The case was not saved: {error.strerror or error}. Choose another folder."
        ) from error
