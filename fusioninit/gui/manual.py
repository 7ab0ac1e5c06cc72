"""The manual, rendered from the text that lies beside this module; no network is needed."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QDialog, QTextBrowser, QVBoxLayout, QWidget

TEXT = Path(__file__).with_name("manual.md")


class Manual(QDialog):
    """A window of its own, so that it can be read while working."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Manual of fusioninit")
        self.resize(720, 760)
        self.text = QTextBrowser()
        self.text.setAccessibleName("Manual")
        self.text.setMarkdown(TEXT.read_text(encoding="utf-8"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.text)
        QShortcut(QKeySequence("F1"), self, self.close)
