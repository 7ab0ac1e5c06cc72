"""Export as the window sees it: start, progress, cancel, and the files that were verified."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from fusioninit.session.jobs import Job
from fusioninit.session.protocols import CaseExporter
from fusioninit.session.session import Session
from fusioninit.session.work import Work


class Exporting(Work):
    """Writes the case as it is at the start of the export into a folder.

    Cancelled, nothing of it is put in place.
    """

    exported = Signal(object, object)
    """(folder, {name: path}): everything was read back and agreed."""

    def __init__(
        self, session: Session, exporter: CaseExporter, job: Job, parent: QObject | None = None
    ) -> None:
        super().__init__(session, job, parent)
        self._exporter = exporter

    def start(self, folder: Path, *, keep_identity: bool = False) -> None:
        """Export the present case into `folder`; who the patient is, only where asked."""
        self.started.emit(f"Exporting to {folder.name}")
        task = partial(self._exporter, self._session.case, folder, keep_identity=keep_identity)
        self._job.submit(task, context=folder)

    def _on_succeeded(self, answer: Any, context: Any) -> None:
        self.exported.emit(context, dict(answer))
