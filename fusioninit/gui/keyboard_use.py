"""Makes every control usable by keys alone, beside the window's one-letter shortcuts.

A shortcut of the window takes its key from whichever control has the focus. What a focused control
needs itself (Space on a button, F2 in a table) is claimed here. Buttons take the focus by Tab only,
so that a click on one leaves the arrow keys with the slice that had them.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QComboBox,
    QWidget,
)

from fusioninit.gui.card import PlainTable

_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_PRESSING = (Qt.Key.Key_Space, *_ENTER)
_IN_TABLES = (Qt.Key.Key_F2, *_ENTER, Qt.Key.Key_Delete)


class KeyboardUse(QObject):
    """Watches the controls inside `window` that exist when it is made."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        for button in window.findChildren(QAbstractButton):
            if button.focusPolicy() != Qt.FocusPolicy.NoFocus:
                button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.installEventFilter(self)
        for kind in (QComboBox, QAbstractSpinBox, PlainTable):
            for control in window.findChildren(kind):
                control.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Claim keys for the control that has the focus; keep the wheel from those without."""
        if event.type() == QEvent.Type.Wheel:
            return _turns_by_accident(watched, event)
        if isinstance(event, QKeyEvent) and _is_plain(event):
            if event.type() == QEvent.Type.ShortcutOverride and _needs(watched, event.key()):
                event.accept()
            if event.type() == QEvent.Type.KeyPress:
                return _press(watched, event.key())
        return False


def _is_plain(event: QKeyEvent) -> bool:
    return event.modifiers() in (
        Qt.KeyboardModifier.NoModifier,
        Qt.KeyboardModifier.KeypadModifier,
    )


def _needs(control: QObject, key: int) -> bool:
    if isinstance(control, QAbstractButton | QComboBox):
        return key in _PRESSING
    return isinstance(control, PlainTable) and key in _IN_TABLES


def _press(control: QObject, key: int) -> bool:
    """Return does what Space does, and in a table what F2 does."""
    if isinstance(control, QAbstractButton) and key in _ENTER:
        control.click()
        return True
    if isinstance(control, QComboBox) and key in _ENTER:
        control.showPopup()
        return True
    if isinstance(control, PlainTable) and control.hasFocus() and key in _IN_TABLES:
        _press_in_table(control, key)
        return True
    return False


def _press_in_table(table: PlainTable, key: int) -> None:
    index = table.currentIndex()
    if key == Qt.Key.Key_Delete:
        table.removal_requested.emit()
    elif index.flags() & Qt.ItemFlag.ItemIsEditable:
        table.edit(index)


def _turns_by_accident(control: QObject, event: QEvent) -> bool:
    """A wheel meant for the panel that holds a closed list or a number must not change it."""
    if isinstance(control, QComboBox | QAbstractSpinBox) and not control.hasFocus():
        event.ignore()  # Qt then offers it to the parent
        return True
    return False
