"""Landmarks present in both sets, as arrays, with an uncertainty for every coordinate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from fusioninit.geometry import Space
from fusioninit.landmarks import (
    ALL_NAMES,
    AUXILIARY_NAMES,
    REQUIRED_NAMES,
    ErrorCorrelation,
    LandmarkName,
    LandmarkSet,
    Source,
)
from fusioninit.landmarks.error_correlation import axes_of
from fusioninit.landmarks.sets import DEFAULT_SD_MM

FloatArray = NDArray[np.float64]

SIDE_NAMES = tuple(name for name in AUXILIARY_NAMES if name.startswith(("left", "right")))
"""Auxiliary landmarks on the gland's sides."""

MEAN_RADIUS_PER_SD = 1.596
"""Mean length of a 3D Gaussian vector with SD 1 per axis: sqrt(8 / pi) (Maxwell)."""

_APEX, _NECK = (3.6, 5.3), (7.3, 7.5)
_INDENTATION_MM = 2.7

OBSERVER_SD_MM: dict[LandmarkName, tuple[tuple[float, float, float], ...]] = {
    "apex": ((_APEX[0] / MEAN_RADIUS_PER_SD,) * 3, (_APEX[1] / MEAN_RADIUS_PER_SD,) * 3),
    "bladder_neck": ((_NECK[0] / MEAN_RADIUS_PER_SD,) * 3, (_NECK[1] / MEAN_RADIUS_PER_SD,) * 3),
    "posterior_median": ((1.5, 1.5, 2.8), (1.5, float(np.hypot(1.5, _INDENTATION_MM)), 2.4)),
    **dict.fromkeys(SIDE_NAMES, ((1.5, 4.0, 4.0), (1.5, 4.0, 4.0))),
    "anterior_median": ((4.0, 1.5, 4.0), (4.0, 1.5, 4.0)),
}
"""SD along L, P, S mm in (MR, US) of a point placed by a person or by a rule, where nothing
better is known. Apex 3.6 mm (TRUS 5.3) and neck 7.3 (7.5) are the mean distances between experts'
points and the place that anatomy predicts for them. The posterior median is sharp across the
rectal surface (1.5 mm, one voxel of a segmentation) but in US a probe indents it by 2.7 mm on
average; along the surface it slides with half the gland's unexplained height (0.126 x 44.5 mm in
MR, 0.098 x 48.7 in TRUS). Auxiliary points are sharp across the surface and slide along it."""


PREDICTED_CORRELATION = {Space.MR: 0.05, Space.US: 0.12}
"""How much a network's landmarks in one image err together where its card does not say, as the
correlation of their errors, each in units of its own covariance: five such landmarks say less than
five independent ones. Measured on networks of five landmarks, on 100 synthetic pairs outside the
benchmark; a fit changes by less than 0.02 mm between 0.04 and 0.10 (MR) or 0.11 and 0.16 (US)."""


@dataclass(frozen=True, eq=False)
class LandmarkPairs:
    """N landmarks in both images. Positions (N, 3) mm, covariances (N, 3, 3) mm^2, own frames."""

    names: tuple[LandmarkName, ...]
    fixed_mm: FloatArray
    moving_mm: FloatArray
    fixed_covariance_mm2: FloatArray
    moving_covariance_mm2: FloatArray
    is_measured: NDArray[np.bool_]
    """(2, N) in fixed and moving: the landmark came with its own covariance, not the default."""
    is_predicted: NDArray[np.bool_]
    """(2, N) in fixed and moving: a network found the landmark where it lies."""
    correlation: FloatArray
    """(2, 3N, 3N) in fixed and moving: see `ErrorCorrelation`; a person's landmarks err on their
    own."""

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def spreads_mm(self) -> tuple[float, float]:
        """Root mean square distance of fixed and of moving points from the line through them."""
        return _spread_mm(self.fixed_mm), _spread_mm(self.moving_mm)

    @cached_property
    def closest_required(self) -> tuple[tuple[float, LandmarkName, LandmarkName], ...]:
        """In fixed and in moving: least distance (mm) between two of the required landmarks.

        Auxiliary ones may come close to each other: there are enough of them.
        """
        ends = tuple(combinations([n for n in REQUIRED_NAMES if n in self.names], 2))
        if not ends:
            return ((np.inf, "", ""),) * 2
        first, second = ([self.names.index(n) for n in side] for side in zip(*ends, strict=True))
        both = np.stack([self.fixed_mm, self.moving_mm])
        gaps = np.sqrt(((both[:, first] - both[:, second]) ** 2).sum(axis=-1))
        return tuple((float(own.min()), *ends[int(own.argmin())]) for own in gaps)

    @property
    def hold_predicted(self) -> bool:
        """Whether a network found any of the landmarks as they are, in either image."""
        return bool(self.is_predicted.any())

    @property
    def required(self) -> LandmarkPairs | None:
        """The paper's three; None where one is missing."""
        if not set(REQUIRED_NAMES) <= set(self.names):
            return None
        return self.only([self.names.index(name) for name in REQUIRED_NAMES])

    def only(self, keep: Sequence[int]) -> LandmarkPairs:
        """The pairs at these indices."""
        index = list(keep)
        if index == list(range(len(self))):
            return self
        axes = axes_of(index)
        return LandmarkPairs(
            tuple(self.names[i] for i in index),
            self.fixed_mm[index],
            self.moving_mm[index],
            self.fixed_covariance_mm2[index],
            self.moving_covariance_mm2[index],
            self.is_measured[:, index],
            self.is_predicted[:, index],
            self.correlation[:, axes[:, None], axes],
        )


def pair_landmarks(
    fixed: LandmarkSet, moving: LandmarkSet, *, auxiliary: bool = True
) -> LandmarkPairs:
    """The landmarks that both sets hold, in the order of `ALL_NAMES`."""
    wanted = ALL_NAMES if auxiliary else REQUIRED_NAMES
    both = {mark.name for mark in fixed.landmarks} & {mark.name for mark in moving.landmarks}
    names = tuple(name for name in wanted if name in both)
    fixed_mm, fixed_covariance, fixed_measured = _arrays(fixed, names)
    moving_mm, moving_covariance, moving_measured = _arrays(moving, names)
    return LandmarkPairs(
        names,
        fixed_mm,
        moving_mm,
        fixed_covariance,
        moving_covariance,
        np.array([fixed_measured, moving_measured], dtype=bool),
        np.array([_predicted(fixed, names), _predicted(moving, names)], dtype=bool),
        np.stack([landmark_correlation(fixed, names), landmark_correlation(moving, names)]),
    )


def noise_mm2(own_mm2: FloatArray, correlation: FloatArray) -> FloatArray:
    """(..., 3N, 3N) covariance of the errors of landmarks in one image.

    Of their own covariances (..., N, 3, 3) and the correlation (..., 3N, 3N) of `LandmarkPairs`:
    block (i, j) is `L_i K_ij L_j^T`, so the whole stays positive definite.
    """
    root: FloatArray = np.linalg.cholesky(own_mm2).astype(np.float64, copy=False)
    return between_blocks(root, correlation)


def between_blocks(blocks: FloatArray, symmetric: FloatArray) -> FloatArray:
    """`B S B^T` (..., 3N, 3N), B block-diagonal with (..., N, 3, 3) `blocks`, S symmetric."""
    *batch, count, _, _ = blocks.shape
    rows = (*batch, count, 3, 3 * count)
    half = (blocks @ symmetric.reshape(rows)).reshape(symmetric.shape)
    # S is symmetric, so turning the half over leaves the other side to do
    whole: FloatArray = (blocks @ np.swapaxes(half, -1, -2).reshape(rows)).reshape(symmetric.shape)
    return whole


def _predicted(landmarks: LandmarkSet, names: Sequence[LandmarkName]) -> list[bool]:
    return [mark.source is Source.PREDICTED for mark in landmarks.landmarks if mark.name in names]


def landmark_correlation(landmarks: LandmarkSet, names: Sequence[LandmarkName]) -> FloatArray:
    """(3N, 3N) of the network's card, else the usual one of its space."""
    if landmarks.correlation is None:
        matrix = _usual_correlation(landmarks.space, len(names)).copy()
    else:
        matrix = landmarks.correlation.among(names)
    alone = [i for i, n in enumerate(names) if landmarks[n].source is not Source.PREDICTED]
    if len(alone) == len(names):
        return np.eye(3 * len(names))
    if alone:
        axes = axes_of(alone)
        matrix[axes] = matrix[:, axes] = 0.0
        matrix[axes, axes] = 1.0
    return matrix


@cache
def _usual_correlation(space: Space, count: int) -> FloatArray:
    names = tuple(map(str, range(count)))
    return ErrorCorrelation.uniform(names, PREDICTED_CORRELATION.get(space, 0.0)).matrix


def _arrays(
    landmarks: LandmarkSet, names: Sequence[LandmarkName]
) -> tuple[FloatArray, FloatArray, list[bool]]:
    """Positions, covariances, and whether a covariance is the landmark's own.

    The default covariance says "nothing known" and is replaced by that of the landmark's kind.
    """
    marks = [mark for mark in landmarks.landmarks if mark.name in names]
    measured = [not np.array_equal(mark.covariance_mm2, _UNKNOWN) for mark in marks]
    image = int(landmarks.space is Space.US)
    covariances = [
        mark.covariance_mm2 if own else _OBSERVER[mark.name][image]
        for mark, own in zip(marks, measured, strict=True)
    ]
    positions = np.array([mark.position_mm for mark in marks]).reshape(-1, 3)
    return positions, np.array(covariances).reshape(-1, 3, 3), measured


_UNKNOWN = np.eye(3) * DEFAULT_SD_MM**2
_OBSERVER = {
    name: tuple(np.diag(np.square(sd)) for sd in both) for name, both in OBSERVER_SD_MM.items()
}


def _spread_mm(points_mm: FloatArray) -> float:
    """Root mean square distance of (N, 3) points from the line that fits them best."""
    centred = points_mm - points_mm.mean(axis=0)
    scatter = centred.T @ centred
    off_line = scatter.trace() - np.linalg.eigvalsh(scatter)[-1]
    return float(np.sqrt(max(off_line, 0.0) / len(points_mm)))
