"""The one place where `us_from_mr` is turned round, and LPS becomes RAS.

ITK, ANTs, elastix, NiftyReg and greedy store the pull-back `mr_from_us`: it takes a point of the
US grid to the MR point whose intensity belongs there. Slicer, NIfTI, NiftyReg and greedy use RAS.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fusioninit.geometry import RigidTransform, Space

FloatArray = NDArray[np.float64]

_FLIP = np.diag([-1.0, -1.0, 1.0, 1.0])

CHECK_POINTS_US_MM: FloatArray = np.array(
    [[0.0, 0.0, 0.0], [40.0, -25.0, 10.0], [-30.0, 60.0, 85.0]]
)
"""(3, 3) US points (LPS mm) whose MR images are written beside a transform, for any reader."""

MAX_RESIDUAL_MM = 1e-3
"""A file whose read-back moves a landmark by more than this is never put in place."""


class WrittenFileError(OSError):
    """A file that, read back, does not say what was written. Nothing was put in place."""


def require_us_from_mr(transform: RigidTransform) -> RigidTransform:
    """`transform` itself, if it takes MR points to US points; ValueError otherwise."""
    if (transform.target, transform.source) != (Space.US, Space.MR):
        raise ValueError(
            f"expected us_from_mr, found {transform.target}_from_{transform.source}: invert it"
        )
    return transform


def pull_back(us_from_mr: RigidTransform) -> FloatArray:
    """(4, 4) LPS matrix that takes US points to MR points: what resamples MR onto the US grid."""
    return require_us_from_mr(us_from_mr).inverse().matrix


def from_pull_back(matrix: ArrayLike) -> RigidTransform:
    """`us_from_mr` of a (4, 4) LPS pull-back; ValueError where it is not rigid."""
    return RigidTransform(Space.MR, Space.US, np.asarray(matrix, dtype=np.float64)).inverse()


def to_ras(matrix: ArrayLike) -> FloatArray:
    """A (4, 4) LPS-to-LPS matrix as RAS-to-RAS, and the reverse.

    >>> to_ras([[1, 0, 0, 5], [0, 1, 0, 6], [0, 0, 1, 7], [0, 0, 0, 1]])[:3, 3]
    array([-5., -6.,  7.])
    """
    flipped: FloatArray = _FLIP @ np.asarray(matrix, dtype=np.float64) @ _FLIP
    return flipped


def check_points_us_mm(points_mm: ArrayLike | None = None) -> FloatArray:
    """(N, 3) points to verify a file with: the standard three, and those given."""
    if points_mm is None:
        return CHECK_POINTS_US_MM
    extra = np.asarray(points_mm, dtype=np.float64).reshape(-1, 3)
    return np.concatenate([CHECK_POINTS_US_MM, extra])


def residual_mm(
    first: RigidTransform, second: RigidTransform, points_us_mm: ArrayLike | None = None
) -> float:
    """Largest distance (mm) between where two transforms take the check points into the MR."""
    points = check_points_us_mm(points_us_mm)
    apart = first.inverse().apply(points) - second.inverse().apply(points)
    return float(np.linalg.norm(apart, axis=-1).max())
