"""Fitting the covariance that a heatmap's spread stands for.

Errors have longer tails than a normal distribution, so the ratio of spread to floor is chosen by
likelihood and the overall size by the 95 % region, which then holds 95 % of the fitted cases.
"""

from __future__ import annotations

import numpy as np

from fusioninit.detection.weights import Calibration
from fusioninit.training.measure import CHI2_95, FloatArray, Measurements, mahalanobis2

FLOOR_PER_SCALE_MM2 = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
"""Ratios tried."""

MIN_CASES = 20
"""Fewer cases say nothing about a 95 % region."""


class TooFewCasesError(ValueError):
    """A landmark lies inside the grid in too few cases for a 95 % region."""


def fit_calibration(measured: Measurements) -> Calibration:
    """One scale and floor per landmark, from the landmarks that lie inside the grid.

    Raises
    ------
    TooFewCasesError
        Fewer than `MIN_CASES` for some landmark.
    """
    scales, floors = [], []
    for number in range(measured.inside.shape[1]):
        kept = measured.inside[:, number]
        if kept.sum() < MIN_CASES:
            raise TooFewCasesError(f"calibration needs {MIN_CASES} cases, found {kept.sum()}")
        scale, floor = _fit_one(
            measured.difference_mm[kept, number], measured.spread_mm2[kept, number]
        )
        scales.append(round(scale, 4))
        floors.append(round(floor, 4))
    return Calibration(tuple(scales), tuple(floors))


def _fit_one(difference_mm: FloatArray, spread_mm2: FloatArray) -> tuple[float, float]:
    best, best_cost = (1.0, 1.0), np.inf
    for ratio in FLOOR_PER_SCALE_MM2:
        shape = spread_mm2 + ratio * np.eye(3)
        distance2 = mahalanobis2(difference_mm, shape)
        # profile likelihood: the best overall size for this ratio is the mean of distance2 / 3
        size = distance2.mean() / 3
        cost = np.linalg.slogdet(shape)[1].mean() + 3 * np.log(size)
        if cost < best_cost:
            factor = np.quantile(distance2, 0.95) / CHI2_95
            best, best_cost = (float(factor), float(factor * ratio)), cost
    return best
