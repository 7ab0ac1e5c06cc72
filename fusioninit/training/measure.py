"""What a predictor answers on seeded synthetic cases: errors, spreads, overlap."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusioninit.detection.normalise import resample
from fusioninit.detection.predict import LandmarkPredictor
from fusioninit.imaging.volume import Volume
from fusioninit.training.augment import Sample
from fusioninit.training.data import Draw

FloatArray = NDArray[np.float64]

CHI2_68, CHI2_95 = 3.5059, 7.8147
"""Squared Mahalanobis distances within which a 3D normal error lies in 68 and 95 % of cases."""


@dataclass(frozen=True)
class Measurements:
    """Answers on N cases with L landmarks.

    Parameters
    ----------
    difference_mm : (N, L, 3) array
        Found minus true position, x y z.
    spread_mm2 : (N, L, 3, 3) array
        Covariance of the heatmaps, uncalibrated.
    inside, visible : (N, L) array of bool
        Whether the landmark lies in the grid, and whether it can be seen there.
    dice : (N,) array
        Overlap of found and true gland; NaN where the network finds none.
    found_mm, true_mm : (N, L, 3) array
        Positions from the grid's centre.
    """

    difference_mm: FloatArray
    spread_mm2: FloatArray
    inside: NDArray[np.bool_]
    visible: NDArray[np.bool_]
    dice: FloatArray
    found_mm: FloatArray
    true_mm: FloatArray

    @property
    def error_mm(self) -> FloatArray:
        """(N, L) radial errors; NaN where the landmark lies outside the grid."""
        error = np.linalg.norm(self.difference_mm, axis=-1)
        return np.where(self.inside, error, np.nan)


def measure(
    predictor: LandmarkPredictor,
    draw: Draw,
    *,
    first_seed: int,
    count: int,
    progress: Callable[[float], None] | None = None,
) -> Measurements:
    """Ask `predictor` about the cases of `count` consecutive seeds."""
    rows = []
    for number in range(count):
        rows.append(_row(predictor, draw(first_seed + number)))
        if progress is not None:
            progress((number + 1) / count)
    return Measurements(*(np.array(column) for column in zip(*rows, strict=True)))


def _row(predictor: LandmarkPredictor, sample: Sample) -> tuple[Any, ...]:
    """One case as the predictor meets any volume."""
    card = predictor.card
    grid = card.input_grid.centred_at(np.zeros(3))
    answer = predictor.examine(Volume(sample.image.numpy(), grid, card.space))
    asked = card.network.landmarks
    true_mm = sample.landmarks_mm[:asked].double().numpy()
    inside = grid.contains(true_mm)
    overlap = np.nan
    if answer.gland_logit is not None:
        truth = resample(Volume(sample.gland.numpy(), grid, card.space), answer.grid) > 0.5
        lost = (sample.gland > 0.5).sum() - truth.sum()
        overlap = _dice(answer.gland_mask(), truth.numpy(), max(0, int(lost)))
    return (
        answer.position_mm - true_mm,
        answer.spread_mm2,
        inside,
        sample.visible[:asked].numpy() & inside,
        overlap,
        answer.position_mm,
        true_mm,
    )


def mahalanobis2(difference_mm: FloatArray, covariance_mm2: FloatArray) -> FloatArray:
    """(N, L) squared Mahalanobis distances of (N, L, 3) errors under (N, L, 3, 3) covariances."""
    solved = np.linalg.solve(covariance_mm2, difference_mm[..., None])[..., 0]
    return np.asarray((difference_mm * solved).sum(-1))


def _dice(found: NDArray[np.bool_], truth: NDArray[np.bool_], lost: int) -> float:
    """Dice coefficient; `lost` voxels of the truth lie outside the grid of both."""
    total = found.sum() + truth.sum() + lost
    return float(2 * (found & truth).sum() / total) if total else 1.0
