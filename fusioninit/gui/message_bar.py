"""What went wrong or needs attention, in plain sentences above the views; never a modal storm."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QWidget

from fusioninit.gui.glyphs import icon
from fusioninit.gui.theme import current_theme

_ICONS = {"error": "alert-circle", "warning": "alert", "info": "check-circle"}
MOST_KEPT = 30
_LONG_WORD = re.compile(r"[^\s\u200b-]{25}(?=[^\s-])")


Answer = Callable[[], object]


@dataclass(frozen=True)
class Message:
    """One sentence, and perhaps a button that answers it."""

    kind: str
    text: str
    answer: tuple[str, Answer] | None = None


class MessageBar(QFrame):
    """Shows one message; other unread ones wait behind it, none is lost."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("bar")
        self._waiting: list[Message] = []
        self._icon = QLabel()
        self._icon.setFixedSize(20, 20)
        self._text = QLabel()
        self._text.setWordWrap(True)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._more = QLabel()
        self._more.setObjectName("faint")
        self.answer = QPushButton()
        self.answer.setAccessibleName("Answer the message")
        self._clear = QPushButton("Dismiss all")
        self._close = QToolButton()
        self._close.setAccessibleName("Dismiss message")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 5, 6, 5)
        layout.addWidget(self._icon)
        layout.addWidget(self._text, 1)
        layout.addWidget(self.answer)
        layout.addWidget(self._more)
        layout.addWidget(self._clear)
        layout.addWidget(self._close)
        self.answer.clicked.connect(self._on_answered)
        self._close.clicked.connect(self.dismiss)
        self._clear.clicked.connect(self.dismiss_all)
        self.hide()

    @property
    def _shown(self) -> Message | None:
        """What was said last; but an error stays in sight while warnings follow it."""
        if not self._waiting or self._waiting[-1].kind == "info":
            return self._waiting[-1] if self._waiting else None
        errors = [message for message in self._waiting if message.kind == "error"]
        return (errors or self._waiting)[-1]

    @property
    def text(self) -> str:
        """The sentence shown, empty when none is."""
        return self._shown.text if self._shown else ""

    @property
    def texts(self) -> list[str]:
        """All sentences not yet dismissed, oldest first."""
        return [message.text for message in self._waiting]

    def show_message(
        self, text: str, *, kind: str = "error", answer: tuple[str, Answer] | None = None
    ) -> None:
        """Show a sentence; `kind` is error, warning or info. Info is replaced by what follows.

        `answer` is a button's text and what it does; pressing it dismisses the message.
        """
        kept = [m for m in self._waiting if m.kind != "info" and m.text != text]
        self._waiting = [*kept[-MOST_KEPT:], Message(kind, text, answer)]
        self._show()

    def dismiss(self) -> None:
        """The message shown was read."""
        shown = self._shown
        self._waiting = [message for message in self._waiting if message is not shown]
        self._show()

    def dismiss_all(self) -> None:
        """Everything was read."""
        self._waiting = []
        self._show()

    def _on_answered(self) -> None:
        answer = self._shown.answer if self._shown else None
        self.dismiss()
        if answer is not None:
            answer[1]()

    def _show(self) -> None:
        message = self._shown
        self.setVisible(message is not None)
        if message is None:
            return
        theme = current_theme()
        colour = {"error": theme.bad, "warning": theme.warn, "info": theme.good}[message.kind]
        self._icon.setPixmap(icon(_ICONS[message.kind], colour=colour).pixmap(18, 18))
        self._close.setIcon(icon("close"))
        self._text.setText(breakable(message.text))
        self.answer.setVisible(message.answer is not None)
        self.answer.setText(message.answer[0] if message.answer is not None else "")
        others = len(self._waiting) - 1
        self._more.setText(f"{others} more" if others else "")
        self._clear.setVisible(others > 0)


def breakable(text: str) -> str:
    """The text with invisible places to break it, so that no file name widens the window.

    >>> len(breakable("x" * 60)) - 60
    2
    """
    return _LONG_WORD.sub("\\g<0>\u200b", text)
