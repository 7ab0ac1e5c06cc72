import dataclasses

import numpy as np
import pytest

from fusioninit.geometry import Grid, RigidTransform, Space, rotation_matrix
from fusioninit.imaging import Volume
from fusioninit.landmarks import REQUIRED_NAMES, LandmarkSet, Source
from fusioninit.registration import LandmarkFit, Unsolved
from fusioninit.state import Case, Decision, Target

POINTS = {"apex": [1.0, 2, -20], "bladder_neck": [0.0, -8, 18], "posterior_median": [2.0, 20, 0]}


def volume(space: Space) -> Volume:
    return Volume(np.zeros((3, 4, 5), np.float32), Grid((3, 4, 5)), space)


@pytest.fixture
def us_from_mr() -> RigidTransform:
    return RigidTransform.from_parts(
        Space.US, Space.MR, rotation=rotation_matrix([0.3, -0.1, 0.2]), translation_mm=[5, 6, 7]
    )


@pytest.fixture
def solved(us_from_mr) -> Case:
    mr = LandmarkSet.from_positions(Space.MR, POINTS)
    us = {name: us_from_mr.apply(xyz) for name, xyz in POINTS.items()}
    return Case().with_landmarks(mr).with_landmarks(LandmarkSet.from_positions(Space.US, us))


def test_registration_is_derived_from_the_landmarks(solved, us_from_mr):
    fit = solved.registration
    assert isinstance(fit, LandmarkFit)
    np.testing.assert_allclose(fit.us_from_mr.matrix, us_from_mr.matrix, atol=1e-12)
    moved = solved.with_landmarks(solved.us_landmarks.with_position("apex", [9, 9, 9]))
    assert not np.allclose(moved.us_from_mr.matrix, us_from_mr.matrix)
    np.testing.assert_allclose(solved.us_from_mr.matrix, us_from_mr.matrix, atol=1e-12)


@pytest.mark.parametrize("name", REQUIRED_NAMES)
def test_without_one_point_the_case_is_unsolved_and_says_which(solved, name):
    case = solved.with_landmarks(solved.mr_landmarks.without(name))
    assert isinstance(case.registration, Unsolved)
    assert name.replace("_", " ") in case.registration.reason.replace("_", " ").lower()
    assert case.us_from_mr is None
    assert case.in_us([0, 0, 0], Space.MR) is None


def test_a_case_cannot_be_changed_in_place(solved):
    with pytest.raises(dataclasses.FrozenInstanceError):
        solved.estimator = "map"
    with pytest.raises(ValueError, match="read-only"):
        solved.us_landmarks["apex"].position_mm[0] = 3


def test_moving_a_landmark_withdraws_the_decision(solved):
    accepted = solved.with_decision(Decision(accepted=True, initials="AB"))
    assert accepted.decision is not None
    assert (
        accepted.with_landmarks(solved.mr_landmarks.with_position("apex", [0, 0, 0])).decision
        is None
    )


def test_another_volume_takes_its_landmarks_with_it_and_leaves_the_other_space(solved):
    case = solved.with_volume(volume(Space.MR))
    assert len(case.mr_landmarks) == 0
    assert case.us_landmarks is solved.us_landmarks


def test_a_new_mr_takes_the_targets_that_were_drawn_on_the_old_one(solved):
    case = solved.with_targets((Target("lesion 1", np.array([1.0, 2, 3])),))
    assert case.with_volume(volume(Space.US)).targets == case.targets
    assert case.with_volume(volume(Space.MR)).targets == ()


def test_a_prediction_leaves_locked_landmarks_where_the_person_put_them(solved):
    locked = dataclasses.replace(solved.us_landmarks["apex"], locked=True)
    case = solved.with_landmarks(solved.us_landmarks.with_landmark(locked))
    predicted = LandmarkSet.from_positions(Space.US, {name: [7, 7, 7] for name in REQUIRED_NAMES})
    answered = case.with_prediction(predicted)
    np.testing.assert_array_equal(answered.us_landmarks["apex"].position_mm, locked.position_mm)
    np.testing.assert_array_equal(answered.us_landmarks["bladder_neck"].position_mm, [7, 7, 7])
    assert answered.us_predicted is predicted


def test_a_second_answer_is_kept_for_comparison_and_goes_with_its_volume(solved):
    predicted = LandmarkSet.from_positions(Space.US, {name: [7, 7, 7] for name in REQUIRED_NAMES})
    second = predicted.with_position("apex", [7, 10, 11])
    answered = solved.with_prediction(predicted, second=second)
    assert answered.us_landmarks == predicted
    assert answered.disagreement(Space.US).distances_mm == {
        "apex": 5.0, "bladder_neck": 0.0, "posterior_median": 0.0,
    }  # fmt: skip
    assert answered.disagreement(Space.MR) is None
    assert answered.with_prediction(predicted).disagreement(Space.US) is None
    assert answered.with_volume(volume(Space.US)).disagreement(Space.US) is None
    assert answered.with_volume(volume(Space.MR)).us_second is second


def test_points_of_the_mr_are_shown_in_the_us_frame_through_the_transform(solved, us_from_mr):
    np.testing.assert_allclose(
        solved.in_us([[1, 2, 3]], Space.MR), us_from_mr.apply([[1, 2, 3]]), atol=1e-12
    )
    np.testing.assert_array_equal(solved.in_us([1, 2, 3], Space.US), [1, 2, 3])


def test_a_target_without_a_position_is_refused():
    with pytest.raises(ValueError, match="three finite mm"):
        Target("lesion", np.array([1.0, np.nan, 0]))


def ball(space: Space, center_mm) -> Volume:
    grid = Grid((30, 31, 32), np.full(3, 2.0), np.asarray(center_mm) - 30)
    distance = np.linalg.norm(grid.points_mm() - center_mm, axis=-1)
    return Volume((distance < 20).astype(np.uint8), grid, space)


def test_gland_masks_are_evidence_for_estimators_that_use_them(solved):
    case = solved.with_gland(ball(Space.US, [0.0, 0, 0])).with_gland(ball(Space.MR, [0.0, 0, 0]))
    np.testing.assert_array_equal(case.us_from_mr.matrix, solved.us_from_mr.matrix)
    with_glands = case.with_estimator("map").us_from_mr
    without = solved.with_estimator("map").us_from_mr
    assert np.linalg.norm(with_glands.translation_mm - without.translation_mm) > 0.5


def test_the_gland_is_not_extracted_again_while_a_landmark_moves(solved):
    case = solved.with_gland(ball(Space.US, [0.0, 0, 0]))
    moved = case.with_landmarks(case.us_landmarks.with_position("apex", [1, 1, 1]))
    assert moved.gland_shape(Space.US) is case.gland_shape(Space.US) is not None


def test_an_empty_gland_mask_is_no_evidence(solved):
    assert solved.with_gland(volume(Space.US)).gland_shape(Space.US) is None


def test_a_network_s_mask_is_shown_but_is_no_evidence(solved):
    predicted = ball(Space.US, [0.0, 0, 0]).with_source(format="predicted")
    case = solved.with_gland(predicted)
    assert case.us_gland is predicted
    assert case.gland_shape(Space.US) is None


def test_the_mr_follows_a_person_who_corrects_a_network_s_landmarks(solved, us_from_mr):
    """Eight millimetres off as a whole: the landmarks nobody touched must not hold the MR back."""
    true_us = {name: solved.us_landmarks[name].position_mm for name in solved.us_landmarks}
    sides = {
        "left_lateral": [25.0, 2, 1],
        "right_lateral": [-24.0, 3, 0],
        "left_basal": [24.0, 0, 9],
    }
    mr = {n: solved.mr_landmarks[n].position_mm for n in solved.mr_landmarks} | sides
    us = true_us | {name: us_from_mr.apply(np.array(xyz)) for name, xyz in sides.items()}
    case = solved.with_estimator("auto")
    for space, points, shift in ((Space.MR, mr, 0.0), (Space.US, us, 8.0)):
        marks = LandmarkSet.from_positions(
            space, {n: p + np.array([0, 0, shift]) for n, p in points.items()}
        )
        found = tuple(
            dataclasses.replace(mark, source=Source.PREDICTED, covariance_mm2=np.eye(3) * 2.0)
            for mark in marks.landmarks
        )
        case = case.with_prediction(LandmarkSet(space, found))
    corrected = case.us_landmarks
    for name in REQUIRED_NAMES:
        corrected = corrected.with_position(name, true_us[name])

    def error_mm(one: Case) -> float:
        gaps = one.in_us(np.array(list(mr.values())), Space.MR) - np.array(list(us.values()))
        return float(np.linalg.norm(gaps, axis=1).mean())

    assert error_mm(case) > 7
    assert error_mm(case.with_landmarks(corrected)) < 1.0
