"""Export as the window sees it: start, progress, cancel, and the files that were verified."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from fusioninit.session.jobs import Job
from fusioninit.session.protocols import CaseExporter
from fusioninit.session.session import Session


class Exporting(QObject):
    """Writes the case as it is at the start of the export into a folder."""

    started = Signal(str)
    progressed = Signal(float, str)
    exported = Signal(object, object)
    """(folder, {name: path}): everything was read back and agreed."""
    failed = Signal(str)
    finished = Signal()

    def __init__(
        self, session: Session, exporter: CaseExporter, job: Job, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._session, self._exporter, self._job = session, exporter, job
        job.progressed.connect(self.progressed)
        job.succeeded.connect(self._on_succeeded)
        job.failed.connect(self.failed)
        job.stopped.connect(self.finished)

    def start(self, folder: Path) -> None:
        """Export the present case into `folder`."""
        self.started.emit(f"Exporting to {folder.name}")
        self._job.submit(partial(self._exporter, self._session.case, folder), context=folder)

    def cancel(self) -> None:
        """Stop; files already written stay."""
        self._job.cancel()

    def close(self) -> bool:
        """Stop and wait for the thread to end."""
        self._job.cancel()
        return self._job.wait()

    def _on_succeeded(self, files: Any, folder: object) -> None:
        self.exported.emit(folder, dict(files))
