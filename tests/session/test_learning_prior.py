import pytest

from fusioninit.errors import InputError
from fusioninit.registration import Probe
from fusioninit.session import InlineJob, LatestJob, LearningPrior, Session
from fusioninit.state.pose_prior import PosePrior

SIDE_FIRE = PosePrior.for_probe(Probe.SIDE_FIRE)


def learn(folder):
    if folder.name == "empty":
        raise InputError("empty: 0 accepted registrations found; accept and export some first")
    return SIDE_FIRE


@pytest.mark.parametrize("job_class", [InlineJob, LatestJob])
def test_a_learned_prior_is_one_edit_and_solves_anew(qapp, qtbot, tmp_path, job_class):
    session = Session()
    learning = LearningPrior(session, learn, job_class())
    with qtbot.waitSignals([session.registration_changed, learning.learned, learning.finished]):
        learning.start(tmp_path)
    assert session.case.prior is SIDE_FIRE
    assert session.undo_stack.undoText() == "Prior: side-fire probe"
    session.undo()
    assert session.case.prior.name == "unknown probe"
    assert learning.close()


def test_a_folder_that_teaches_nothing_is_told_and_changes_nothing(qapp, qtbot, tmp_path):
    session = Session()
    learning = LearningPrior(session, learn, InlineJob())
    with qtbot.waitSignal(learning.failed) as failed:
        learning.start(tmp_path / "empty")
    assert "accept and export some first" in failed.args[0]
    assert not session.undo_stack.canUndo()
