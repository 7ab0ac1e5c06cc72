from dataclasses import replace

import numpy as np
import pytest
from shapes import POINTS_MR_MM, landmark_set, pair, transform

from fusioninit.geometry import Space
from fusioninit.landmarks import ALL_NAMES, MIRRORED, LandmarkSet
from fusioninit.registration import FitModel, Probe, RotationPrior, fit_landmarks
from fusioninit.registration.plausibility import anatomy_findings, anatomy_warnings

SIDE_FIRE = FitModel(RotationPrior.for_probe(Probe.SIDE_FIRE))


def codes(findings) -> set[str]:
    return {finding.code for finding in findings}


def mr_set(**changes) -> LandmarkSet:
    return landmark_set(Space.MR, {**POINTS_MR_MM, **changes})


def fit_codes(us, mr, estimator="svd", model=None) -> set[str]:
    extra = {} if model is None else {"model": model}
    return codes(fit_landmarks(fixed=us, moving=mr, estimator=estimator, **extra).findings)


def test_good_landmarks_raise_nothing():
    assert anatomy_findings(mr_set()) == ()
    for estimator in ("svd", "map", "auto"):
        assert fit_codes(*pair(transform(), names=ALL_NAMES, noise_mm=1), estimator) == set()


def test_usual_noise_seldom_raises_anything():
    raised = 0
    for seed in range(100):
        us, mr = pair(transform(), noise_mm=2.5, seed=seed)
        raised += bool(fit_codes(us, mr, "auto"))
    assert raised <= 8


def test_a_single_landmark_is_not_judged():
    assert anatomy_findings(LandmarkSet.from_positions(Space.US, {"apex": [0, 0, 0]})) == ()


@pytest.mark.parametrize(
    ("changes", "code", "landmark"),
    [
        ({"apex": [0, 0, 30]}, "upside-down", "apex"),
        ({"bladder_neck": [0, 0, -5]}, "gland-length", "bladder_neck"),
        ({"bladder_neck": [0, 0, 80]}, "gland-length", "bladder_neck"),
        ({"posterior_median": [0, -25, 0]}, "posterior-in-front", "posterior_median"),
        ({"left_lateral": [-30, 0, 0]}, "mirrored", "left_lateral"),
    ],
)
def test_what_contradicts_anatomy_is_found_with_its_culprit(changes, code, landmark):
    found = [finding for finding in anatomy_findings(mr_set(**changes)) if finding.code == code]
    assert [finding.landmark for finding in found] == [landmark]
    assert found[0].sentence.startswith("MR: ")
    assert found[0].next_step


def test_warnings_are_the_findings_as_sentences():
    (warning,) = anatomy_warnings(mr_set(posterior_median=[0, -25, 0]))
    assert warning == (
        "MR: the posterior median lies in front of the line from apex to bladder neck. "
        "Move it to the back of the gland, or check the image's orientation."
    )
    us, mr = pair(transform((0, 0, 0)))
    us = us.with_position("apex", np.add(us["apex"].position_mm, [0, 0, -14]))
    fit = fit_landmarks(fixed=us, moving=mr)
    assert fit.warnings == tuple(f"{f.sentence} {f.next_step}" for f in fit.findings)


def test_an_edge_of_other_length_names_the_landmark_that_moved():
    us, mr = pair(transform((0, 0, 0)))
    us = us.with_position("apex", np.add(us["apex"].position_mm, [0, 0, -14]))
    (found,) = [f for f in fit_landmarks(fixed=us, moving=mr).findings if f.code == "edge-length"]
    assert found.landmark == "apex"
    assert "Apex and bladder neck are 14 mm further apart in US" in found.sentence


@pytest.mark.parametrize(("stretch_mm", "expected"), [(9.9, False), (10.1, True)])
def test_an_edge_is_questioned_from_ten_millimetres(stretch_mm, expected):
    us, mr = pair(transform((0, 0, 0)))
    along = us["bladder_neck"].position_mm - us["apex"].position_mm
    along /= np.linalg.norm(along)
    us = us.with_position("apex", us["apex"].position_mm - stretch_mm * along)
    assert ("edge-length" in fit_codes(us, mr)) is expected


def test_nearly_collinear_points_are_named():
    mr = landmark_set(
        Space.MR,
        {"apex": [0, 0, -20], "bladder_neck": [0, 0, 20], "posterior_median": [0, 8, 0]},
    )
    us = landmark_set(Space.US, {name: mr[name].position_mm for name in mr})
    assert "collinear" in fit_codes(us, mr)


def test_left_and_right_exchanged_in_one_image_is_a_mirror():
    us, mr = pair(transform((0, 0, 0)), names=ALL_NAMES)
    there = us.positions_mm()
    for name, other in zip(ALL_NAMES, MIRRORED, strict=True):
        us = us.with_position(name, there[other])
    found = [f for f in fit_landmarks(fixed=us, moving=mr).findings if f.code == "mirrored"]
    assert len(found) == 2
    assert "US: the left lateral point lies on the patient's right." in str(found[0])
    assert "mirror images of each other" in str(found[1])


def test_apex_and_neck_exchanged_turn_the_gland_over():
    us, mr = pair(transform((0, 0, 0)))
    apex, neck = us["apex"].position_mm, us["bladder_neck"].position_mm
    us = us.with_position("apex", neck).with_position("bladder_neck", apex)
    assert {"upside-down", "far-off-pose"} <= fit_codes(us, mr)


def test_a_rotation_outside_the_prior_is_questioned():
    us, mr = pair(transform((0, 0, np.radians(50))))
    assert "unusual-rotation" in fit_codes(us, mr, "svd", SIDE_FIRE)
    assert "unusual-rotation" not in fit_codes(*pair(transform((0.3, 0, 0))), "svd", SIDE_FIRE)


def test_residuals_beyond_the_covariances_name_the_likely_culprit():
    us, mr = pair(transform(), names=ALL_NAMES, noise_mm=0.3, covariance_mm2=np.eye(3))
    us = us.with_landmark(_moved(us["posterior_median"], [0, 14, 0]))
    fit = fit_landmarks(fixed=us, moving=mr, estimator="map")
    found = [f for f in fit.findings if f.code == "residual-too-large"]
    assert [f.landmark for f in found] == ["posterior_median"]


def _moved(mark, by):
    return replace(mark, position_mm=mark.position_mm + by)
