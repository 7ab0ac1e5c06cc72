"""The 3D view under Xvfb: landmarks dragged there, matrices moved, nothing left behind."""

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication

from fusioninit.geometry import Space

pytestmark = pytest.mark.gl
LEFT = Qt.MouseButton.LeftButton


def place_of(scene, name, space=Space.US):
    return scene.drag.place_of(space, name).toPoint()


def test_a_landmark_is_dragged_in_3d_in_one_undo_step(scene, qtbot):
    widget, before = scene.stage.widget, scene.session.case
    start = place_of(scene, "apex")
    assert scene.drag.landmark_at(start.toPointF()) == (Space.US, "apex")
    qtbot.mousePress(widget, LEFT, pos=start)
    qtbot.mouseMove(widget, start + QPoint(10, 4))
    qtbot.mouseMove(widget, start + QPoint(30, 12))
    qtbot.mouseRelease(widget, LEFT, pos=start + QPoint(30, 12))
    scene.render_now()
    moved = place_of(scene, "apex") - start
    assert (moved.x(), moved.y()) == pytest.approx((30, 12), abs=2)
    assert scene.session.undo_stack.count() == 1
    scene.session.undo()
    assert scene.session.case is before


def test_escape_puts_a_landmark_held_in_3d_back(scene, qtbot):
    widget, before = scene.stage.widget, scene.session.case
    start = place_of(scene, "posterior_median")
    qtbot.mousePress(widget, LEFT, pos=start)
    qtbot.mouseMove(widget, start + QPoint(20, 20))
    assert scene.session.case is not before
    qtbot.keyClick(widget, Qt.Key.Key_Escape)
    qtbot.mouseRelease(widget, LEFT, pos=start)
    assert scene.session.case is before
    assert not scene.session.undo_stack.canUndo()


def test_beside_a_landmark_the_left_button_turns_the_camera(scene, qtbot):
    camera = scene.stage.renderer.GetActiveCamera()
    before, case = camera.GetPosition(), scene.session.case
    corner = QPoint(6, 6)
    assert scene.drag.landmark_at(corner.toPointF()) is None
    qtbot.mousePress(scene.stage.widget, LEFT, pos=corner)
    qtbot.mouseMove(scene.stage.widget, corner + QPoint(60, 40))
    qtbot.mouseRelease(scene.stage.widget, LEFT, pos=corner + QPoint(60, 40))
    assert camera.GetPosition() != before
    assert scene.session.case is case


def test_in_a_drag_the_mr_moves_by_its_matrix_alone(scene):
    gland = scene.glands.actor(Space.MR)
    surface = gland.GetMapper().GetInput()
    scene.session.move_landmark(Space.US, "apex", [6.0, 2, -18])
    scene.render_now()
    matrix = scene.session.case.us_from_mr.matrix
    shown = scene.glands.actor(Space.MR).GetUserMatrix()
    held = [[shown.GetElement(i, j) for j in range(4)] for i in range(4)]
    assert np.allclose(held, matrix)
    assert scene.glands.actor(Space.MR) is gland
    assert gland.GetMapper().GetInput() is surface


def test_without_a_transform_nothing_of_the_mr_is_shown(scene):
    scene.session.delete_landmark(Space.US, "apex")
    scene.render_now()
    assert not any(actor.GetVisibility() for actor in scene.marks.actors(Space.MR).values())
    assert not scene.glands.actor(Space.MR).GetVisibility()
    scene.session.undo()
    scene.render_now()
    assert all(actor.GetVisibility() for actor in scene.marks.actors(Space.MR).values())


def hold(scene, qtbot, space, name, step):
    """Press on a landmark and pull it by `step`; the place of the press."""
    start = place_of(scene, name, space)
    qtbot.mousePress(scene.stage.widget, LEFT, pos=start)
    for share in (0.4, 1.0):
        qtbot.mouseMove(scene.stage.widget, start + step * share)
    scene.render_now()
    return start


def shown_matrix(scene):
    matrix = scene.stage.us_from_mr
    return [[matrix.GetElement(i, j) for j in range(4)] for i in range(4)]


def test_a_landmark_of_the_mr_dragged_in_3d_stays_under_the_pointer(scene, qtbot):
    before, step = scene.session.case, QPoint(26, -14)
    start = hold(scene, qtbot, Space.MR, "bladder_neck", step)
    assert scene.view_state.selection == (Space.MR, "bladder_neck")
    moved = place_of(scene, "bladder_neck", Space.MR) - start
    assert (moved.x(), moved.y()) == pytest.approx(step.toTuple(), abs=2)
    assert scene.session.case.us_landmarks is before.us_landmarks
    assert np.allclose(shown_matrix(scene), before.us_from_mr.matrix)
    qtbot.mouseRelease(scene.stage.widget, LEFT, pos=start + step)
    scene.render_now()
    assert np.allclose(shown_matrix(scene), scene.session.case.us_from_mr.matrix)
    assert not np.allclose(shown_matrix(scene), before.us_from_mr.matrix)
    assert scene.session.undo_stack.count() == 1
    scene.session.undo()
    assert scene.session.case is before


def test_escape_puts_a_landmark_of_the_mr_held_in_3d_back(scene, qtbot):
    before = scene.session.case
    start = hold(scene, qtbot, Space.MR, "apex", QPoint(20, 20))
    assert scene.session.case is not before
    qtbot.keyClick(scene.stage.widget, Qt.Key.Key_Escape)
    qtbot.mouseRelease(scene.stage.widget, LEFT, pos=start)
    assert scene.session.case is before
    assert scene.view_state.shown_us_from_mr(None) is None
    assert not scene.session.undo_stack.canUndo()


def test_a_click_beside_a_landmarks_middle_selects_it_and_moves_nothing(scene, qtbot):
    before, at = scene.session.case, place_of(scene, "apex") + QPoint(4, 3)
    qtbot.mousePress(scene.stage.widget, LEFT, pos=at)
    qtbot.mouseMove(scene.stage.widget, at + QPoint(1, 1))
    qtbot.mouseRelease(scene.stage.widget, LEFT, pos=at + QPoint(1, 1))
    assert scene.session.case is before
    assert scene.view_state.selection is not None
    assert scene.view_state.selection[1] == "apex"


def test_a_landmark_taken_beside_its_middle_does_not_jump(scene, qtbot):
    at, step = place_of(scene, "bladder_neck") - QPoint(0, 5), QPoint(20, 0)
    space, name = scene.drag.landmark_at(at.toPointF())
    start = place_of(scene, name, space)
    assert start != at
    qtbot.mousePress(scene.stage.widget, LEFT, pos=at)
    qtbot.mouseMove(scene.stage.widget, at + step)
    moved = place_of(scene, name, space) - start
    assert (moved.x(), moved.y()) == pytest.approx(step.toTuple(), abs=2)
    qtbot.mouseRelease(scene.stage.widget, LEFT, pos=at + step)


def test_dragging_a_landmark_of_us_moves_the_mr_at_once(scene, qtbot):
    before = shown_matrix(scene)
    start = hold(scene, qtbot, Space.US, "bladder_neck", QPoint(24, 10))
    assert not np.allclose(shown_matrix(scene), before)
    qtbot.mouseRelease(scene.stage.widget, LEFT, pos=start)


def test_the_pointer_over_a_landmark_says_that_it_can_be_taken(scene):
    widget, shapes = scene.stage.widget, Qt.CursorShape
    for at, shape in (
        (QPoint(5, 5), shapes.ArrowCursor),
        (place_of(scene, "apex"), shapes.OpenHandCursor),
        (QPoint(5, 5), shapes.ArrowCursor),
    ):
        none = Qt.MouseButton.NoButton, Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
        place = at.toPointF()
        moved = QMouseEvent(QEvent.Type.MouseMove, place, widget.mapToGlobal(place), *none)
        QApplication.sendEvent(widget, moved)
        assert widget.cursor().shape() == shape


def test_the_selected_landmark_is_drawn_larger(scene):
    scene.view_state.select(Space.MR, "apex")
    scene.render_now()
    marks = scene.marks.actors(Space.MR)
    assert marks["apex"].GetScale()[0] > marks["bladder_neck"].GetScale()[0]


def test_painting_the_3d_view_waits_for_a_turn_of_its_own(scene, qtbot):
    drawn = []
    observer = scene.stage.window.AddObserver("EndEvent", lambda *_: drawn.append(1))
    scene.stage.widget.repaint()
    assert drawn == []
    qtbot.waitUntil(lambda: drawn == [1])
    scene.stage.window.RemoveObserver(observer)


def test_a_window_closed_before_its_3d_view_stands_makes_none(make_window, qtbot):
    window = make_window()
    window.show()
    window.close()
    qtbot.wait(100)
    assert window.scene_place.scene is None


def test_a_window_closed_while_its_3d_view_is_being_made_asks_for_no_more(make_window, qtbot):
    window = make_window()
    window.show()
    place = window.scene_place
    qtbot.waitUntil(lambda: place._made is not None)
    assert place.scene is None
    window.close()
    qtbot.wait(100)  # a step on what has gone would fail here
    assert place.scene is None
