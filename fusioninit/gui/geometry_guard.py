"""The question that follows a volume whose file does not say how its voxels lie."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QWidget

from fusioninit.geometry import Space
from fusioninit.gui.geometry_dialog import GeometryDialog
from fusioninit.gui.message_bar import MessageBar
from fusioninit.session import Opening, Session


class GeometryGuard(QObject):
    """Asks once per volume, and on request; the answer opens the file again as stated."""

    def __init__(
        self, window: QWidget, session: Session, opening: Opening, messages: MessageBar
    ) -> None:
        super().__init__(window)
        self._window, self._session = window, session
        self._opening, self._messages = opening, messages
        self._waiting: list[Space] = []
        self.dialog: GeometryDialog | None = None
        opening.unplaced.connect(self.ask)
        opening.opened.connect(self._ask_next)
        opening.size_needed.connect(self._offer)
        session.case_opened.connect(self._forget)

    def ask(self, space: Space) -> None:
        """Ask about the open volume of `space`, after any question that is still open."""
        volume = self._session.case.volume(space)
        if self.dialog is not None:
            self._waiting.append(space)
        elif volume is not None and volume.source.path is not None:
            path = volume.source.path
            self._open(space, path, GeometryDialog(space, path.name, volume, self._window))

    def ask_about_file(self, space: Space, path: Path) -> None:
        """Ask about a file that was refused because it states no voxel size."""
        if self.dialog is None:
            self._open(space, path, GeometryDialog(space, path.name, parent=self._window))

    def _open(self, space: Space, path: Path, dialog: GeometryDialog) -> None:
        self.dialog = dialog
        dialog.setWindowModality(Qt.WindowModality.WindowModal)
        dialog.finished.connect(lambda result: self._on_answered(space, path, bool(result)))
        dialog.open()

    def _on_answered(self, space: Space, path: Path, is_stated: bool) -> None:
        dialog, self.dialog = self.dialog, None
        if dialog is None:
            return
        dialog.deleteLater()
        if is_stated:
            self._session.note(f"Geometry of {space.upper()} stated: {dialog.stated.to_record()}")
            # what else waits is asked when the file stands
            self._opening.open_volumes({space: path}, stated=dialog.stated)
        else:
            self._session.note(f"Geometry of {space.upper()} left as the file has it")
            self._ask_next()

    def _ask_next(self) -> None:
        waiting, self._waiting = self._waiting, []
        for space in waiting:
            volume = self._session.case.volume(space)
            if volume is not None and volume.lacks_geometry:
                self.ask(space)

    def _offer(self, space: Space, path: Path, sentence: str) -> None:
        """A file refused for want of a voxel size: the message's button asks for it."""
        answer = ("State it\u2026", lambda: self.ask_about_file(space, path))
        self._messages.show_message(sentence, answer=answer)

    def _forget(self) -> None:
        """Another case stands: a question about the one before is void."""
        if self.dialog is not None:
            dialog, self.dialog = self.dialog, None
            dialog.reject()
            dialog.deleteLater()
