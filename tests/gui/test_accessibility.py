"""Every control says what it is to a screen reader."""

import pytest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QTextBrowser,
)

from fusioninit.gui.dialogs import PreferencesDialog, ShortcutsSheet
from fusioninit.gui.manual import Manual

CONTROLS = (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QTextBrowser,
)
PARTS_OF_QT = ("qt_", "QComboBoxPrivate", "ScrollLeftButton", "ScrollRightButton")


def nameless(window):
    """Controls of ours without an accessible name or a text that serves as one."""
    found = []
    popups = {box.view() for box in window.findChildren(QComboBox)}
    for kind in CONTROLS:
        for control in window.findChildren(kind):
            parent = control.parentWidget()
            is_part = control.objectName().startswith(PARTS_OF_QT) or isinstance(
                parent, (QComboBox, QAbstractSpinBox, QAbstractItemView)
            )
            within = type(parent).__name__
            if (
                control in popups
                or is_part
                or within.startswith("QComboBoxPrivate")
                or control.inherits("QScrollBar")
            ):
                continue
            text = control.text() if isinstance(control, QAbstractButton) else ""
            if not (control.accessibleName() or text.strip()):
                found.append(f"{type(control).__name__} in {within}: {control.toolTip()}")
    return found


def test_every_control_of_the_window_has_a_name(make_window, case, qtbot):
    window = make_window(case)
    window.show()
    qtbot.waitExposed(window)
    assert nameless(window) == []


@pytest.mark.parametrize("kind", [PreferencesDialog, ShortcutsSheet, Manual])
def test_every_control_of_the_dialogs_has_a_name(make_window, qtbot, kind):
    window = make_window()
    first = {
        PreferencesDialog: (window.preferences,),
        ShortcutsSheet: ("Clinical",),
        Manual: (),
    }[kind]
    dialog = kind(*first, window)
    qtbot.addWidget(dialog)
    assert nameless(dialog) == []
