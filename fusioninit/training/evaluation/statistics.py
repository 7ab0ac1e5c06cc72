"""Figures from lists of values: mean and SD, significance marks, coverage, reliability."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from fusioninit.registration.metrics import histogram

FloatArray = NDArray[np.float64]

SIGNIFICANT = 0.05
"""Two-sided level of the Wilcoxon marks."""

SRE_EDGES_MM = (5, 10, 15, 20, 25, 30, 45)
ROTATION_EDGES_DEG = (5, 10, 20, 30, 40, 60, 70)
"""The paper's thresholds, tables 3 and 4."""

CHI2 = {68: float(stats.chi2.ppf(0.68, 3)), 95: float(stats.chi2.ppf(0.95, 3))}
"""Squared Mahalanobis distance within which a 3D normal error lies in 68 or 95 % of cases."""


def mean_sd(values: ArrayLike) -> tuple[float, float]:
    """Mean and standard deviation of the finite values; NaN where there is none."""
    finite = _finite(values)
    return (float(finite.mean()), float(finite.std())) if finite.size else (np.nan, np.nan)


def differs_significantly(first: ArrayLike, second: ArrayLike) -> bool:
    """Wilcoxon signed-rank test (1945) of paired values, two-sided, at `SIGNIFICANT`.

    Pairs with a value that is not finite are left out; equal pairs say nothing (Wilcoxon's own
    treatment of zeros).

    Raises
    ------
    ValueError
        The values are not paired.
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if a.shape != b.shape:
        raise ValueError(f"paired values are needed, found {a.shape} and {b.shape}")
    difference = (a - b)[np.isfinite(a - b)]
    if not difference.any():
        return False
    return bool(stats.wilcoxon(difference).pvalue < SIGNIFICANT)


def marks(
    values: ArrayLike, *, baseline: ArrayLike | None = None, variance: ArrayLike | None = None
) -> str:
    """A star where `values` differ from the baseline's, a dagger where from variance's."""
    against = {"*": baseline, "†": variance}
    return "".join(
        mark
        for mark, other in against.items()
        if other is not None and differs_significantly(values, other)
    )


def rank_correlation(first: ArrayLike, second: ArrayLike) -> float:
    """Spearman's rank correlation of paired values; NaN with fewer than three pairs."""
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    return float(stats.spearmanr(a, b).statistic) if len(a) > 2 else float("nan")


def coverage(distances2: ArrayLike, percent: int) -> float:
    """Share of squared Mahalanobis distances inside the `percent` (68, 95) region."""
    finite = _finite(distances2)
    return float((finite <= CHI2[percent]).mean()) if finite.size else float("nan")


def bound_coverage(actual: ArrayLike, bound: ArrayLike) -> float:
    """Share of actual values that do not exceed their bound."""
    a, b = np.asarray(actual, dtype=np.float64), np.asarray(bound, dtype=np.float64)
    known = np.isfinite(a) & np.isfinite(b)
    return float((a[known] <= b[known]).mean()) if known.any() else float("nan")


def binned(values: ArrayLike, upper_edges: tuple[int, ...]) -> list[int]:
    """How many finite values lie up to each edge, and last how many lie above all."""
    finite = _finite(values)
    counts = [int(count) for count in histogram(finite, upper_edges)]
    return [*counts, int(finite.size) - sum(counts)]


@dataclass(frozen=True)
class ReliabilityBin:
    """Values whose prediction is alike: how many, means of prediction and truth, coverage."""

    count: int
    predicted: float
    actual: float
    upper: float
    actual_95: float
    coverage: float


def reliability(
    predicted: ArrayLike, upper: ArrayLike, actual: ArrayLike, *, bins: int = 8
) -> list[ReliabilityBin]:
    """Predicted against actual values in bins of equal counts, ordered by the prediction."""
    table = np.stack([np.asarray(x, dtype=np.float64) for x in (predicted, upper, actual)], axis=1)
    table = table[np.isfinite(table).all(axis=1)]
    table = table[np.argsort(table[:, 0], kind="stable")]
    return [
        ReliabilityBin(
            len(part),
            float(part[:, 0].mean()),
            float(part[:, 2].mean()),
            float(part[:, 1].mean()),
            float(np.quantile(part[:, 2], 0.95)),
            bound_coverage(part[:, 2], part[:, 1]),
        )
        for part in np.array_split(table, min(bins, max(1, len(table))))
        if len(part)
    ]


def _finite(values: ArrayLike) -> FloatArray:
    array = np.asarray(values, dtype=np.float64).ravel()
    return array[np.isfinite(array)]
