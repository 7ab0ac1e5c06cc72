"""The field's error measures, each defined once by its formula and source.

A residual (FRE) is never an accuracy: it says how well points used in a fit agree, TRE and SRE
say how far off points are that were not used.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from fusioninit.geometry import Grid, RigidTransform, rotation_vector_rad
from fusioninit.landmarks import LandmarkName, LandmarkSet

FloatArray = NDArray[np.float64]


def radial_errors_mm(predicted: LandmarkSet, true: LandmarkSet) -> Mapping[LandmarkName, float]:
    """Distance of each predicted landmark from the true one, for names that both sets hold.

    The mean over landmarks and cases is the mean radial error (MRE).

    Raises
    ------
    ValueError
        The sets lie in different spaces.
    """
    if predicted.space != true.space:
        raise ValueError(f"cannot compare landmarks of {predicted.space} with {true.space}")
    return {
        name: float(np.linalg.norm(predicted[name].position_mm - true[name].position_mm))
        for name in predicted
        if name in true
    }


def mean_radial_error_mm(predicted_mm: ArrayLike, true_mm: ArrayLike) -> float:
    """MRE: mean Euclidean distance over (..., 3) points."""
    gap = np.asarray(predicted_mm, dtype=np.float64) - np.asarray(true_mm, dtype=np.float64)
    return float(np.linalg.norm(gap, axis=-1).mean())


def fiducial_registration_error_mm(
    fixed_from_moving: RigidTransform, fixed_mm: ArrayLike, moving_mm: ArrayLike
) -> float:
    """FRE: root mean square residual of the (N, 3) points that made the fit (Fitzpatrick 1998)."""
    gap = fixed_from_moving.apply(moving_mm) - np.asarray(fixed_mm, dtype=np.float64)
    return float(np.sqrt((gap**2).sum(axis=-1).mean()))


def target_registration_errors_mm(
    fixed_from_moving: RigidTransform, fixed_mm: ArrayLike, moving_mm: ArrayLike
) -> FloatArray:
    """TRE: distance at each of (N, 3) corresponding points that did not make the fit."""
    gap = fixed_from_moving.apply(moving_mm) - np.asarray(fixed_mm, dtype=np.float64)
    return np.asarray(np.linalg.norm(gap, axis=-1), dtype=np.float64)


def surface_registration_error_mm(
    t_gt: RigidTransform, t_pred: RigidTransform, surface_mr_mm: ArrayLike
) -> float:
    """SRE, equation 6 of the paper: `1/n sum_i ||T_gt(S_i) - T_pred(S_i)||`.

    `surface_mr_mm` (n, 3) are the points S_i of the MR gland's surface; both transforms are
    `us_from_mr`.

    Raises
    ------
    ValueError
        The transforms join different spaces, or there is no surface point.
    """
    if (t_gt.target, t_gt.source) != (t_pred.target, t_pred.source):
        raise ValueError(
            f"cannot compare {t_gt.target}_from_{t_gt.source} with "
            f"{t_pred.target}_from_{t_pred.source}"
        )
    surface = np.asarray(surface_mr_mm, dtype=np.float64)
    if surface.ndim != 2 or len(surface) == 0:
        raise ValueError(f"SRE needs (n, 3) surface points, found shape {surface.shape}")
    return float(np.linalg.norm(t_gt.apply(surface) - t_pred.apply(surface), axis=-1).mean())


def residual_rotation_deg(t_gt: RigidTransform, t_pred: RigidTransform) -> float:
    """Norm of the rotation vector of `R_gt R_pred^-1`, degrees (the paper's table 4)."""
    return float(np.degrees(np.linalg.norm(rotation_vector_rad(t_gt.rotation @ t_pred.rotation.T))))


def dice(first: ArrayLike, second: ArrayLike) -> float:
    """Dice 1945: `2 |A and B| / (|A| + |B|)` of two masks (> 0.5) on one grid; 1 if both empty."""
    a, b = np.asarray(first) > 0.5, np.asarray(second) > 0.5
    if a.shape != b.shape:
        raise ValueError(f"Dice compares masks on one grid, found shapes {a.shape} and {b.shape}")
    total = int(a.sum()) + int(b.sum())
    return 1.0 if total == 0 else 2.0 * int((a & b).sum()) / total


def mask_on_grid(
    mask: ArrayLike, grid: Grid, *, onto: Grid, onto_from_mask: RigidTransform
) -> NDArray[np.bool_]:
    """A (k, j, i) mask resampled onto another grid through a transform (linear, level 0.5)."""
    inverse = onto_from_mask.inverse()
    index = grid.to_index(inverse.apply(onto.points_mm().reshape(-1, 3)))
    soft = ndimage.map_coordinates(
        (np.asarray(mask) > 0.5).astype(np.float32), index[:, ::-1].T, order=1, mode="constant"
    )
    inside: NDArray[np.bool_] = soft.reshape(onto.shape) >= 0.5
    return inside


def histogram(values: ArrayLike, upper_edges: ArrayLike) -> NDArray[np.int_]:
    """How many values lie up to each edge and above the one before (tables 3 and 4).

    >>> histogram([1, 5, 6, 29, 99], [5, 10, 15, 20, 25, 30, 45])
    array([2, 1, 0, 0, 0, 1, 0])
    """
    edges = np.concatenate([[-np.inf], np.asarray(upper_edges, dtype=np.float64)])
    place = np.searchsorted(edges, np.asarray(values, dtype=np.float64), side="left")
    return np.bincount(place, minlength=len(edges) + 1)[1 : len(edges)]
