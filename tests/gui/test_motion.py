"""While pictures follow one another fast they are cut coarsely; at rest they are as before."""

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication

from fusioninit.geometry import Orientation, Space
from fusioninit.gui.motion import Motion
from fusioninit.gui.slice_mouse import SliceMouse
from fusioninit.gui.slice_view import SliceView
from fusioninit.gui.view_state import ViewState

NONE, LEFT = Qt.KeyboardModifier.NoModifier, Qt.MouseButton.LeftButton


@pytest.fixture
def state(qapp, session):
    state = ViewState()
    state.show_case(session.case)
    return state


@pytest.fixture
def make_view(qtbot, session, state):
    def make():
        view = SliceView(session, state, space=Space.US, orientation=Orientation.AXIAL)
        view.mouse = SliceMouse(view)
        view.resize(420, 400)
        qtbot.addWidget(view)
        view.show()
        qtbot.waitExposed(view)
        return view

    return make


def turn_wheel(view, steps):
    at = QPointF(200, 200)
    event = QWheelEvent(
        at, view.mapToGlobal(at), QPoint(), QPoint(0, 120 * steps),
        Qt.MouseButton.NoButton, NONE, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(view, event)


def send_mouse(view, kind, at):
    button = Qt.MouseButton.NoButton if kind is QEvent.Type.MouseMove else LEFT
    event = QMouseEvent(kind, at, view.mapToGlobal(at), button, LEFT, NONE)
    QApplication.sendEvent(view, event)


def picture(view):
    """What the view shows, within its border: that tells of the keyboard's focus."""
    return view.grab(view.rect().adjusted(2, 2, -2, -2)).toImage()


def test_one_step_alone_is_no_motion(qtbot):
    motion = Motion()
    motion.step()
    assert not motion.is_on


def test_steps_in_quick_succession_are_motion_until_they_rest(qtbot):
    motion = Motion()
    with qtbot.waitSignal(motion.settled):
        motion.step()
        motion.step()
        assert motion.is_on
    assert not motion.is_on


def test_a_single_turn_of_the_wheel_is_drawn_finely_at_once(make_view):
    view = make_view()
    turn_wheel(view, 1)
    assert picture(view) == picture(make_view())


def test_scrolling_fast_is_drawn_coarsely_and_at_rest_as_if_nothing_had_moved(
    qtbot, state, make_view
):
    view = make_view()
    with qtbot.waitSignal(state.motion.settled):
        for _ in range(5):
            turn_wheel(view, 1)
        moving = picture(view)
    at_rest = picture(view)
    assert moving != at_rest
    assert at_rest == picture(make_view())


def test_a_drag_is_drawn_coarsely_and_finely_once_the_hand_rests(qtbot, session, state, make_view):
    view = make_view()
    mark = session.case.us_landmarks["apex"]
    state.set_crosshair(Space.US, mark.position_mm)
    start = view.to_view(mark.position_mm)
    send_mouse(view, QEvent.Type.MouseButtonPress, start)
    with qtbot.waitSignal(state.motion.settled):
        for step in range(1, 8):
            send_mouse(view, QEvent.Type.MouseMove, start + QPointF(4 * step, 2 * step))
        moving = picture(view)
    assert session.is_dragging
    at_rest = picture(view)
    assert moving != at_rest
    assert at_rest == picture(make_view())
    send_mouse(view, QEvent.Type.MouseButtonRelease, start + QPointF(28, 14))
    assert not session.is_dragging
