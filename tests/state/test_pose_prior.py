import json

import numpy as np
import pytest

from fusioninit.errors import ReadError
from fusioninit.geometry import Grid, Space
from fusioninit.imaging.volume import Volume
from fusioninit.landmarks import LandmarkSet
from fusioninit.registration import CenterPrior, Probe, RotationPrior
from fusioninit.state import Case
from fusioninit.state.case_file import case_record, with_record
from fusioninit.state.pose_prior import PosePrior, prior_from_record, prior_to_record

LEARNED = PosePrior(
    RotationPrior.from_degrees(mean_deg=[20, 1, -2], sd_deg=[4, 3, 2], name="learned from 9 cases"),
    CenterPrior([4.0, -6.0, 8.0], np.eye(3)),
)
POINTS = {"apex": [0, 5, -20], "bladder_neck": [0, -6, 18], "posterior_median": [0, 17, 0]}


@pytest.mark.parametrize("prior", [PosePrior(), PosePrior.for_probe(Probe.SIDE_FIRE), LEARNED])
def test_a_prior_comes_back_from_its_record_as_it_was(prior):
    record = json.loads(json.dumps(prior_to_record(prior)))
    again = prior_from_record(record)
    assert prior_to_record(again) == record
    assert again.name == prior.name
    assert again.rotation.dof == prior.rotation.dof


@pytest.mark.parametrize("damage", [{"covariance_rad2": [1]}, {"place": 3}, {"dof": "x"}])
def test_a_damaged_record_is_refused(damage):
    with pytest.raises(ReadError, match="prior on the pose is damaged"):
        prior_from_record(prior_to_record(LEARNED) | damage)


def case_with(prior) -> Case:
    case = Case(estimator="map").with_prior(prior)
    case = case.with_volume(Volume(np.zeros((4, 5, 6), np.float32), Grid((4, 5, 6)), Space.US))
    for space in (Space.US, Space.MR):
        case = case.with_landmarks(LandmarkSet.from_positions(space, POINTS))
    return case


def test_what_is_assumed_moves_the_fit_and_is_named():
    plain, learned = case_with(PosePrior()), case_with(LEARNED)
    assert plain.us_from_mr.angle_deg < 1e-6
    assert 1 < learned.us_from_mr.angle_deg < 20
    assert "learned from 9 cases" in learned.registration.explanation
    middle = Grid((4, 5, 6)).center_mm
    mean_mm = np.mean(list(POINTS.values()), axis=0)
    before, after = (
        np.linalg.norm(case.us_from_mr.apply(mean_mm) - (middle + [4, -6, 8]))
        for case in (plain, learned)
    )
    assert after < before


def test_a_case_keeps_its_prior_and_an_older_one_has_that_of_an_unknown_probe():
    record = case_record(case_with(LEARNED))
    assert prior_to_record(with_record(Case(), record).prior) == prior_to_record(LEARNED)
    del record["prior"]
    older = with_record(Case(), record | {"version": 5})
    assert older.prior.name == "unknown probe"


def test_a_decision_does_not_outlive_another_prior():
    from fusioninit.state import Decision

    case = Case().with_decision(Decision(True))
    assert case.with_prior(LEARNED).decision is None
