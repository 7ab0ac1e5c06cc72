import numpy as np
import pytest

from fusioninit.errors import ReadError
from fusioninit.geometry import Grid, Space
from fusioninit.imaging import Volume
from fusioninit.session import InlineJob, LatestJob, ReadingTargets, Session
from fusioninit.state import Case, Target


def volume(space):
    return Volume(np.ones((3, 4, 5), np.float32), Grid((3, 4, 5)), space)


def two_targets(path):
    if path.suffix == ".txt":
        raise ReadError(f"{path.name} holds no points; save the targets as a Slicer point list")
    return Target("Lesion", np.array([1.0, 2, 3])), Target("Target 1", np.zeros(3), 4.0)


@pytest.fixture
def session(qapp):
    session = Session()
    session.open_case(Case().with_volume(volume(Space.US)).with_volume(volume(Space.MR)))
    return session


@pytest.mark.parametrize("job_class", [InlineJob, LatestJob])
def test_targets_of_a_file_are_added_in_one_undo_step(session, qtbot, tmp_path, job_class):
    reading = ReadingTargets(session, two_targets, job_class())
    with qtbot.waitSignal(reading.finished):
        reading.start(tmp_path / "lesions.mrk.json")
    assert [target.name for target in session.case.targets] == ["Lesion", "Target 1"]
    session.undo()
    assert session.case.targets == ()
    assert reading.close()


def test_a_name_that_is_taken_gets_a_number(session, tmp_path):
    session.set_targets((Target("Lesion", np.ones(3)),))
    ReadingTargets(session, two_targets, InlineJob()).start(tmp_path / "a.stl")
    ReadingTargets(session, two_targets, InlineJob()).start(tmp_path / "b.stl")
    names = [target.name for target in session.case.targets]
    expected = ["Lesion", "Lesion (2)", "Target 1", "Lesion (3)", "Target 1 (2)"]
    assert names == expected
    assert session.case.targets[2].radius_mm == 4.0


def test_a_file_without_targets_is_told_and_changes_nothing(session, tmp_path, qtbot):
    reading = ReadingTargets(session, two_targets, InlineJob())
    with qtbot.waitSignal(reading.failed) as failed:
        reading.start(tmp_path / "notes.txt")
    assert "holds no points" in failed.args[0]
    assert session.case.targets == ()
    assert not session.undo_stack.canUndo()


def test_without_an_mr_there_is_nowhere_to_put_targets(qapp, tmp_path, qtbot):
    session = Session(Case().with_volume(volume(Space.US)))
    reading = ReadingTargets(session, two_targets, InlineJob())
    with qtbot.waitSignal(reading.failed) as failed:
        reading.start(tmp_path / "a.stl")
    assert "open the MR first" in failed.args[0]


def test_targets_of_an_mr_that_was_replaced_meanwhile_are_refused(session, tmp_path, qtbot):
    reading = ReadingTargets(session, two_targets, LatestJob())
    reading.start(tmp_path / "a.stl")
    session.open_volume(volume(Space.MR))
    qtbot.waitUntil(lambda: not reading.is_running)
    assert session.case.targets == ()
    assert reading.close()
