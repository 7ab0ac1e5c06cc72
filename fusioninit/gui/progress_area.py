"""What is running, how far it is, and a button that stops it; lives in the status bar."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QWidget


class ProgressArea(QWidget):
    """Hidden while nothing runs."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._label = QLabel()
        self._bar = QProgressBar()
        self._bar.setRange(0, 1000)
        self._bar.setTextVisible(False)
        self._bar.setFixedSize(150, 8)
        self._button = QPushButton("Cancel")
        self._button.setAccessibleName("Cancel what is running")
        self._cancel: Callable[[], None] = _nothing
        self._button.clicked.connect(self._on_cancel)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(6, 1, 2, 1)
        for widget in (self._label, self._bar, self._button):
            layout.addWidget(widget)
        self.hide()

    @property
    def text(self) -> str:
        """What is said to be running."""
        return self._label.text()

    def begin(self, text: str, cancel: Callable[[], None]) -> None:
        """Something started; `cancel` stops it."""
        self._cancel = cancel
        self._label.setText(text)
        self._bar.setValue(0)
        self.show()

    def report(self, fraction: float, text: str) -> None:
        """How far it is."""
        if text:
            self._label.setText(text)
        self._bar.setValue(round(1000 * fraction))

    def end(self) -> None:
        """Nothing runs any more."""
        self._cancel = _nothing
        self.hide()

    def _on_cancel(self) -> None:
        self._cancel()


def _nothing() -> None:
    """There is nothing to cancel."""
