"""The 3D view under Xvfb: landmarks dragged there, matrices moved, nothing left behind."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt

from fusioninit.geometry import Space

pytestmark = pytest.mark.gl
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def scene(make_window, case, qtbot):
    window = make_window(case)
    window.show()
    qtbot.waitExposed(window)
    qtbot.waitUntil(lambda: window.scene_place.scene is not None)
    scene = window.scene_place.scene
    qtbot.waitUntil(scene.isVisible)
    scene.window = window
    scene.render_now()
    return scene


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
