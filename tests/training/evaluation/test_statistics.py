import math

import numpy as np
import pytest

from fusioninit.training.evaluation.statistics import (
    CHI2,
    SRE_EDGES_MM,
    binned,
    bound_coverage,
    coverage,
    differs_significantly,
    marks,
    mean_sd,
    reliability,
)


def test_values_fall_up_to_the_papers_thresholds_and_the_rest_lies_above():
    values = [0.0, 5.0, 5.01, 10.0, 14.9, 29.0, 44.0, 45.0, 45.1, 99.0, math.nan]
    assert binned(values, SRE_EDGES_MM) == [2, 2, 1, 0, 0, 1, 2, 2]


def test_counts_add_up_to_the_cases_that_have_a_value():
    values = np.random.default_rng(0).gamma(2.0, 6.0, 263)
    assert sum(binned(values, SRE_EDGES_MM)) == 263


def test_a_constant_shift_is_significant_and_noise_alone_is_not():
    random = np.random.default_rng(3)
    first = random.normal(6, 2, 40)
    assert differs_significantly(first, first + 0.5)
    assert not differs_significantly(first, first + random.normal(0, 1, 40))


def test_five_pairs_cannot_be_significant():
    # all five differences of one sign have probability 2 / 2^5 = 0.0625
    assert not differs_significantly([1.0, 2, 3, 4, 5], [2.0, 4, 6, 8, 10])
    assert differs_significantly([1.0, 2, 3, 4, 5, 6], [2.0, 4, 6, 8, 10, 12])


def test_equal_values_and_missing_ones_say_nothing():
    assert not differs_significantly([1.0] * 20, [1.0] * 20)
    assert not differs_significantly([1.0] * 20, [math.nan] * 20)


def test_unpaired_values_are_refused():
    with pytest.raises(ValueError, match=r"paired values are needed, found \(3,\) and \(2,\)"):
        differs_significantly([1, 2, 3], [1, 2])


def test_marks_name_what_was_beaten():
    base = np.linspace(4, 8, 30)
    assert marks(base - 1, baseline=base, variance=base - 1) == "*"
    assert marks(base - 1, baseline=base, variance=base - 0.5) == "*†"
    assert marks(base, baseline=base) == ""
    assert marks(base) == ""


def test_normal_errors_are_covered_as_their_covariance_claims():
    distances2 = (np.random.default_rng(1).normal(size=(20_000, 3)) ** 2).sum(axis=1)
    assert coverage(distances2, 68) == pytest.approx(0.68, abs=0.01)
    assert coverage(distances2, 95) == pytest.approx(0.95, abs=0.01)
    assert CHI2[95] == pytest.approx(7.815, abs=0.001)


def test_coverage_counts_by_hand():
    assert coverage([1.0, 3.0, 7.0, 8.0, math.nan], 95) == 0.75
    assert coverage([1.0, 3.0, 7.0, 8.0], 68) == 0.5
    assert bound_coverage([1.0, 2.0, 3.0, math.nan], [1.0, 1.0, 4.0, 9.0]) == pytest.approx(2 / 3)
    assert math.isnan(bound_coverage([], []))


def test_mean_and_sd_skip_what_has_no_value():
    assert mean_sd([1.0, 3.0, math.nan]) == (2.0, 1.0)
    assert all(math.isnan(value) for value in mean_sd([math.nan]))


def test_reliability_bins_follow_the_prediction_and_hold_equal_counts():
    predicted = np.array([4.0, 1.0, 3.0, 2.0])
    low, high = reliability(predicted, 2 * predicted, [9.0, 1.0, 5.0, 5.0], bins=2)
    assert (low.count, low.predicted, low.actual, low.upper, low.coverage) == (2, 1.5, 3, 3, 0.5)
    assert (high.count, high.predicted, high.actual, high.coverage) == (2, 3.5, 7, 0.5)
