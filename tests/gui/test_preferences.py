"""What is chosen in the preferences takes effect and is still there the next time."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from fusioninit.gui.dialogs import PreferencesDialog
from fusioninit.gui.preferences import DEVICES, Preferences


@pytest.mark.parametrize(
    ("field", "name", "expected"),
    [("device", "device", "CPU"), ("gestures", "gestures", "Slicer"), ("theme", "theme", "Light")],
)
def test_a_choice_by_keys_is_kept_in_the_file(qapp, qtbot, tmp_path, field, name, expected):
    from fusioninit.gui.theme import DARK, apply_theme

    preferences = Preferences(tmp_path / "s.ini")
    dialog = PreferencesDialog(preferences)
    qtbot.addWidget(dialog)
    dialog.show()
    try:
        box = getattr(dialog, field)
        box.setFocus()
        while box.currentText() != expected:
            at = box.currentIndex()
            QTest.keyClick(box, Qt.Key.Key_Down)
            assert box.currentIndex() > at, "not among the choices"
        assert getattr(Preferences(tmp_path / "s.ini"), name) == expected
    finally:
        apply_theme(qapp, DARK)


def test_the_nudge_is_typed_and_kept(qapp, qtbot, tmp_path):
    dialog = PreferencesDialog(Preferences(tmp_path / "s.ini"))
    qtbot.addWidget(dialog)
    dialog.nudge.selectAll()
    QTest.keyClicks(dialog.nudge, "1.5")
    QTest.keyClick(dialog.nudge, Qt.Key.Key_Return)
    assert Preferences(tmp_path / "s.ini").nudge_mm == 1.5


def test_the_device_that_is_kept_is_one_that_torch_knows(tmp_path):
    preferences = Preferences(tmp_path / "s.ini")
    assert DEVICES[preferences.device] is None
    preferences.set_value("device", "CPU")
    assert DEVICES[preferences.device] == "cpu"
