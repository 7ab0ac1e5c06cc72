"""The question before another case takes the place of one with unsaved edits."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QMessageBox, QWidget

from fusioninit.session import Session

_Buttons = QMessageBox.StandardButton


class UnsavedGuard(QObject):
    """Lets an opening pass at once, or once its window's user has said what becomes of the edits.

    The answer "Save" asks for a save by `save_requested`; the opening goes on with `go_on`, which
    whoever saves calls once the edits are on disk, and is forgotten with `forget`.
    """

    save_requested = Signal()

    def __init__(self, window: QWidget, session: Session) -> None:
        super().__init__(window)
        self._window, self._session = window, session
        self._waiting: Callable[[], object] | None = None
        self.box: QMessageBox | None = None

    def before(self, open_it: Callable[[], object], *, case_name: str) -> None:
        """Call `open_it` now, after a save, or never."""
        self._dismiss()
        self._waiting = open_it
        if not self._session.has_unsaved_work:
            self.go_on()
            return
        box = self.box = QMessageBox(self._window)
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle("Unsaved edits")
        box.setText(f"Edits of {case_name} are not saved.")
        box.setInformativeText("Save them before another case takes its place?")
        box.setStandardButtons(_Buttons.Save | _Buttons.Discard | _Buttons.Cancel)
        box.setDefaultButton(_Buttons.Save)
        box.setEscapeButton(_Buttons.Cancel)
        box.setWindowModality(Qt.WindowModality.WindowModal)
        box.finished.connect(self._on_answered)
        box.open()

    def go_on(self) -> None:
        """The edits are saved, or need not be: open what waits."""
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting()

    def forget(self) -> None:
        """Nothing was saved: the case stays."""
        self._waiting = None

    def _on_answered(self, answer: int) -> None:
        self._dismiss()
        if answer == _Buttons.Save:
            self.save_requested.emit()
        elif answer == _Buttons.Discard:
            self.go_on()
        else:
            self.forget()

    def _dismiss(self) -> None:
        if self.box is not None:
            box, self.box = self.box, None
            box.close()
            box.deleteLater()
