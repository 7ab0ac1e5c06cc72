from dataclasses import replace

import numpy as np
import pytest

from fusioninit.geometry import Space
from fusioninit.landmarks import REQUIRED_NAMES
from fusioninit.training.evaluation.observers import DRAWS, manual_inputs, many_observers
from fusioninit.training.evaluation.pair_cases import PairCase
from fusioninit.training.evaluation.records import Way
from fusioninit.training.evaluation.registering import References, register


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


def test_many_observers_err_as_single_ones_do_on_average(case):
    references = References(case)
    rows = {row.estimator: row for row in many_observers("s", references, observer_difference_mm=4)}
    for estimator, row in rows.items():
        single = []
        for number in range(100):
            inputs = manual_inputs(replace(case, number=number), observer_difference_mm=4)
            attempt, _ = register("s", references, inputs, Way("manual", "none", estimator))
            single.append((attempt.sre_mm, attempt.sre_truth_mm))
        assert row.draws == DRAWS
        mean = np.mean(single, axis=0)
        assert [row.sre_mm, row.sre_truth_mm] == pytest.approx(mean, rel=0.15)
    assert rows["auto"].sre_truth_mm < rows["svd"].sre_truth_mm


def test_without_a_true_transform_only_the_error_to_icp_is_known(case):
    unknown = References(replace(case, us_from_mr=None))
    row = many_observers("s", unknown, observer_difference_mm=1.7, draws=5)[0]
    assert np.isnan(row.sre_truth_mm)
    assert row.sre_mm > 0
