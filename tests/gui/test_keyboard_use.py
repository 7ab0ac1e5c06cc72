"""The whole window by keys alone: what has the focus gets the keys that it needs."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QLineEdit,
    QToolButton,
    QWidget,
)

from fusioninit.geometry import Space
from fusioninit.gui import scene_place
from fusioninit.gui.card import PlainTable
from fusioninit.gui.slice_view import SliceView
from fusioninit.gui.view_state import FusionMode
from fusioninit.landmarks import Source
from fusioninit.state import Target

Key = Qt.Key
CTRL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def window(make_window, case, qtbot, monkeypatch, request):
    if "gl" not in request.keywords:  # the 3D view has no part in most of this
        monkeypatch.setattr(scene_place, "opengl_refusal", lambda: "not asked for")
    window = make_window(case.with_targets((Target("A", [0.0, 0, 0]), Target("B", [1.0, 2, 3]))))
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    return window


def press(window, key, modifier=Qt.KeyboardModifier.NoModifier):
    QTest.keyClick(window.windowHandle(), key, modifier)


def walk_by_tab(window):
    """Every widget that Tab reaches, until the first comes again."""
    seen = []
    for _ in range(200):
        press(window, Key.Key_Tab)
        focused = QApplication.focusWidget()
        if focused in seen:
            return seen
        seen.append(focused)
    raise AssertionError("Tab never comes back to where it began")


@pytest.mark.gl
def test_tab_reaches_every_view_and_every_control_that_can_be_used(window):
    reached = set()
    for page in range(3):
        window.show_page(page)
        reached |= set(walk_by_tab(window))
    wanted = [
        control
        for kind in (QAbstractButton, QComboBox, PlainTable, SliceView, QLineEdit)
        for control in window.findChildren(kind)
        if control.isEnabled() and is_on_some_page(window, control) and not is_part_of_qt(control)
    ]
    wanted = [w for w in wanted if not is_in_menu(window, w) and not is_other_choice(w)]
    assert len(wanted) > 30
    missed = [w.accessibleName() or w.objectName() or w.text() for w in wanted if w not in reached]
    assert missed == []


def is_on_some_page(window, control: QWidget) -> bool:
    pages = [window.sidebar_tabs.widget(n) for n in range(3)]
    page = next((page for page in pages if page.isAncestorOf(control)), window)
    return control.isVisibleTo(page)


def is_in_menu(window, control):
    """A button of the toolbar: the menus have the same."""
    action = control.defaultAction() if isinstance(control, QToolButton) else None
    return action in window.actions_by_name.values()


def is_other_choice(control):
    """One of several of which one is on: the arrow keys go from that to the others."""
    group = control.group() if isinstance(control, QAbstractButton) else None
    return group is not None and not control.isChecked()


def is_part_of_qt(control: QWidget) -> bool:
    return control.objectName().startswith("qt_") or isinstance(
        control.parentWidget(), (QComboBox, PlainTable)
    )


def test_the_first_view_has_the_focus_from_the_start(window):
    assert window.slices["us_axial"].hasFocus()


@pytest.mark.parametrize("key", [Key.Key_Space, Key.Key_Return])
def test_a_button_with_the_focus_is_pressed_by_space_and_return(window, key):
    mode = window.view_state.mode
    window.view_state.select(Space.US, "apex")
    window.landmarks.buttons["confirm"].setFocus()
    press(window, key)
    assert window.session.case.us_landmarks["apex"].source is Source.CONFIRMED
    assert window.view_state.mode is mode, "Space went to the views"


def test_in_a_view_space_still_shows_mr_and_us_in_turn(window):
    window.slices["us_axial"].setFocus()
    press(window, Key.Key_Space)
    assert window.view_state.mode is FusionMode.MR


def test_a_click_on_a_button_leaves_the_arrow_keys_with_the_view(window, qtbot):
    window.view_state.select(Space.US, "apex")
    window.slices["us_axial"].setFocus()
    qtbot.mouseClick(window.landmarks.buttons["confirm"], Qt.MouseButton.LeftButton)
    assert window.slices["us_axial"].hasFocus()


def test_the_arrow_keys_choose_how_us_and_mr_are_combined(window):
    window.fusion_bar.modes[FusionMode.BLEND].setFocus()
    press(window, Key.Key_Right)
    press(window, Key.Key_Space)
    assert window.view_state.mode is FusionMode.CHECKER


def test_del_in_the_list_of_targets_removes_the_target_and_no_landmark(window):
    window.show_page(1)
    window.view_state.select(Space.US, "apex")
    window.targets.table.setFocus()
    window.targets.table.choose(1)
    press(window, Key.Key_Delete)
    assert [target.name for target in window.session.case.targets] == ["A"]
    assert "apex" in window.session.case.us_landmarks


@pytest.mark.parametrize("key", [Key.Key_F2, Key.Key_Return])
def test_a_target_is_renamed_by_keys_and_the_layout_stays(window, key):
    layout = window.grid.layout_name
    window.show_layout("Four-up")
    window.show_page(1)
    window.targets.table.setFocus()
    window.targets.table.choose(0)
    press(window, key)
    editor = QApplication.focusWidget()
    assert isinstance(editor, QLineEdit)
    QTest.keyClicks(editor, "apical lesion")
    press(window, Key.Key_Return)
    QApplication.processEvents()
    assert window.session.case.targets[0].name == "apical lesion"
    assert window.grid.layout_name == "Four-up" != layout


def test_the_wheel_over_a_closed_list_changes_nothing(window):
    estimator = window.registration.estimator
    before = window.session.case.estimator
    at = QPointF(estimator.rect().center())
    for turn in (-120, 120):
        event = QWheelEvent(
            at, estimator.mapToGlobal(at), QPoint(), QPoint(0, turn), Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(estimator, event)
    assert window.session.case.estimator == before


def test_a_landmark_is_locked_reverted_and_zoomed_upon_by_keys(window, case):
    view = window.slices["us_sagittal"]
    view.setFocus()
    press(window, Key.Key_1)
    press(window, Key.Key_Right)
    assert window.session.case.us_landmarks["apex"].source is Source.EDITED
    press(window, Key.Key_V)
    assert window.session.case.us_landmarks["apex"] == case.us_landmarks["apex"]
    press(window, Key.Key_Right)
    press(window, Key.Key_L)
    locked = window.session.case.us_landmarks["apex"]
    assert locked.locked
    press(window, Key.Key_V)
    assert window.session.case.us_landmarks["apex"] == locked
    assert window.messages.text == "Apex in US is locked; unlock it to move it"
    assert not window.landmarks.buttons["revert"].isEnabled()
    press(window, Key.Key_Plus, CTRL)
    assert window.view_state.zoom(Space.US) == pytest.approx(1.25)
    assert window.view_state.zoom(Space.MR) == 1.0


def test_ctrl_and_an_arrow_moves_the_crosshair_and_no_landmark(window, case):
    view = window.slices["us_axial"]
    view.setFocus()
    press(window, Key.Key_1)
    before = window.view_state.crosshair_mm(Space.US).copy()
    press(window, Key.Key_Right, CTRL)
    moved = window.view_state.crosshair_mm(Space.US) - before
    assert np.allclose(moved, 0.5 * view.plane().right)
    assert window.session.case.us_landmarks["apex"] == case.us_landmarks["apex"]


def test_m_shows_the_focused_view_alone_and_all_again(window):
    window.slices["mr_axial"].setFocus()
    press(window, Key.Key_M)
    assert window.grid.maximised == "mr_axial"
    press(window, Key.Key_M)
    assert window.grid.maximised is None


def test_the_side_panel_is_hidden_and_its_pages_are_reached_by_keys(window):
    width = window.grid.width()
    press(window, Key.Key_F9)
    assert not window.sidebar.isVisible()
    QApplication.processEvents()
    assert window.grid.width() > width + 400
    press(window, Key.Key_2, CTRL)
    assert window.sidebar.isVisible()
    assert window.sidebar_tabs.currentIndex() == 1


def test_window_presets_are_in_the_menu(window, case):
    window.actions_by_name["window_mr_strong contrast"].trigger()
    assert window.view_state.window(Space.MR) == case.mr.percentiles(10.0, 97.0)
    window.actions_by_name["window_mr_as in the file"].trigger()
    assert window.view_state.window(Space.MR) == case.mr.display_window()


def test_no_key_stands_for_two_actions(make_window):
    keys = [action.shortcut().toString() for action in make_window().actions_by_name.values()]
    given = [key for key in keys if key]
    assert len(set(given)) == len(given)
