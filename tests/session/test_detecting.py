import threading
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from fusioninit.errors import InputError
from fusioninit.geometry import Grid, Space
from fusioninit.imaging import Volume
from fusioninit.landmarks import REQUIRED_NAMES, LandmarkSet
from fusioninit.session import Detecting, InlineJob, LatestJob, Session
from fusioninit.state import Case


@dataclass
class Answer:
    landmarks: LandmarkSet
    gland: Volume | None = None
    second: LandmarkSet | None = None
    quality: dict = field(default_factory=dict)


def at_the_centre(volume, *, progress, cancelled):
    progress(0.5, "looking")
    if not np.any(volume.voxels):
        raise InputError("the volume is empty; open another")
    centre = volume.grid.center_mm
    found = LandmarkSet.from_positions(volume.space, {n: centre for n in REQUIRED_NAMES})
    second = LandmarkSet.from_positions(volume.space, {n: centre + 1 for n in REQUIRED_NAMES})
    return Answer(found, second=second)


def volume(space, value=1.0):
    return Volume(np.full((3, 4, 5), value, np.float32), Grid((3, 4, 5)), space)


@pytest.fixture
def session(qapp):
    session = Session()
    session.open_case(Case().with_volume(volume(Space.US)).with_volume(volume(Space.MR)))
    return session


@pytest.mark.parametrize("job_class", [InlineJob, LatestJob])
def test_answers_enter_as_undoable_edits_one_per_volume(session, qtbot, job_class):
    detecting = Detecting(session, at_the_centre, job_class())
    with qtbot.waitSignal(detecting.finished):
        detecting.start([Space.US, Space.MR])
    assert len(session.case.us_landmarks) == len(session.case.mr_landmarks) == 3
    assert session.undo_stack.count() == 2
    assert detecting.close()


def test_an_answer_for_a_volume_that_was_replaced_is_refused(session, qtbot):
    detecting = Detecting(session, at_the_centre, LatestJob())
    detecting.start([Space.US])
    session.open_volume(volume(Space.US))
    with qtbot.waitSignal(detecting.finished):
        pass
    assert len(session.case.us_landmarks) == 0
    assert detecting.close()


def test_one_volume_that_fails_does_not_stop_the_other(session, qtbot):
    session.open_volume(volume(Space.US, 0.0))
    detecting, sentences = Detecting(session, at_the_centre, InlineJob()), []
    detecting.failed.connect(sentences.append)
    detecting.start([Space.US, Space.MR])
    assert sentences == ["the volume is empty; open another"]
    assert len(session.case.us_landmarks) == 0
    assert len(session.case.mr_landmarks) == 3


def test_a_gland_that_is_found_is_prepared_on_the_predictors_thread(session, qtbot):
    gland, threads = volume(Space.US), []

    def with_gland(asked, *, progress, cancelled):
        answer = at_the_centre(asked, progress=progress, cancelled=cancelled)
        threads.append(threading.current_thread())
        return replace(answer, gland=gland if asked.space is Space.US else None)

    prepared = []
    detecting = Detecting(
        session,
        with_gland,
        LatestJob(),
        prepare=lambda found: prepared.append((found, threading.current_thread())),
    )
    with qtbot.waitSignal(detecting.finished):
        detecting.start([Space.US, Space.MR])
    assert prepared == [(gland, threads[0])]
    assert threads[0] is not threading.main_thread()
    assert session.case.us_gland is gland
    assert detecting.close()


def test_cancel_leaves_the_landmarks_as_they_were(session, qtbot):
    def slow(volume, *, progress, cancelled):
        while not cancelled():
            pass
        return at_the_centre(volume, progress=progress, cancelled=cancelled)

    detecting = Detecting(session, slow, LatestJob())
    detecting.start([Space.US, Space.MR])
    assert detecting.is_running
    with qtbot.waitSignal(detecting.finished):
        detecting.cancel()
    assert detecting.close()
    qtbot.wait(20)
    assert len(session.case.us_landmarks) == 0


def test_one_landmark_detected_again_leaves_the_others_as_they_are(session):
    detecting = Detecting(session, at_the_centre, InlineJob())
    for name in REQUIRED_NAMES:
        session.move_landmark(Space.US, name, [1.0, 1.0, 1.0])
    before = session.case
    detecting.start([Space.US], only="apex")
    after = session.case
    centre = after.us.grid.center_mm
    assert np.array_equal(after.us_landmarks["apex"].position_mm, centre)
    assert after.us_landmarks["bladder_neck"] == before.us_landmarks["bladder_neck"]
    assert list(after.us_predicted) == list(after.us_second) == ["apex"]
    assert session.undo_stack.undoText() == "Detect apex in US"
    session.undo()
    assert session.case.us_landmarks == before.us_landmarks


def test_a_locked_landmark_is_not_detected_again(session, qtbot):
    session.move_landmark(Space.US, "apex", [1.0, 1.0, 1.0])
    session.confirm_landmark(Space.US, "apex")
    with qtbot.waitSignal(session.refused) as refused:
        Detecting(session, at_the_centre, InlineJob()).start([Space.US], only="apex")
    assert "locked" in refused.args[0]
    assert np.array_equal(session.case.us_landmarks["apex"].position_mm, [1.0, 1.0, 1.0])
