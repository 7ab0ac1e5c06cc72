"""What is running, how far it is, and a button that stops it; lives in the status bar."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QWidget

from fusioninit.session import Work

LONGEST_TEXT_PX = 420


@dataclass(frozen=True)
class Running:
    """One kind of work under way."""

    text: str
    cancel: Callable[[], None]
    fraction: float = 0.0


class ProgressArea(QWidget):
    """Shows the work begun last, until it ends; then the one before it, if that still runs.

    One kind of work may begin before another has said that it ended, as a detection does when a
    volume has just been opened.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._running: dict[Work, Running] = {}
        self._label = QLabel()
        self._bar = QProgressBar()
        self._bar.setRange(0, 1000)
        self._bar.setTextVisible(False)
        self._bar.setFixedSize(150, 8)
        self._bar.setAccessibleName("Progress")
        self._button = QPushButton("Cancel")
        self._button.setAccessibleName("Cancel what is running")
        self._button.clicked.connect(self._on_cancel)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(6, 1, 2, 1)
        for widget in (self._label, self._bar, self._button):
            layout.addWidget(widget)
        self.hide()

    @property
    def text(self) -> str:
        """What is said to be running; empty where nothing is."""
        return self._newest.text if self._running else ""

    @property
    def _newest(self) -> Running:
        return next(reversed(self._running.values()))

    def follow(self, work: Work) -> None:
        """Show this kind of work whenever it runs."""
        work.started.connect(partial(self._begin, work))
        work.progressed.connect(partial(self._report, work))
        work.finished.connect(partial(self._end, work))

    def _begin(self, work: Work, text: str) -> None:
        self._running.pop(work, None)
        self._running[work] = Running(text, work.cancel)
        self._show()

    def _report(self, work: Work, fraction: float, text: str) -> None:
        run = self._running.get(work)
        if run is not None:
            self._running[work] = replace(run, fraction=fraction, text=text or run.text)
            self._show()

    def _end(self, work: Work) -> None:
        self._running.pop(work, None)
        self._show()

    def _show(self) -> None:
        self.setVisible(bool(self._running))
        if self._running:
            newest = self._newest
            metrics = self._label.fontMetrics()
            shown = metrics.elidedText(newest.text, Qt.TextElideMode.ElideMiddle, LONGEST_TEXT_PX)
            self._label.setText(shown)
            self._label.setToolTip(newest.text if shown != newest.text else "")
            self._set_fraction(newest.fraction)

    def _set_fraction(self, fraction: float) -> None:
        """Set the bar; by itself it would paint at once, and all else that waits to be painted."""
        self._bar.setUpdatesEnabled(False)
        self._bar.setValue(round(1000 * fraction))
        self._bar.setUpdatesEnabled(True)

    def _on_cancel(self) -> None:
        if self._running:
            self._newest.cancel()
