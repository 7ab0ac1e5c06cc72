"""Fitting the covariance that a heatmap's spread stands for.

Errors have longer tails than a normal distribution, so the ratio of spread to floor is chosen by
likelihood and the overall size by the 95 % region, which then holds 95 % of the fitted cases. How
the landmarks of one image err together is fitted afterwards, in units of these covariances.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fusioninit.detection.predict import calibrated
from fusioninit.detection.weights import Calibration
from fusioninit.landmarks import ErrorCorrelation
from fusioninit.training.measure import CHI2_95, FloatArray, Measurements, mahalanobis2

FLOOR_PER_SCALE_MM2 = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
"""Ratios tried."""

MIN_CASES = 20
"""Fewer cases say nothing about a 95 % region."""


LONGEST_SD = 3.0
"""A gland that was missed must not say how all others' errors hang together."""


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
    fitted = Calibration(tuple(scales), tuple(floors))
    return replace(fitted, correlation=_fit_correlation(measured, fitted))


def _fit_correlation(measured: Measurements, calibration: Calibration) -> tuple[str, ...]:
    """Rows of the errors' correlation; none where too few cases hold every landmark.

    Errors are taken in units of their claimed covariance, long ones shortened to `LONGEST_SD`, and
    each landmark's made white, so that its own block is the identity. The sample correlation of
    the whole is then shrunk towards none at all by the weight of Schafer and Strimmer (2005).
    """
    kept = measured.inside.all(axis=1)
    if kept.sum() < MIN_CASES:
        return ()
    root = np.linalg.cholesky(calibrated(measured.spread_mm2[kept], calibration))
    error = np.linalg.solve(root, measured.difference_mm[kept][..., None])[..., 0]
    length = np.linalg.norm(error, axis=-1, keepdims=True)
    error *= LONGEST_SD / np.maximum(length, LONGEST_SD)
    own = np.einsum("nla,nlb->lab", error, error) / len(error)
    variance, axes = np.linalg.eigh(own)
    whitening = (axes / np.sqrt(variance)[:, None]) @ np.swapaxes(axes, -1, -2)
    white = np.einsum("lab,nlb->nla", whitening, error).reshape(len(error), -1)
    weight = shrinkage(white)
    matrix = (1 - weight) * (white.T @ white / len(white)) + weight * np.eye(white.shape[1])
    names = tuple(map(str, range(error.shape[1])))
    return tuple(ErrorCorrelation(names, matrix.round(3)).rows())


def shrinkage(values: FloatArray) -> float:
    """Weight of the identity beside the sample correlation of (N, p) values of zero mean.

    The variance of its entries over their squares, summed off the diagonal (Schafer and Strimmer,
    A shrinkage approach to large-scale covariance matrix estimation, 2005), between 0 and 1.
    """
    count = len(values)
    unit = values / np.sqrt((values**2).mean(axis=0))
    correlation = unit.T @ unit / count
    squares = (unit**2).T @ unit**2 / count
    variance = (squares - correlation**2) / (count - 1)
    apart = ~np.eye(unit.shape[1], dtype=bool)
    signal = float((correlation[apart] ** 2).sum())
    return float(np.clip(variance[apart].sum() / signal, 0.0, 1.0)) if signal > 0 else 1.0


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
