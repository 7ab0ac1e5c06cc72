"""The question that stands before all work: are these two images of one patient."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QMessageBox, QPushButton, QWidget

from fusioninit.session import Session
from fusioninit.state import Case


class PairGuard(QObject):
    """Blocks its window until a person has answered; the answer goes into the journal.

    Whatever is not a plain "continue" (Esc, closing the question) closes the case.
    """

    def __init__(self, window: QWidget, session: Session) -> None:
        super().__init__(window)
        self._window, self._session = window, session
        self._doubts: tuple[str, ...] = ()
        self.box: QMessageBox | None = None
        self.keep: QPushButton | None = None
        self.refuse: QPushButton | None = None

    def ask(self, doubts: Sequence[str]) -> None:
        """Ask whether to go on in spite of these sentences."""
        self._dismiss()
        self._doubts = tuple(doubts)
        box = self.box = QMessageBox(self._window)
        box.setIcon(QMessageBox.Icon.Warning)
        box.setWindowTitle("Do these images belong together?")
        box.setText("\n\n".join(self._doubts))
        box.setInformativeText("The answer is kept in the journal of the case.")
        self.keep = box.addButton("Continue with this pair", QMessageBox.ButtonRole.AcceptRole)
        self.refuse = box.addButton("Close the case", QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(self.refuse)
        box.setEscapeButton(self.refuse)
        box.setWindowModality(Qt.WindowModality.WindowModal)
        box.finished.connect(self._on_answered)
        box.open()

    def _on_answered(self, _result: int) -> None:
        box = self.box
        if box is None:
            return
        is_kept = box.clickedButton() is self.keep
        self._dismiss()
        said = " ".join(self._doubts)
        if is_kept:
            self._session.note(f"Pair kept by the person, who was told: {said}")
            return
        self._session.note(f"Pair refused by the person, who was told: {said}")
        self._session.end()
        self._session.open_case(Case(prior=self._session.case.prior))

    def _dismiss(self) -> None:
        if self.box is not None:
            box, self.box = self.box, None
            box.close()
            box.deleteLater()
