"""What is chosen in the preferences takes effect and is still there the next time."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from fusioninit.geometry import Space
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


def test_the_arrow_keys_move_by_one_voxel_where_that_is_preferred(make_window, case, qtbot):
    window = make_window(case)
    dialog = PreferencesDialog(window.preferences, window)
    qtbot.addWidget(dialog)
    QTest.keyClick(dialog.nudge_unit, Qt.Key.Key_Down)
    assert not dialog.nudge.isEnabled()
    view = window.slices["mr_axial"]
    window.view_state.select(Space.MR, "apex")
    for key, modifier, axis, times in (
        (Qt.Key.Key_Right, Qt.KeyboardModifier.NoModifier, 0, 1),
        (Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier, 1, 5),
    ):
        before = window.session.case.mr_landmarks["apex"].position_mm
        QTest.keyClick(view, key, modifier)
        moved = window.session.case.mr_landmarks["apex"].position_mm - before
        assert moved[axis] == pytest.approx(times * 1.1)
        assert abs(moved).sum() == pytest.approx(times * 1.1)
    dialog.nudge_unit.setCurrentIndex(0)
    window.preferences.set_value("nudge_mm", 0.8)
    before = window.session.case.mr_landmarks["apex"].position_mm
    QTest.keyClick(view, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    moved = window.session.case.mr_landmarks["apex"].position_mm - before
    assert moved[0] == pytest.approx(-5 * 0.8)
