"""Least-squares rigid transform between paired points, in closed form by SVD.

Arun, Huang, Blostein, PAMI 1987 (the paper's reference [19]); the reflection case after
Umeyama, PAMI 1991, equation 43.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


def arun_rigid(
    fixed_mm: ArrayLike, moving_mm: ArrayLike, weights: ArrayLike | None = None
) -> tuple[FloatArray, FloatArray]:
    """Rotation R and translation t that minimise `sum_i w_i ||fixed_i - (R moving_i + t)||^2`.

    Parameters
    ----------
    fixed_mm, moving_mm : (..., N, 3) arrays
        Paired points; leading axes are batched.
    weights : (..., N) array, optional
        Non-negative; equal weights by default.

    Returns
    -------
    rotation : (..., 3, 3) array
        Proper, det +1, also where the points alone would prefer a reflection.
    translation_mm : (..., 3) array
    """
    fixed, moving = np.asarray(fixed_mm, float), np.asarray(moving_mm, float)
    weight = np.ones(fixed.shape[:-1]) if weights is None else np.asarray(weights, float)
    weight = (weight / weight.sum(axis=-1, keepdims=True))[..., None]
    fixed_center = (weight * fixed).sum(axis=-2, keepdims=True)
    moving_center = (weight * moving).sum(axis=-2, keepdims=True)
    covariance = np.swapaxes(weight * (fixed - fixed_center), -1, -2) @ (moving - moving_center)
    left, _, right = np.linalg.svd(covariance)
    sign = np.ones(covariance.shape[:-1])
    sign[..., 2] = np.sign(np.linalg.det(left) * np.linalg.det(right))
    rotation = (left * sign[..., None, :]) @ right
    turned_center = (rotation @ moving_center[..., 0, :, None])[..., 0]
    translation = fixed_center[..., 0, :] - turned_center
    return rotation, translation
