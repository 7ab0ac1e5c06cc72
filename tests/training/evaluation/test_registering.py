import numpy as np
import pytest

from fusioninit.geometry import RigidTransform, Space
from fusioninit.registration.metrics import dice, mask_on_grid
from fusioninit.training.evaluation.records import Way
from fusioninit.training.evaluation.registering import (
    Inputs,
    References,
    given_inputs,
    register,
    ways,
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
    shifted = RigidTransform(Space.US, Space.MR, case.us_from_mr.matrix + _shift([3.0, 0.0, 4.0]))
    attempt = References(case).attempt("s", Way("x", "none", "svd"), shifted)
    assert attempt.sre_truth_mm == pytest.approx(5.0)
    assert attempt.rotation_truth_deg == pytest.approx(0, abs=1e-6)


def test_dice_equals_that_of_the_resampled_mask(case):
    moved = RigidTransform(Space.US, Space.MR, case.us_from_mr.matrix + _shift([6.0, -2.0, 1.0]))
    mr, us = case.glands[Space.MR], case.glands[Space.US]
    resampled = mask_on_grid(mr.voxels, mr.grid, onto=us.grid, onto_from_mask=moved)
    assert References(case).dice(moved) == pytest.approx(dice(resampled, us.voxels), abs=0.01)


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
