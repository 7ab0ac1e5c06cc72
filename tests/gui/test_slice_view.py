"""Pairs of model and view: what the model says is drawn, what the hand does reaches the model."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication

from fusioninit.geometry import Orientation, Space
from fusioninit.gui.slice_mouse import SliceMouse
from fusioninit.gui.slice_view import SliceView
from fusioninit.gui.theme import SPACE_COLOUR
from fusioninit.gui.view_state import FusionMode, ViewState

LEFT, RIGHT, MIDDLE = (
    Qt.MouseButton.LeftButton,
    Qt.MouseButton.RightButton,
    Qt.MouseButton.MiddleButton,
)


@pytest.fixture
def state(qapp, session):
    state = ViewState()
    state.show_case(session.case)
    session.registration_changed.connect(lambda: state.link(session.case.us_from_mr))
    return state


@pytest.fixture
def make_view(qtbot, session, state):
    def make(space=Space.US, orientation=Orientation.SAGITTAL):
        view = SliceView(session, state, space=space, orientation=orientation)
        view.mouse = SliceMouse(view)
        view.resize(400, 400)
        qtbot.addWidget(view)
        view.show()
        qtbot.waitExposed(view)
        return view

    return make


def point(at: QPointF) -> QPoint:
    return QPoint(round(at.x()), round(at.y()))


def show_landmark(view, name):
    mark = view.session.case.landmarks(view.space)[name]
    view.view_state.set_crosshair(view.space, mark.position_mm)
    return mark


def drag(qtbot, view, start, end, *, button=LEFT, modifier=Qt.KeyboardModifier.NoModifier):
    press(qtbot, view, start, end, button=button, modifier=modifier)
    qtbot.mouseRelease(view, button, modifier, end)


def press(qtbot, view, start, end, *, button=LEFT, modifier=Qt.KeyboardModifier.NoModifier):
    qtbot.mousePress(view, button, modifier, start)
    for share in (0.3, 0.7, 1.0):
        place = start + (end - start) * share
        move(view, place, button, modifier)


def move(view, place, button, modifier=Qt.KeyboardModifier.NoModifier):
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QMouseEvent

    at = QPointF(place)
    event = QMouseEvent(
        QEvent.Type.MouseMove, at, view.mapToGlobal(at), Qt.MouseButton.NoButton, button, modifier
    )
    QApplication.sendEvent(view, event)


def turn_wheel(view, steps, modifier=Qt.KeyboardModifier.NoModifier, at=(200, 200)):
    event = QWheelEvent(
        QPointF(*at), view.mapToGlobal(QPointF(*at)), QPoint(), QPoint(0, 120 * steps),
        Qt.MouseButton.NoButton, modifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(view, event)


def colour_near(view, at, radius=9):
    image = view.grab().toImage()
    return {
        image.pixelColor(point(at).x() + dx, point(at).y() + dy).name()
        for dx in range(-radius, radius + 1)
        for dy in range(-radius, radius + 1)
    }


def test_view_and_world_coordinates_are_inverse(make_view):
    view = make_view(orientation=Orientation.AXIAL)
    at = QPointF(123.0, 77.0)
    back = view.to_view(view.to_world(at))
    assert (back.x(), back.y()) == pytest.approx((at.x(), at.y()))


def test_patient_right_is_on_the_left_of_the_screen_and_superior_is_up(make_view):
    view = make_view(orientation=Orientation.CORONAL)
    middle = view.view_state.crosshair_mm(Space.US)
    assert view.to_view(middle + np.array([20, 0, 0])).x() > view.to_view(middle).x()
    assert view.to_view(middle + np.array([0, 0, 20])).y() < view.to_view(middle).y()


def test_a_landmark_on_the_plane_is_drawn_in_its_spaces_colour(make_view):
    view = make_view()
    mark = show_landmark(view, "apex")
    assert SPACE_COLOUR[Space.US].name() in colour_near(view, view.to_view(mark.position_mm))


def test_dragging_a_landmark_moves_it_to_the_pointer_in_one_undo_step(qtbot, make_view):
    view = make_view()
    mark = show_landmark(view, "bladder_neck")
    start = point(view.to_view(mark.position_mm))
    before = view.session.case
    frame = view.frame()
    drag(qtbot, view, start, start + QPoint(30, -20))
    moved = view.session.case.us_landmarks["bladder_neck"].position_mm
    step = view.plane().right * 30 - view.plane().down * 20
    assert np.allclose(moved, mark.position_mm + step * frame.mm_per_px, atol=1e-6)
    assert view.session.undo_stack.count() == 1
    view.session.undo()
    assert view.session.case is before


def test_a_click_on_a_landmark_selects_it_and_moves_nothing(qtbot, make_view):
    view = make_view()
    mark = show_landmark(view, "apex")
    qtbot.mouseClick(view, LEFT, pos=point(view.to_view(mark.position_mm)))
    assert view.view_state.selection == (Space.US, "apex")
    assert view.session.undo_stack.count() == 0


def test_escape_during_a_drag_puts_the_landmark_back_and_leaves_no_undo_step(qtbot, make_view):
    view = make_view()
    mark = show_landmark(view, "apex")
    before = view.session.case
    start = point(view.to_view(mark.position_mm))
    press(qtbot, view, start, start + QPoint(25, 25))
    assert view.session.case is not before
    qtbot.keyClick(view, Qt.Key.Key_Escape)
    assert view.session.case.us_landmarks == before.us_landmarks
    assert not view.session.undo_stack.canUndo()
    qtbot.mouseRelease(view, LEFT, pos=start)
    assert view.session.case.us_landmarks == before.us_landmarks


def test_a_locked_landmark_stays_and_the_reason_is_given(qtbot, make_view):
    view = make_view()
    view.session.lock_landmark(Space.US, "apex", locked=True)
    mark = show_landmark(view, "apex")
    start = point(view.to_view(mark.position_mm))
    with qtbot.waitSignal(view.session.refused):
        drag(qtbot, view, start, start + QPoint(30, 0))
    assert np.array_equal(view.session.case.us_landmarks["apex"].position_mm, mark.position_mm)


def test_the_overlay_follows_a_dragged_landmark(qtbot, make_view):
    view = make_view()
    view.view_state.set_mode(FusionMode.MR)
    mark = show_landmark(view, "posterior_median")
    before = view.grab().toImage()
    start = point(view.to_view(mark.position_mm))
    press(qtbot, view, start, start + QPoint(40, 0))
    assert view.grab().toImage() != before


def mr_place(view, name):
    """Where the fused view shows a landmark of the MR, on the slice through it."""
    us_from_mr = view.session.case.us_from_mr
    position = us_from_mr.apply(view.session.case.mr_landmarks[name].position_mm)
    view.view_state.set_crosshair(Space.US, position)
    return point(view.to_view(position))


def test_a_landmark_of_the_mr_dragged_over_us_stays_under_the_pointer_on_its_anatomy(
    qtbot, make_view
):
    view = make_view()
    before = view.session.case
    start = mr_place(view, "apex")
    assert view.landmark_at(QPointF(start)) == (Space.MR, "apex")
    press(qtbot, view, start, start + QPoint(30, -12))
    under = view.to_view(view.place_mm(Space.MR, "apex"))
    assert (under.x(), under.y()) == pytest.approx((start + QPoint(30, -12)).toTuple(), abs=1.5)
    moved = view.session.case.mr_landmarks["apex"].position_mm
    was = before.mr_landmarks["apex"].position_mm
    step_px = np.linalg.norm(moved - was) / view.mm_per_px()
    assert step_px == pytest.approx(np.hypot(30, 12), abs=1.5)
    assert np.array_equal(view.session.case.us_landmarks["apex"].position_mm,
                          before.us_landmarks["apex"].position_mm)  # fmt: skip
    held = view.here_from_other()
    assert np.array_equal(held.matrix, before.us_from_mr.matrix)
    qtbot.mouseRelease(view, LEFT, pos=start + QPoint(30, -12))
    assert np.array_equal(view.here_from_other().matrix, view.session.case.us_from_mr.matrix)
    assert not np.array_equal(view.here_from_other().matrix, held.matrix)
    assert view.session.undo_stack.count() == 1
    view.session.undo()
    assert view.session.case is before


def test_escape_puts_a_landmark_of_the_mr_held_over_us_back(qtbot, make_view):
    view = make_view()
    before, start = view.session.case, mr_place(view, "posterior_median")
    press(qtbot, view, start, start + QPoint(25, 5))
    assert view.session.case is not before
    qtbot.keyClick(view, Qt.Key.Key_Escape)
    qtbot.mouseRelease(view, LEFT, pos=start)
    assert view.session.case is before
    assert view.here_from_other() is view.session.case.us_from_mr
    assert not view.session.undo_stack.canUndo()


def test_the_overlay_stands_still_while_a_landmark_of_the_mr_is_dragged_over_us(qtbot, make_view):
    view = make_view()
    view.view_state.set_mode(FusionMode.MR)
    for flag in ("crosshair", "names", "regions", "contours"):
        view.view_state.set_flag(flag, shown=False)
    start = mr_place(view, "apex")
    corner = QRect(20, 40, 90, 90)
    before = view.grab(corner).toImage()
    press(qtbot, view, start, start + QPoint(30, -30))
    assert view.grab(corner).toImage() == before
    qtbot.mouseRelease(view, LEFT, pos=start + QPoint(30, -30))
    assert view.grab(corner).toImage() != before


def test_arrow_keys_nudge_a_selected_landmark_of_the_mr_over_us(qtbot, make_view):
    view = make_view(orientation=Orientation.AXIAL)
    mr_place(view, "apex")
    view.view_state.select(Space.MR, "apex")
    before, us_from_mr = view.session.case.mr_landmarks["apex"].position_mm, view.here_from_other()
    qtbot.keyClick(view, Qt.Key.Key_Left)
    after = view.session.case.mr_landmarks["apex"].position_mm
    assert us_from_mr.apply(after) - us_from_mr.apply(before) == pytest.approx(
        [-0.5, 0, 0], abs=1e-9
    )


def test_a_landmark_far_from_the_plane_cannot_be_grabbed(make_view):
    view = make_view()
    mark = view.session.case.us_landmarks["apex"]
    view.view_state.set_crosshair(Space.US, mark.position_mm + 20 * view.plane().normal)
    assert view.landmark_at(view.to_view(mark.position_mm)) is None


def test_clicking_empty_image_moves_the_crosshair_of_both_spaces(qtbot, make_view):
    view = make_view(orientation=Orientation.AXIAL)
    qtbot.mouseClick(view, LEFT, pos=QPoint(60, 90))
    position = view.view_state.crosshair_mm(Space.US)
    at = view.to_view(position)
    assert (at.x(), at.y()) == pytest.approx((60, 90), abs=0.01)
    us_from_mr = view.session.case.us_from_mr
    assert np.allclose(us_from_mr.apply(view.view_state.crosshair_mm(Space.MR)), position)


def test_shift_and_move_links_the_crosshair_without_a_button(make_view):
    view = make_view()
    move(view, QPoint(222, 111), Qt.MouseButton.NoButton, Qt.KeyboardModifier.ShiftModifier)
    at = view.to_view(view.view_state.crosshair_mm(Space.US))
    assert (at.x(), at.y()) == pytest.approx((222, 111), abs=0.01)


def test_the_wheel_goes_through_the_slices_by_one_voxel_and_stops_at_the_end(make_view):
    view = make_view(orientation=Orientation.AXIAL)
    start = view.view_state.crosshair_mm(Space.US)[2]
    turn_wheel(view, 1)
    step = view.session.case.us.grid.spacing_mm[2]
    assert abs(view.view_state.crosshair_mm(Space.US)[2] - start) == pytest.approx(step)
    turn_wheel(view, 500)
    corners = view.session.case.us.grid.corners_mm()[:, 2]
    assert view.view_state.crosshair_mm(Space.US)[2] == pytest.approx(corners.max())


def test_small_turns_of_a_touchpad_add_up_to_a_slice(make_view):
    view = make_view()
    start = view.view_state.crosshair_mm(Space.US).copy()
    for _ in range(3):
        turn_wheel(view, 0.25)
    assert np.array_equal(view.view_state.crosshair_mm(Space.US), start)
    turn_wheel(view, 0.25)
    assert not np.array_equal(view.view_state.crosshair_mm(Space.US), start)


def test_zooming_keeps_the_point_under_the_pointer(make_view):
    view = make_view()
    at = QPointF(90, 310)
    before = view.to_world(at)
    turn_wheel(view, 3, Qt.KeyboardModifier.ControlModifier, at=(90, 310))
    assert view.view_state.zoom(Space.US) > 1.3
    assert np.allclose(view.to_world(at), before)


def test_panning_carries_the_image_with_the_pointer(qtbot, make_view):
    view = make_view()
    before = view.to_world(QPointF(200, 200))
    drag(qtbot, view, QPoint(200, 200), QPoint(240, 170), button=MIDDLE)
    assert np.allclose(view.to_world(QPointF(240, 170)), before)


def test_right_drag_changes_window_and_level_of_the_views_volume(qtbot, make_view):
    view = make_view(space=Space.MR)
    low, high = view.view_state.window(Space.MR)
    drag(qtbot, view, QPoint(200, 200), QPoint(260, 200), button=RIGHT)
    new_low, new_high = view.view_state.window(Space.MR)
    assert new_high - new_low > high - low
    assert new_high + new_low == pytest.approx(high + low)


def test_slicer_gestures_zoom_by_right_drag(qtbot, make_view):
    view = make_view()
    view.mouse.preset = "Slicer"
    window = view.view_state.window(Space.US)
    drag(qtbot, view, QPoint(200, 200), QPoint(200, 150), button=RIGHT)
    assert view.view_state.zoom(Space.US) > 1
    assert view.view_state.window(Space.US) == window


def test_arrow_keys_nudge_the_selected_landmark_by_half_a_millimetre(qtbot, make_view):
    view = make_view()
    view.view_state.select(Space.US, "apex")
    mark = show_landmark(view, "apex")
    qtbot.keyClick(view, Qt.Key.Key_Right)
    moved = view.session.case.us_landmarks["apex"].position_mm
    assert np.allclose(moved - mark.position_mm, 0.5 * view.plane().right)
    view.session.undo()
    assert np.array_equal(view.session.case.us_landmarks["apex"].position_mm, mark.position_mm)


def test_double_click_asks_for_the_whole_area(qtbot, make_view):
    view = make_view()
    with qtbot.waitSignal(view.maximise_requested):
        qtbot.mouseDClick(view, LEFT, pos=QPoint(20, 20))


@pytest.mark.parametrize("mode", list(FusionMode))
def test_every_mode_paints_and_says_what_it_shows(make_view, mode):
    view = make_view()
    view.view_state.set_mode(mode)
    image = view.grab().toImage()
    assert len({image.pixelColor(x, 200).name() for x in range(400)}) > 20
    alone = {FusionMode.US: Space.US, FusionMode.MR: Space.MR, FusionMode.FLICKER: Space.US}
    assert view.shown_alone() is alone.get(mode)


def test_an_empty_view_invites_to_open_a_volume(qtbot, qapp):
    from fusioninit.session import Session

    session = Session()
    view = SliceView(session, ViewState(), space=Space.MR, orientation=Orientation.AXIAL)
    qtbot.addWidget(view)
    view.resize(300, 300)
    assert not view.is_showing
    assert view.grab().toImage().pixelColor(5, 5).name() == "#000000"
