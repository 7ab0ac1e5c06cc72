from types import SimpleNamespace

import numpy as np
import pytest

from fusioninit.geometry import Space
from fusioninit.landmarks import REQUIRED_NAMES, LandmarkSet, Source
from fusioninit.session import Session
from fusioninit.state import Case, Core, Decision, Journal, read_journal, systematic_template

POINTS = {"apex": [1.0, 2, -20], "bladder_neck": [0.0, -8, 18], "posterior_median": [2.0, 20, 0]}


@pytest.fixture
def session(qapp) -> Session:
    case = Case()
    for space in Space.US, Space.MR:
        case = case.with_landmarks(LandmarkSet.from_positions(space, POINTS))
    session = Session()
    session.open_case(case)
    return session


def drag(session: Session, *positions) -> int:
    gesture = session.new_gesture()
    for position in positions:
        session.move_landmark(Space.US, "apex", position, gesture=gesture)
    return gesture


def test_dragging_a_landmark_is_one_undo_step(session):
    before = session.case
    session.end_gesture(drag(session, [1, 1, 1], [2, 2, 2], [3, 3, 3]))
    assert session.undo_stack.count() == 1
    np.testing.assert_array_equal(session.case.us_landmarks["apex"].position_mm, [3, 3, 3])
    session.undo()
    assert session.case is before


def test_undo_restores_the_fit_before_the_drag(session):
    before = session.case.registration
    session.end_gesture(drag(session, [8, 2, -22]))
    assert session.case.registration is not before
    session.undo()
    assert session.case.registration is before


def test_two_drags_are_two_steps(session):
    session.end_gesture(drag(session, [1, 1, 1]))
    session.end_gesture(drag(session, [2, 2, 2]))
    assert session.undo_stack.count() == 2


def test_cancelling_a_drag_leaves_no_trace(session):
    before = session.case
    session.cancel_gesture(drag(session, [1, 1, 1], [2, 2, 2]))
    assert session.case is before
    assert session.undo_stack.count() == 0
    assert not session.undo_stack.canRedo()


def test_a_locked_landmark_refuses_and_says_so(session, qtbot):
    session.confirm_landmark(Space.US, "apex")
    before = session.case
    with qtbot.waitSignal(session.refused) as refusal:
        session.move_landmark(Space.US, "apex", [9, 9, 9])
    assert refusal.args == ["Apex in US is locked; unlock it to move it"]
    assert session.case is before


def test_confirming_marks_and_locks(session):
    session.confirm_landmark(Space.MR, "bladder_neck")
    mark = session.case.mr_landmarks["bladder_neck"]
    assert mark.source is Source.CONFIRMED
    assert mark.locked


def test_only_the_space_that_changed_is_announced(session):
    heard = []
    session.landmarks_changed.connect(heard.append)
    session.move_landmark(Space.MR, "apex", [1, 1, 1])
    assert heard == [Space.MR]


def test_an_accepted_detection_can_be_undone_and_reverted_to(session):
    class Answer:
        landmarks = LandmarkSet.from_positions(
            Space.US, {name: [5, 5, 5] for name in REQUIRED_NAMES}, source=Source.PREDICTED
        )
        gland = None
        second = None
        quality = None

    before = session.case
    session.accept_detection(Answer())
    session.move_landmark(Space.US, "apex", [0, 0, 0])
    session.revert_landmark(Space.US, "apex")
    np.testing.assert_array_equal(session.case.us_landmarks["apex"].position_mm, [5, 5, 5])
    for _ in range(3):
        session.undo()
    assert session.case is before


def with_two_answers(session):
    """Both images detected by two networks: the first at 5, the second at 6."""
    case = session.case
    for space in (Space.US, Space.MR):
        first, second = (
            LandmarkSet.from_positions(
                space, {name: [at] * 3 for name in REQUIRED_NAMES}, source=Source.PREDICTED
            )
            for at in (5, 6)
        )
        case = case.with_prediction(first, second=second)
    session.open_case(case)


def test_the_second_networks_position_is_taken_for_one_landmark_and_undone(session):
    with_two_answers(session)
    before = session.case
    session.use_second(Space.US, "apex")
    np.testing.assert_array_equal(session.case.us_landmarks["apex"].position_mm, [6, 6, 6])
    assert session.case.us_landmarks["apex"].source is Source.PREDICTED
    assert session.case.us_landmarks.without("apex") == before.us_landmarks.without("apex")
    assert session.case.disagreement(Space.US) == before.disagreement(Space.US)
    assert session.undo_stack.undoText() == "Second network's apex in US"
    session.revert_landmark(Space.US, "apex")
    assert session.case.us_landmarks == before.us_landmarks
    session.undo()
    session.undo()
    assert session.case is before


def test_the_second_networks_positions_are_taken_for_all_but_the_locked_in_one_step(session):
    with_two_answers(session)
    session.confirm_landmark(Space.MR, "apex")
    before = session.case
    session.use_second_for_all()
    moved = {
        (space, name): session.case.landmarks(space)[name].position_mm[0]
        for space in (Space.US, Space.MR)
        for name in REQUIRED_NAMES
    }
    assert moved.pop((Space.MR, "apex")) == 5
    assert set(moved.values()) == {6}
    session.undo()
    assert session.case is before


def test_a_locked_landmark_and_a_missing_second_answer_are_refused(session):
    refused = []
    session.refused.connect(refused.append)
    session.use_second(Space.US, "apex")
    session.use_second_for_all()
    with_two_answers(session)
    session.lock_landmark(Space.US, "apex", locked=True)
    count = session.undo_stack.count()
    session.use_second(Space.US, "apex")
    assert session.undo_stack.count() == count
    assert refused == [
        "No second network placed the apex in US; run detection",
        "No second network placed a landmark that could move; run detection",
        "Apex in US is locked; unlock it to move it",
    ]


def test_a_locked_landmark_is_neither_reverted_nor_deleted(session):
    refused = []
    with_two_answers(session)
    session.move_landmark(Space.US, "apex", [1, 2, 3])
    session.confirm_landmark(Space.US, "apex")
    before = session.case
    session.refused.connect(refused.append)
    session.revert_landmark(Space.US, "apex")
    session.delete_landmark(Space.US, "apex")
    assert session.case is before
    assert refused == [
        "Apex in US is locked; unlock it to move it",
        "Apex in US is locked; unlock it to delete it",
    ]
    session.lock_landmark(Space.US, "apex", locked=False)
    session.revert_landmark(Space.US, "apex")
    np.testing.assert_array_equal(session.case.us_landmarks["apex"].position_mm, [5, 5, 5])


def test_the_journal_holds_every_edit_and_one_line_per_drag(session, tmp_path):
    path = tmp_path / "journal.jsonl"
    session.record_to(Journal(path))
    session.end_gesture(drag(session, [1, 1, 1], [2, 2, 2]))
    session.set_estimator("translation")
    session.undo()
    session.decide(Decision(accepted=True, initials="AB"))
    actions = [entry.action for entry in read_journal(path)]
    assert actions == [
        "journal begins",
        "Move apex in US",
        "Estimator translation",
        "Undo Estimator translation",
        "Accept",
    ]
    last = read_journal(path)[-1].state
    assert last["decision"] == {"accepted": True, "reason": "", "initials": "AB"}


def test_a_full_disk_is_said_and_the_edit_stands(session, tmp_path, monkeypatch, qtbot):
    journal = Journal(tmp_path / "journal.jsonl")
    session.record_to(journal)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(journal, "append", full)
    with qtbot.waitSignal(session.refused) as refusal:
        session.move_landmark(Space.US, "apex", [1, 1, 1])
    assert "No space left on device" in refusal.args[0]
    np.testing.assert_array_equal(session.case.us_landmarks["apex"].position_mm, [1, 1, 1])


def core(name: str) -> Core:
    return Core(name, np.zeros(3), np.array([0.0, -17, 0]))


def test_cores_are_edited_undone_and_journaled_like_targets(session, tmp_path, qtbot):
    path = tmp_path / "journal.jsonl"
    session.record_to(Journal(path))
    before, heard = session.case, []
    session.cores_changed.connect(lambda: heard.append(len(session.case.cores)))
    session.set_cores(systematic_template(session.case.us_landmarks), action="Systematic cores")
    session.add_core(core("extra"))
    session.move_core("extra", tip_us_mm=[1, -16, 0])
    session.remove_core("Left mid medial")
    assert heard == [12, 13, 13, 12]
    np.testing.assert_array_equal(session.case.cores[-1].tip_us_mm, [1, -16, 0])
    last = read_journal(path)[-1].state
    assert last["cores"][-1]["tip_us_lps_mm"] == [1, -16, 0]
    for _ in range(4):
        session.undo()
    assert session.case is before
    assert [e.action for e in read_journal(path)][1:5] == [
        "Systematic cores",
        "Add core extra",
        "Move core extra",
        "Remove core Left mid medial",
    ]


def test_dragging_a_core_is_one_undo_step_and_can_be_cancelled(session):
    session.set_cores((core("a"), core("b")))
    planned = session.case
    for end in (session.cancel_gesture, session.end_gesture):
        gesture = session.new_gesture()
        for x in (1, 2, 3):
            session.move_core("b", entry_us_mm=[x, 0, 0], gesture=gesture)
        end(gesture)
        if end == session.cancel_gesture:
            assert session.case is planned
    np.testing.assert_array_equal(session.case.cores[1].entry_us_mm, [3, 0, 0])
    assert session.case.cores[0] is planned.cores[0]
    session.undo()
    assert session.case is planned


def test_an_impossible_core_is_refused_and_said(session, qtbot):
    session.set_cores((core("a"),))
    planned = session.case
    with qtbot.waitSignal(session.refused) as refusal:
        session.add_core(core("a"))
    assert refusal.args == ["two cores are called a; give each its own name"]
    with qtbot.waitSignal(session.refused) as refusal:
        session.move_core("a", tip_us_mm=[0, 0, 0])
    assert refusal.args == ["core a: entry and tip must lie apart"]
    assert session.case is planned


def test_only_what_a_person_has_edited_and_not_saved_is_unsaved_work(session, tmp_path):
    assert not session.has_unsaved_work
    found = SimpleNamespace(landmarks=session.case.us_landmarks, gland=None, second=None)
    session.accept_detection(found)
    assert not session.has_unsaved_work
    session.move_landmark(Space.US, "apex", [1.0, 2.0, -20.0])
    assert session.has_unsaved_work
    session.undo_stack.setClean()
    assert not session.has_unsaved_work
    session.undo()
    session.undo()
    session.set_estimator("translation")
    assert session.has_unsaved_work
