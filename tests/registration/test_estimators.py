from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from shapes import POINTS_MR_MM, landmark_set, pair, transform

from fusioninit.geometry import RigidTransform, Space, rotation_matrix
from fusioninit.landmarks import ALL_NAMES, REQUIRED_NAMES, LandmarkSet
from fusioninit.registration import (
    ESTIMATORS,
    DeformationModel,
    FitModel,
    LandmarkFit,
    Probe,
    RotationPrior,
    Unsolved,
    fit_landmarks,
)
from fusioninit.registration.arun import arun_rigid

FREE = FitModel(RotationPrior.flat(), DeformationModel.rigid())
TURNING = tuple(name for name in ESTIMATORS if name != "translation")
angles = st.tuples(*[st.floats(-1.2, 1.2)] * 3)
shifts = st.tuples(*[st.floats(-150, 150)] * 3)
estimators = st.sampled_from(TURNING)


def solve(us, mr, estimator, model=FREE) -> LandmarkFit:
    fit = fit_landmarks(fixed=us, moving=mr, estimator=estimator, model=model)
    assert isinstance(fit, LandmarkFit), fit
    return fit


def turned(landmarks: LandmarkSet, frame: RigidTransform) -> LandmarkSet:
    """The same landmarks in another coordinate frame, covariances turned along."""
    return LandmarkSet(
        landmarks.space,
        tuple(
            replace(
                mark,
                position_mm=frame.apply(mark.position_mm),
                covariance_mm2=frame.rotation @ mark.covariance_mm2 @ frame.rotation.T,
            )
            for mark in landmarks.landmarks
        ),
    )


def slanted_covariance(seed: int) -> np.ndarray:
    root = np.random.default_rng(seed).normal(size=(3, 3))
    return root @ root.T + np.eye(3)


@settings(deadline=None, max_examples=40)
@given(angles, shifts, estimators, st.sampled_from([3, 5]))
def test_without_noise_the_transform_is_recovered_exactly(angle, shift, estimator, count):
    truth = transform(angle, shift)
    fit = solve(*pair(truth, names=ALL_NAMES[:count]), estimator)
    np.testing.assert_allclose(fit.us_from_mr.matrix, truth.matrix, atol=1e-5)
    assert max(fit.residuals_mm.values()) < 1e-4


@settings(deadline=None, max_examples=40)
@given(angles, estimators, st.integers(0, 1000))
def test_the_result_is_a_proper_rotation_to_machine_precision(angle, estimator, seed):
    us, mr = pair(transform(angle), noise_mm=5, seed=seed)
    fit = fit_landmarks(fixed=us, moving=mr, estimator=estimator)
    assume(isinstance(fit, LandmarkFit))
    rotation = fit.transform.rotation
    assert np.abs(rotation @ rotation.T - np.eye(3)).max() < 1e-12
    assert np.linalg.det(rotation) == pytest.approx(1, abs=1e-12)


@settings(deadline=None, max_examples=30)
@given(angles, shifts, estimators, st.integers(0, 1000))
def test_the_result_does_not_depend_on_the_frames(angle, shift, estimator, seed):
    us, mr = pair(transform(), noise_mm=3, seed=seed, covariance_mm2=slanted_covariance(seed))
    frame = RigidTransform.from_parts(
        Space.US, Space.US, rotation=rotation_matrix(angle), translation_mm=shift
    )
    other = RigidTransform.from_parts(
        Space.MR, Space.MR, rotation=rotation_matrix(angle[::-1]), translation_mm=shift[::-1]
    )
    # Gauss-Newton keeps second-order terms out, so frames agree to its tolerance only
    plain = frame @ solve(us, mr, estimator).us_from_mr @ other.inverse()
    moved = solve(turned(us, frame), turned(mr, other), estimator).us_from_mr
    points = other.apply(list(POINTS_MR_MM.values()))
    np.testing.assert_allclose(moved.apply(points), plain.apply(points), atol=2e-3)


@settings(deadline=None, max_examples=20)
@given(shifts, st.sampled_from(ESTIMATORS), st.integers(0, 1000))
def test_with_the_default_prior_the_result_still_does_not_depend_on_the_origins(
    shift, estimator, seed
):
    us, mr = pair(transform(), noise_mm=3, seed=seed)
    moved = LandmarkSet.from_positions(
        Space.US, {name: us[name].position_mm + shift for name in us}
    )
    first, second = (solve(s, mr, estimator, FitModel()).us_from_mr for s in (us, moved))
    np.testing.assert_allclose(second.rotation, first.rotation, atol=1e-5)
    np.testing.assert_allclose(second.translation_mm, first.translation_mm + shift, atol=1e-3)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_the_order_in_which_landmarks_were_placed_does_not_matter(estimator):
    us, mr = pair(transform(), names=ALL_NAMES, noise_mm=3)
    backwards = LandmarkSet(Space.US, us.landmarks[::-1])
    first, second = solve(us, mr, estimator), solve(backwards, mr, estimator)
    np.testing.assert_array_equal(first.us_from_mr.matrix, second.us_from_mr.matrix)


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(["map", "anisotropic", "weighted", "robust"]), st.integers(0, 1000))
def test_equal_round_uncertainty_and_no_prior_give_the_svd_solution(estimator, seed):
    us, mr = pair(transform(), noise_mm=3, seed=seed, covariance_mm2=np.eye(3) * 4)
    svd, other = solve(us, mr, "svd").us_from_mr, solve(us, mr, estimator).us_from_mr
    np.testing.assert_allclose(other.matrix, svd.matrix, atol=1e-3)


def test_svd_uses_the_papers_three_points_and_others_use_all():
    us, mr = pair(transform(), names=ALL_NAMES, noise_mm=3)
    expected = arun_rigid(us.positions_mm(REQUIRED_NAMES), mr.positions_mm(REQUIRED_NAMES))
    fit = solve(us, mr, "svd")
    np.testing.assert_allclose(fit.us_from_mr.rotation, expected[0], atol=1e-12)
    assert fit.names == REQUIRED_NAMES
    assert solve(us, mr, "map").names == ALL_NAMES


def test_points_that_prefer_a_reflection_still_give_a_rotation():
    mr = {name: np.array(POINTS_MR_MM[name]) for name in ALL_NAMES}
    us = {name: point * [-1, 1, 1] for name, point in mr.items()}
    for estimator in TURNING:
        fit = solve(landmark_set(Space.US, us), landmark_set(Space.MR, mr), estimator)
        assert np.linalg.det(fit.transform.rotation) == pytest.approx(1)
        assert "mirrored" in {finding.code for finding in fit.findings}


def test_arun_solves_a_batch_as_it_solves_one_by_one():
    rng = np.random.default_rng(1)
    fixed, moving, weights = (
        rng.normal(size=(7, 5, 3)),
        rng.normal(size=(7, 5, 3)),
        rng.random((7, 5)),
    )
    rotations, shifts_mm = arun_rigid(fixed, moving, weights)
    for i in range(7):
        rotation, shift = arun_rigid(fixed[i], moving[i], weights[i])
        np.testing.assert_allclose(rotations[i], rotation, atol=1e-12)
        np.testing.assert_allclose(shifts_mm[i], shift, atol=1e-12)


def test_translation_lays_the_centroids_over_each_other():
    us, mr = pair(transform(), noise_mm=2)
    fit = solve(us, mr, "translation")
    np.testing.assert_array_equal(fit.us_from_mr.rotation, np.eye(3))
    expected = us.positions_mm().mean(axis=0) - mr.positions_mm().mean(axis=0)
    np.testing.assert_allclose(fit.us_from_mr.translation_mm, expected, atol=1e-12)


def test_a_sure_landmark_is_followed_more_than_an_unsure_one():
    us, mr = pair(transform(), noise_mm=4, covariance_mm2=np.eye(3) * 9)
    sure = us["apex"]
    us = us.with_landmark(replace(sure, covariance_mm2=np.eye(3) * 0.01))
    mr = mr.with_landmark(replace(mr["apex"], covariance_mm2=np.eye(3) * 0.01))
    plain = solve(us, mr, "svd").residuals_mm["apex"]
    for estimator in ("weighted", "anisotropic", "map"):
        assert solve(us, mr, estimator).residuals_mm["apex"] < 0.1 * plain


def test_a_landmark_unsure_along_one_axis_is_followed_along_the_others():
    us, mr = pair(transform((0, 0, 0)), covariance_mm2=np.eye(3))
    moved = np.add(us["posterior_median"].position_mm, [0, 0, 20])
    us = us.with_landmark(
        replace(us["posterior_median"], position_mm=moved, covariance_mm2=np.diag([1, 1, 1e4]))
    )
    fit = solve(us, mr, "anisotropic")
    assert fit.us_from_mr.angle_deg < 0.5


def test_a_narrow_prior_holds_the_rotation_and_a_flat_one_lets_it_go():
    truth = transform((0.5, 0, 0))
    us, mr = pair(truth)
    tight = RotationPrior.from_degrees(mean_deg=(0, 0, 0), sd_deg=(0.1,) * 3, name="tight")
    assert solve(us, mr, "map", FitModel(tight)).us_from_mr.angle_deg < 1
    free = solve(us, mr, "map", FitModel(RotationPrior.flat()))
    assert free.us_from_mr.angle_deg == pytest.approx(np.degrees(0.5), abs=1e-3)


def test_a_landmark_that_all_others_refute_is_left_out_and_named():
    us, mr = pair(transform(), names=ALL_NAMES, noise_mm=0.5)
    bad = us.with_position("left_lateral", np.add(us["left_lateral"].position_mm, [0, 30, 25]))
    fit = solve(bad, mr, "robust", FitModel())
    clean = solve(us.without("left_lateral"), mr, "map", FitModel())
    np.testing.assert_allclose(fit.us_from_mr.matrix, clean.us_from_mr.matrix, atol=1e-3)
    assert [f.landmark for f in fit.findings if f.code == "refuted-landmark"] == ["left_lateral"]
    assert "left lateral" in fit.explanation


@pytest.mark.parametrize("name", REQUIRED_NAMES)
def test_whichever_of_five_points_is_30_mm_off_is_recognised(name):
    us, mr = pair(transform(), names=ALL_NAMES, noise_mm=1.0)
    away = us[name].position_mm - us.positions_mm().mean(axis=0)
    bad = us.with_position(name, us[name].position_mm + 30 * away / np.linalg.norm(away))
    assert name not in solve(bad, mr, "robust", FitModel()).names


def test_five_good_points_lose_none():
    lost = 0
    for seed in range(60):
        us, mr = pair(transform(), names=ALL_NAMES, noise_mm=3, seed=seed)
        lost += len(solve(us, mr, "robust", FitModel()).names) < 5
    assert lost <= 3


def test_auto_says_what_it_chose_and_why():
    three = solve(*pair(transform()), "auto", FitModel())
    five = solve(*pair(transform(), names=ALL_NAMES), "auto", FitModel())
    assert (three.estimator, three.method) == ("auto", "map")
    assert three.explanation.startswith("Chosen: map, since three points")
    assert (five.estimator, five.method) == ("auto", "robust")
    assert five.explanation.startswith("Chosen: robust")


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("name", REQUIRED_NAMES)
def test_a_missing_landmark_is_waited_for_by_name(estimator, name):
    us, mr = pair(transform())
    answer = fit_landmarks(fixed=us.without(name), moving=mr, estimator=estimator)
    assert isinstance(answer, Unsolved)
    assert answer.reason == f"waiting for {name.replace('_', ' ')} in both images"


@pytest.mark.parametrize("estimator", ["svd", "weighted", "anisotropic"])
def test_two_landmarks_on_one_spot_are_named(estimator):
    us, mr = pair(transform())
    us = us.with_position("apex", us["bladder_neck"].position_mm)
    answer = fit_landmarks(fixed=us, moving=mr, estimator=estimator)
    assert isinstance(answer, Unsolved)
    assert "lie on the same spot in US" in answer.reason
    assert "Apex" in answer.reason


@pytest.mark.parametrize("estimator", ["svd", "weighted", "anisotropic"])
def test_landmarks_on_one_line_determine_no_rotation(estimator):
    line = {name: [0.0, 0.0, 20.0 * i] for i, name in enumerate(REQUIRED_NAMES)}
    us, mr = landmark_set(Space.US, line), landmark_set(Space.MR, line)
    answer = fit_landmarks(fixed=us, moving=mr, estimator=estimator)
    assert isinstance(answer, Unsolved)
    assert answer.reason == (
        "the landmarks are nearly on one line in US (off-line spread 0.0 mm, need 2 mm): "
        "place one to the side"
    )


def test_with_a_prior_collinear_points_are_solved_and_the_answer_says_so():
    line = {name: [0.0, 0.0, 20.0 * i] for i, name in enumerate(REQUIRED_NAMES)}
    us, mr = landmark_set(Space.US, line), landmark_set(Space.MR, line)
    fit = solve(us, mr, "map", FitModel())
    assert "would not determine a rotation" in fit.explanation
    assert "collinear" in {finding.code for finding in fit.findings}
    flat = fit_landmarks(fixed=us, moving=mr, estimator="map", model=FREE)
    assert isinstance(flat, Unsolved)


def test_a_point_that_is_not_a_number_never_becomes_a_landmark():
    with pytest.raises(ValueError, match="finite"):
        LandmarkSet.from_positions(Space.US, {"apex": [0, np.nan, 0]})


def test_an_unknown_estimator_is_refused_with_the_known_ones():
    us, mr = pair(transform())
    with pytest.raises(ValueError, match="unknown estimator 'magic': choose one of svd, auto"):
        fit_landmarks(fixed=us, moving=mr, estimator="magic")


def test_a_prior_beats_least_squares_on_average_when_points_are_noisy():
    rng = np.random.default_rng(3)
    target = np.array([[10.0, -8, 5], [-12, 5, -6], [0, 10, 12]])
    squared = {"svd": [], "map": []}
    for seed in range(150):
        truth = transform(np.radians(rng.uniform([-25, -15, -15], [25, 15, 15])))
        us, mr = pair(truth, noise_mm=5, seed=seed)
        for estimator, errors in squared.items():
            model = FitModel(RotationPrior.for_probe(Probe.SIDE_FIRE))
            fit = solve(us, mr, estimator, model)
            errors.append(np.linalg.norm(fit.us_from_mr.apply(target) - truth.apply(target)))
    assert np.mean(squared["map"]) < 0.9 * np.mean(squared["svd"])


@pytest.mark.parametrize("estimator", ["anisotropic", "weighted", "auto"])
def test_auxiliary_landmarks_may_come_close_to_each_other(estimator):
    us, mr = pair(transform(), names=ALL_NAMES)
    beside = us["left_lateral"].position_mm + np.array([0.0, 0.0, 0.5])
    fit = fit_landmarks(
        fixed=us.with_position("left_basal", beside), moving=mr, estimator=estimator
    )
    assert isinstance(fit, LandmarkFit)
