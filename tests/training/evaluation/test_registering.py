import numpy as np
import pytest

from fusioninit.geometry import Grid, RigidTransform, Space, rotation_matrix
from fusioninit.imaging.volume import Volume
from fusioninit.landmarks import REQUIRED_NAMES, LandmarkSet
from fusioninit.registration.metrics import dice, mask_on_grid
from fusioninit.training.evaluation.pair_cases import PairCase
from fusioninit.training.evaluation.records import Way
from fusioninit.training.evaluation.registering import (
    Inputs,
    References,
    given_inputs,
    manual_inputs,
    register,
    ways,
)

RADII_MM = np.array([24.0, 17.0, 20.0])
POINTS_MM = {
    "apex": (0, 2, -20),
    "bladder_neck": (0, -6, 18),
    "posterior_median": (0, 17, 0),
    "left_lateral": (24, 0, 0),
    "right_lateral": (-24, 0, 0),
}
US_FROM_MR = RigidTransform.from_parts(
    Space.US, Space.MR, rotation=rotation_matrix([0.3, 0.05, -0.1]), translation_mm=[4, -3, 6]
)


def ellipsoid(space, pose, shape=(44, 48, 52), spacing_mm=1.5):
    grid = Grid.centred(shape, spacing_mm, pose.apply([0, 0, 0]))
    local = pose.inverse().apply(grid.points_mm())
    return Volume((((local / RADII_MM) ** 2).sum(-1) < 1).astype(np.uint8), grid, space)


@pytest.fixture(scope="module")
def case():
    mr = LandmarkSet.from_positions(Space.MR, POINTS_MM)
    us = LandmarkSet.from_positions(
        Space.US, {name: US_FROM_MR.apply(xyz) for name, xyz in POINTS_MM.items()}
    )
    targets = np.array([[5.0, 3, 2], [-12, 4, -7]])
    return PairCase(
        name="one",
        number=7,
        landmarks={Space.MR: mr, Space.US: us},
        glands={
            Space.MR: ellipsoid(Space.MR, RigidTransform.identity(Space.MR, Space.MR)),
            Space.US: ellipsoid(Space.US, US_FROM_MR),
        },
        us_from_mr=US_FROM_MR,
        targets_mr_mm=targets,
        targets_us_mm=US_FROM_MR.apply(targets),
    )


def test_exact_points_register_without_error(case):
    attempt, targets = register(
        "s", References(case), Inputs(case.landmarks, {}), Way("given", "none", "svd")
    )
    assert attempt.sre_truth_mm == pytest.approx(0, abs=1e-9)
    assert attempt.rotation_truth_deg == pytest.approx(0, abs=1e-6)
    assert attempt.sre_mm < 0.3
    assert attempt.dice > 0.97
    assert [target.actual_mm for target in targets] == pytest.approx([0, 0], abs=1e-9)
    assert all(0 < target.predicted_mm < target.predicted_95_mm for target in targets)


def test_a_shift_is_measured_as_it_is(case):
    shifted = RigidTransform(Space.US, Space.MR, US_FROM_MR.matrix + _shift([3.0, 0.0, 4.0]))
    attempt = References(case).attempt("s", Way("x", "none", "svd"), shifted)
    assert attempt.sre_truth_mm == pytest.approx(5.0)
    assert attempt.rotation_truth_deg == pytest.approx(0, abs=1e-6)


def test_dice_equals_that_of_the_resampled_mask(case):
    moved = RigidTransform(Space.US, Space.MR, US_FROM_MR.matrix + _shift([6.0, -2.0, 1.0]))
    mr, us = case.glands[Space.MR], case.glands[Space.US]
    resampled = mask_on_grid(mr.voxels, mr.grid, onto=us.grid, onto_from_mask=moved)
    assert References(case).dice(moved) == pytest.approx(dice(resampled, us.voxels), abs=0.01)


def test_two_simulated_observers_differ_as_stated(case):
    drawn = []
    for number in range(400):
        other = PairCase("x", number, case.landmarks, case.glands)
        inputs = manual_inputs(other, observer_difference_mm=1.7)
        drawn.append(inputs.landmarks[Space.MR].positions_mm(REQUIRED_NAMES))
    first, second = np.array(drawn[:200]), np.array(drawn[200:])
    assert np.linalg.norm(first - second, axis=-1).mean() == pytest.approx(1.7, abs=0.1)


def test_manual_points_repeat_and_lack_the_auxiliary_ones(case):
    first, again = (manual_inputs(case, observer_difference_mm=1.7) for _ in range(2))
    assert first.landmarks[Space.US] == again.landmarks[Space.US]
    assert tuple(first.landmarks[Space.US]) == REQUIRED_NAMES
    assert first.landmarks[Space.US] != case.landmarks[Space.US].without("left_lateral")


def test_glands_are_offered_only_to_estimators_that_use_them():
    offered = ways("automatic", ("svd", "translation", "map", "auto"), glands="predicted")
    assert [way.label for way in offered] == [
        "automatic, svd",
        "automatic, translation",
        "automatic, map",
        "automatic, auto",
        "automatic, map with predicted glands",
        "automatic, auto with predicted glands",
    ]


def test_glands_change_the_answer_where_points_are_off(case):
    neck = case.landmarks[Space.US]["bladder_neck"].position_mm
    wrong = case.landmarks[Space.US].with_position("bladder_neck", neck + np.array([0, 9, 0]))
    references = References(case)
    inputs = Inputs({**case.landmarks, Space.US: wrong}, given_inputs(case, references).shapes)
    alone, _ = register("s", references, inputs, Way("given", "none", "map"))
    helped, _ = register("s", references, inputs, Way("given", "given", "map"))
    assert helped.sre_truth_mm < alone.sre_truth_mm


def test_unsolved_is_a_row_with_its_reason(case):
    mr = case.landmarks[Space.MR].without("apex")
    attempt, targets = register(
        "s",
        References(case),
        Inputs({**case.landmarks, Space.MR: mr}, {}),
        Way("given", "none", "svd"),
    )
    assert attempt.unsolved == "waiting for apex in both images"
    assert np.isnan(attempt.sre_mm)
    assert targets == []


def _shift(by_mm):
    matrix = np.zeros((4, 4))
    matrix[:3, 3] = by_mm
    return matrix
