"""Help, and what can be done by keys alone."""

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from fusioninit.geometry import Space
from fusioninit.gui.manual import TEXT

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def shown(window, qtbot):
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    window.slices["us_axial"].setFocus()
    return window


def test_f1_opens_the_manual_that_ships_with_the_program(make_window, case, qtbot):
    window = shown(make_window(case), qtbot)
    QTest.keyClick(window, Qt.Key.Key_F1)
    text = window._manual.text.toPlainText()
    assert window._manual.isVisible()
    assert "Research use only" in text
    assert text.count("\n") > 20
    assert "#" not in text.splitlines()[0]
    window._manual.close()


def test_the_manual_names_only_keys_that_the_window_has(make_window):
    window = make_window()
    keys = {action.shortcut().toString() for action in window.actions_by_name.values()}
    text = TEXT.read_text(encoding="utf-8")
    for key in ("Ctrl+M", "Ctrl+U", "Ctrl+T", "Ctrl+S", "Ctrl+E", "Ctrl+Return", "Shift+F1"):
        assert key in text
        assert key in keys


def test_the_chosen_landmark_is_detected_again_by_a_key(make_window, case, qtbot):
    window = shown(make_window(case), qtbot)
    for name in ("apex", "bladder_neck"):
        window.session.move_landmark(Space.US, name, [1.0, 2.0, 3.0])
    window.view_state.select(Space.US, "apex")
    QTest.keyClick(window, Qt.Key.Key_D)
    marks = window.session.case.us_landmarks
    assert marks["apex"] == case.us_landmarks["apex"]
    assert marks["bladder_neck"].position_mm.tolist() == [1.0, 2.0, 3.0]


def test_tour_and_decision_are_reached_by_keys_alone(make_window, case, qtbot):
    window = shown(make_window(case), qtbot)
    QTest.keyClick(window, Qt.Key.Key_G)
    QTest.keyClick(window, Qt.Key.Key_N)
    assert window.tour.text.startswith("2 of")
    QTest.keyClick(window, Qt.Key.Key_N, SHIFT)
    assert window.tour.text.startswith("1 of")
    QTest.keyClick(window, Qt.Key.Key_Return, CTRL)
    assert window.review.initials.hasFocus()
    QTest.keyClicks(window.review.initials, "AB")
    QTest.keyClick(window.review.initials, Qt.Key.Key_Return)
    assert window.session.case.decision.initials == "AB"
