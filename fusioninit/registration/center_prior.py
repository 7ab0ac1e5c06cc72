"""What is known of the translation before any point is seen: `CenterPrior`, and its evidence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fusioninit.registration.posterior import Pose, Quadratic, motion_jacobian, solve
from fusioninit.registration.rotation_prior import MIN_SAMPLES, freeze_gaussian

FloatArray = NDArray[np.float64]

LEAST_SD_MM = 2.0
"""Added to every learned spread: eight patients alike by chance must not outweigh landmarks."""


@dataclass(frozen=True, eq=False)
class CenterPrior:
    """A Gaussian over where the mean of the moving required landmarks falls in the fixed frame.

    Said of the landmarks' mean and not of the translation vector itself, which depends on where
    the moving frame has its origin. Auxiliary landmarks would move the mean and take no part.

    Parameters
    ----------
    mean_mm : (3,) array
        Fixed frame, LPS mm.
    covariance_mm2 : (3, 3) array
    """

    mean_mm: FloatArray
    covariance_mm2: FloatArray

    def __post_init__(self) -> None:
        freeze_gaussian(self, "translation prior", "mean_mm", "covariance_mm2")

    @classmethod
    def learned(cls, centers_mm: ArrayLike) -> CenterPrior:
        """Mean and spread of the (N, 3) places measured on own cases.

        Raises
        ------
        ValueError
            Fewer than `MIN_SAMPLES` places.
        """
        centers = np.asarray(centers_mm, dtype=np.float64)
        if centers.ndim != 2 or len(centers) < MIN_SAMPLES:
            raise ValueError(
                f"learning a translation prior needs at least {MIN_SAMPLES} places (N, 3), "
                f"found shape {centers.shape}"
            )
        return cls(centers.mean(axis=0), np.cov(centers.T) + LEAST_SD_MM**2 * np.eye(3))

    def moved(self, by_mm: ArrayLike) -> CenterPrior:
        """The same prior in a frame in which every point lies `by_mm` (3,) further."""
        return CenterPrior(self.mean_mm + np.asarray(by_mm), self.covariance_mm2)


class CenterTerm:
    """A `CenterPrior` as a term of the posterior; see `posterior.Term`."""

    def __init__(self, prior: CenterPrior, moving_mm: FloatArray) -> None:
        """`moving_mm` (3, 3) are the three required landmarks."""
        self._prior = prior
        self._center_mm = moving_mm.mean(axis=0, keepdims=True)

    def linearise(self, pose: Pose, center_mm: FloatArray) -> Quadratic:
        """See `Term`."""
        moved = pose.apply(self._center_mm)
        residual = self._prior.mean_mm - moved[0]
        jacobian = motion_jacobian(moved, center_mm)[0]
        weighted = solve(self._prior.covariance_mm2, np.column_stack([jacobian, residual]))
        joint = jacobian.T @ weighted
        return Quadratic(joint[:, :6], joint[:, 6], float(residual @ weighted[:, 6]))
