"""Oblique slices: planes turned by the handles of the crosshair, by keys, and levelled again."""

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from vtkmodules.util.numpy_support import vtk_to_numpy

from fusioninit.geometry import Orientation, Space, rotation_matrix
from fusioninit.gui.slice_mouse import GESTURES

Key, LEFT = Qt.Key, Qt.MouseButton.LeftButton
PLAIN, SHIFT, ALT = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)
AXIAL, SAGITTAL, CORONAL = Orientation


@pytest.fixture
def window(make_window, case, qtbot):
    window = make_window(case)
    window.resize(1400, 900)
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    window.slices["us_axial"].setFocus()
    QTest.keyClick(window, Key.Key_O)
    return window


def planes(window, space=Space.US):
    triad = window.view_state.triad(space)
    return {each: triad.plane(each, np.zeros(3)) for each in Orientation}


def right_handle(view):
    """The handle of the level line, right of the crossing."""
    return max(view.crosshair.handles(view.frame()), key=lambda handle: handle.x())


def turned(view, handle, angle_deg):
    """Where the handle is after a turn about the crossing, clockwise on the screen."""
    center, angle = view.crosshair.center(view.frame()), np.radians(angle_deg)
    x, y = handle.x() - center.x(), handle.y() - center.y()
    return center + QPointF(
        x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle)
    )


def send(view, kind, at, modifier=PLAIN):
    button = Qt.MouseButton.NoButton if kind is QEvent.Type.MouseMove else LEFT
    held = Qt.MouseButton.NoButton if kind is QEvent.Type.MouseButtonRelease else LEFT
    event = QMouseEvent(kind, at, view.mapToGlobal(at), button, held, modifier)
    QApplication.sendEvent(view, event)


def hold_and_turn(view, angle_deg, modifier=PLAIN):
    handle = right_handle(view)
    send(view, QEvent.Type.MouseButtonPress, handle)
    for share in (0.4, 1.0):
        send(view, QEvent.Type.MouseMove, turned(view, handle, share * angle_deg), modifier)


def turn(view, angle_deg, modifier=PLAIN):
    hold_and_turn(view, angle_deg, modifier)
    send(view, QEvent.Type.MouseButtonRelease, right_handle(view), modifier)


@pytest.mark.parametrize("preset", GESTURES)
def test_a_handle_turns_the_other_two_planes_about_the_normal_of_its_own(window, preset):
    window.preferences.set_value("gestures", preset)
    view, before = window.slices["us_axial"], planes(window)
    crosshair = window.view_state.crosshair_mm(Space.US).copy()
    turn(view, 20)
    after, rotation = planes(window), rotation_matrix(np.radians(20) * before[AXIAL].normal)
    for other in (SAGITTAL, CORONAL):
        assert np.allclose(after[other].normal, rotation @ before[other].normal, atol=1e-3)
    assert np.array_equal(after[AXIAL].right, before[AXIAL].right)
    assert np.array_equal(window.view_state.crosshair_mm(Space.US), crosshair)
    assert window.view_state.triad(Space.MR).is_level


def test_the_pictures_of_the_turned_planes_change_about_a_crossing_that_stays(window):
    window.view_state.set_crosshair(Space.US, [9.0, -6.0, 11.0])
    names = ("us_axial", "us_sagittal", "us_coronal", "mr_axial")
    views = {name: window.slices[name] for name in names}
    centers = {name: view.crosshair.center(view.frame()) for name, view in views.items()}
    zooms = {name: view.mm_per_px() for name, view in views.items()}
    pictures = {name: view.grab().toImage() for name, view in views.items()}
    turn(views["us_axial"], -30)
    for name, view in views.items():
        center = view.crosshair.center(view.frame())
        assert (center.x(), center.y()) == pytest.approx(centers[name].toTuple(), abs=1e-6)
        assert view.mm_per_px() == zooms[name]
        assert (view.grab().toImage() == pictures[name]) is (name == "mr_axial")


def test_the_angle_is_said_while_turning_and_the_tilt_ever_after(window):
    view, sagittal = window.slices["us_axial"], window.slices["us_sagittal"]
    hold_and_turn(view, -12.3)
    assert view.crosshair.note == "−12.3°"
    send(view, QEvent.Type.MouseButtonRelease, right_handle(view))
    assert view.crosshair.note == ""
    assert sagittal.tilt_text() == "12° oblique"
    assert view.tilt_text() == ""


def test_shift_takes_the_line_through_steps_of_five_degrees(window):
    view = window.slices["us_axial"]
    turn(view, 7.9)
    turn(view, 4.4, SHIFT)
    line = window.view_state.triad(Space.US).line_on(AXIAL, CORONAL)
    assert np.degrees(np.arctan2(line[1], line[0])) == pytest.approx(10.0, abs=1e-6)


def test_escape_while_turning_puts_the_planes_back(window):
    view = window.slices["us_coronal"]
    turn(view, 10)
    before = window.view_state.triad(Space.US)
    hold_and_turn(view, 33)
    assert window.view_state.triad(Space.US) is not before
    QTest.keyClick(view, Key.Key_Escape)
    assert window.view_state.triad(Space.US) is before
    send(view, QEvent.Type.MouseMove, QPointF(30, 30))
    assert window.view_state.triad(Space.US) is before


def test_a_landmark_over_a_handle_is_dragged_and_no_plane_is_turned(window):
    view = window.slices["us_axial"]
    handle = right_handle(view)
    window.session.move_landmark(Space.US, "apex", view.to_world(handle))
    before = window.view_state.triad(Space.US)
    turn(view, 15)
    assert window.view_state.triad(Space.US) is before
    assert view.to_view(window.session.case.us_landmarks["apex"].position_mm).y() > handle.y() + 10


def test_where_handles_are_hidden_a_press_there_moves_the_crosshair(window):
    view = window.slices["us_axial"]
    handle = right_handle(view)
    QTest.keyClick(window, Key.Key_O)
    assert not window.fusion_bar.flags["turning"].isChecked()
    QTest.mouseClick(view, LEFT, PLAIN, handle.toPoint())
    center = view.crosshair.center(view.frame())
    assert (center.x(), center.y()) == pytest.approx(handle.toPoint().toTuple(), abs=0.01)


def test_the_cursor_tells_of_a_handle(window):
    view = window.slices["us_axial"]
    handle = right_handle(view)
    shapes = []
    for at in (handle, handle + QPointF(0, 30)):
        send(view, QEvent.Type.MouseMove, at)
        shapes.append(view.cursor().shape())
    assert shapes == [Qt.CursorShape.BitmapCursor, Qt.CursorShape.CrossCursor]


def test_alt_and_an_arrow_turn_by_a_degree_and_with_shift_by_five(window):
    QTest.keyClick(window, Key.Key_O)
    window.slices["us_sagittal"].setFocus()
    handle = window.windowHandle()
    for modifier in (ALT, ALT, ALT | SHIFT):
        QTest.keyClick(handle, Key.Key_Right, modifier)
    QTest.keyClick(handle, Key.Key_Left, ALT)
    assert window.view_state.triad(Space.US).tilt_deg(AXIAL) == pytest.approx(6.0)
    assert window.view_state.triad(Space.US).tilt_deg(SAGITTAL) == 0
    assert window.view_state.flag("turning")
    assert window.session.undo_stack.count() == 0


def level_by_key(window):
    QTest.keyClick(window, Key.Key_O, SHIFT)


def level_by_reset(window):
    QTest.keyClick(window, Key.Key_R)


def level_by_another_case(window):
    window.session.open_case(window.session.case)


@pytest.mark.parametrize("level", [level_by_key, level_by_reset, level_by_another_case])
def test_planes_are_levelled(window, level):
    assert not window.actions_by_name["level"].isEnabled()
    turn(window.slices["us_axial"], 20)
    turn(window.slices["us_sagittal"], -35)
    assert window.actions_by_name["level"].isEnabled()
    level(window)
    assert window.view_state.triad(Space.US).is_level
    assert not window.actions_by_name["level"].isEnabled()


def test_the_wheel_goes_along_the_normal_of_the_turned_plane(window):
    turn(window.slices["us_sagittal"], 25)
    view = window.slices["us_axial"]
    before = window.view_state.crosshair_mm(Space.US).copy()
    view.step_slices(2)
    way = window.view_state.crosshair_mm(Space.US) - before
    assert np.allclose(np.cross(way, view.plane().normal), 0, atol=1e-9)
    assert np.linalg.norm(way) > 1


def test_a_landmark_dragged_in_an_oblique_slice_stays_on_its_plane(window):
    turn(window.slices["us_sagittal"], 30)
    window.views.jump_to("apex")
    view = window.slices["us_axial"]
    start = view.to_view(window.session.case.us_landmarks["apex"].position_mm)
    send(view, QEvent.Type.MouseButtonPress, start)
    for step in (10, 25):
        send(view, QEvent.Type.MouseMove, start + QPointF(step, step))
    moved = window.session.case.us_landmarks["apex"].position_mm
    assert abs(view.plane().distance_mm(moved)) < 1e-9
    assert view.plane().normal[1] != 0


@pytest.mark.gl
def test_the_planes_in_3d_are_those_of_the_slices(scene):
    picture = scene.planes.pictures[AXIAL]
    scene.view_state.set_crosshair(Space.US, [3.0, -2.0, 8.0])
    triad = scene.view_state.triad(Space.US).turned(SAGITTAL, 0.4)
    scene.view_state.set_triad(Space.US, triad)
    scene.render_now()
    points = vtk_to_numpy(picture.actor.GetMapper().GetInput().GetPoints().GetData())
    plane = triad.plane(AXIAL, [3.0, -2.0, 8.0])
    assert np.abs(plane.distance_mm(points)).max() < 1e-3
    low, high = scene.session.case.us.grid.corners_mm()[[0, -1]]
    assert ((points > low - 1e-3) & (points < high + 1e-3)).all()
