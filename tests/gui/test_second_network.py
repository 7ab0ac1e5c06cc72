"""Two networks compared in the window: in the table, in the slices, and as edits."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor

from fusioninit.geometry import Space
from fusioninit.gui.landmark_table import APART
from fusioninit.gui.theme import current_theme
from fusioninit.landmarks import REQUIRED_NAMES
from fusioninit.registration.disagreement import FAR_APART_MM

KEY = Qt.Key


@pytest.fixture
def window(make_window, case_of_two, qtbot):
    window = make_window(case_of_two)
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    return window


def apart_cell(window, space, name):
    model = window.landmarks.table.landmarks
    return model.index(model.row_of(space, name), APART)


def test_the_table_says_how_far_two_networks_are_apart_and_colours_what_is_far(window):
    far, near = (apart_cell(window, Space.US, name) for name in ("apex", "bladder_neck"))
    assert far.data() == f"{FAR_APART_MM[Space.US] + 5:.0f} mm"
    assert near.data() == "1.5 mm"
    role = Qt.ItemDataRole.ForegroundRole
    assert far.data(role) == QColor(current_theme().warn)
    assert near.data(role) is None


def test_the_window_still_fits_a_small_screen(window):
    assert window.minimumSizeHint().width() <= 1366


def test_where_one_network_looked_nothing_is_said_and_nothing_can_be_taken(make_window, case):
    window = make_window(case)
    window.view_state.select(Space.US, "apex")
    assert apart_cell(window, Space.US, "apex").data() is None
    assert "second" not in window.landmarks.hint.text()
    for name in ("second_marks", "use_second", "use_second_all"):
        assert not window.actions_by_name[name].isEnabled()


def test_a_detection_brings_the_second_answer_and_undo_takes_it_away(make_window, qtbot):
    window = make_window()
    window.open_demo()
    qtbot.waitUntil(lambda: apart_cell(window, Space.MR, "bladder_neck").data() == "1.5 mm")
    assert set(window.session.case.mr_second) == set(REQUIRED_NAMES)
    window.session.undo()
    window.session.undo()
    assert apart_cell(window, Space.MR, "bladder_neck").data() is None


def test_s_shows_the_second_answers_in_the_slices_of_their_own_image(window, qtbot):
    case, view = window.session.case, window.slices["us_sagittal"]
    ghost = case.us_second["apex"].position_mm
    window.view_state.set_crosshair(Space.US, ghost)
    before = {name: each.grab().toImage() for name, each in window.slices.items()}
    assert not window.actions_by_name["second_marks"].isChecked()

    qtbot.keyClick(window, KEY.Key_S)
    assert window.view_state.flag("second")
    assert window.actions_by_name["second_marks"].isChecked()
    assert window.fusion_bar.flags["second"].isChecked()
    image = view.grab().toImage()
    changed = [
        (x, y)
        for x in range(image.width())
        for y in range(image.height())
        if image.pixel(x, y) != before["us_sagittal"].pixel(x, y)
    ]
    at = view.to_view(ghost) * view.devicePixelRatioF()
    assert min(np.hypot(x - at.x(), y - at.y()) for x, y in changed) < 8
    assert view.landmark_at(view.to_view(ghost)) is None

    window.fusion_bar.flags["second"].click()
    assert not window.actions_by_name["second_marks"].isChecked()
    assert view.grab().toImage() == before["us_sagittal"]


def test_u_takes_the_second_position_of_the_chosen_landmark_and_undo_gives_it_back(window, qtbot):
    before = window.session.case
    window.view_state.select(Space.US, "apex")
    assert f"second network {FAR_APART_MM[Space.US] + 5:.1f} mm off" in window.landmarks.hint.text()
    qtbot.keyClick(window, KEY.Key_U)
    taken = window.session.case.us_landmarks
    assert taken["apex"] == before.us_second["apex"]
    assert taken["bladder_neck"] == before.us_landmarks["bladder_neck"]
    assert window.session.case.registration is not before.registration
    qtbot.keyClick(window, KEY.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert window.session.case is before


def test_shift_u_takes_all_second_positions_in_one_step(window, qtbot):
    before = window.session.case
    qtbot.keyClick(window, KEY.Key_U, Qt.KeyboardModifier.ShiftModifier)
    assert window.session.case.us_landmarks == before.us_second
    assert window.session.case.mr_landmarks == before.mr_second
    qtbot.keyClick(window, KEY.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert window.session.case is before
