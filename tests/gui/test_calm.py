import pytest

from fusioninit.geometry import Space
from fusioninit.gui.calm import Calm
from fusioninit.session import Session


@pytest.fixture
def heard(session):
    calls = []
    calm = Calm(session, lambda: calls.append(session.case), session)
    session.landmarks_changed.connect(calm.follow)
    return calls


def drag(session, gesture, steps):
    for step in range(steps):
        session.move_landmark(Space.US, "apex", [0, step, 0], gesture=gesture)


def test_an_edit_is_shown_at_once(session, heard):
    session.move_landmark(Space.US, "apex", [1, 2, 3])
    assert heard == [session.case]


def test_moves_of_a_drag_are_shown_together_a_little_later(qtbot, session, heard):
    drag(session, session.new_gesture(), 5)
    assert session.is_dragging
    assert heard == []
    qtbot.waitUntil(lambda: len(heard) == 1)
    assert heard == [session.case]


@pytest.mark.parametrize("end", [Session.end_gesture, Session.cancel_gesture])
def test_the_end_of_a_drag_is_shown_at_once(session, heard, end):
    gesture = session.new_gesture()
    drag(session, gesture, 3)
    end(session, gesture)
    assert not session.is_dragging
    assert heard == [session.case]


def test_an_edit_after_a_drag_that_was_never_ended_is_shown_at_once(session, heard):
    drag(session, session.new_gesture(), 2)
    session.delete_landmark(Space.US, "apex")
    assert not session.is_dragging
    assert heard == [session.case]
