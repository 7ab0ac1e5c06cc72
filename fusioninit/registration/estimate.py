"""What an estimator is given (`Evidence`) and what it answers (`Estimate` or `Unsolved`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fusioninit.landmarks import LABELS, REQUIRED_NAMES
from fusioninit.registration.center_prior import CenterPrior
from fusioninit.registration.deformation import DeformationModel
from fusioninit.registration.gland_shape import GlandShape
from fusioninit.registration.landmark_pairs import LandmarkPairs
from fusioninit.registration.posterior import PointsTerm, Pose, inverse, motion_jacobian, solve
from fusioninit.registration.rotation_prior import RotationPrior

FloatArray = NDArray[np.float64]

MIN_SPREAD_MM = 2.0
"""Least root mean square distance of the points from their best line. Below it a point error of
3 mm turns the pose about that line by more than 60 degrees: no rotation can be told."""


NOTHING_ASSUMED = RotationPrior.flat()
"""One for all fits: a drag makes hundreds of them."""


@dataclass(frozen=True)
class Unsolved:
    """No transform, and why, in one sentence."""

    reason: str


@dataclass(frozen=True, eq=False)
class FitModel:
    """What is assumed about pose and deformation before the points are seen.

    Of the translation nothing, unless `center` was learned: no frame fixes where a US image lies.
    """

    prior: RotationPrior = field(default_factory=RotationPrior.for_probe)
    deformation: DeformationModel = field(default_factory=DeformationModel)
    center: CenterPrior | None = None

    def without_pose(self) -> FitModel:
        """The same deformation; nothing is assumed of the pose."""
        return FitModel(NOTHING_ASSUMED, self.deformation)


@dataclass(frozen=True, eq=False)
class Evidence:
    """All that is known of one case, in both images."""

    pairs: LandmarkPairs
    model: FitModel
    fixed_gland: GlandShape | None = None
    moving_gland: GlandShape | None = None

    @property
    def glands(self) -> tuple[GlandShape, GlandShape] | None:
        """Fixed and moving gland where both are known, else None."""
        if self.fixed_gland is None or self.moving_gland is None:
            return None
        return self.fixed_gland, self.moving_gland


@dataclass(frozen=True, eq=False)
class Estimate:
    """A pose and how its error arises.

    Parameters
    ----------
    pose : Pose
        Moving to fixed.
    center_mm : (3,) array
        Fixed-frame point about which errors of the pose are stated (see `posterior`).
    covariance : (6, 6) array
        Of the pose's error (w rad, v mm), every assumed source of error included.
    gain : (6, 3N) array
        How the pose moves with the residual of each landmark.
    noise_mm2 : (3N, 3N) array
        Covariance assumed of the landmarks' residuals, deformation included; fixed frame.
    pairs : LandmarkPairs
        The landmarks that took part.
    """

    pose: Pose
    center_mm: FloatArray
    covariance: FloatArray
    gain: FloatArray
    noise_mm2: FloatArray
    pairs: LandmarkPairs
    method: str
    explanation: str
    dropped: tuple[str, ...] = ()

    @property
    def residuals_mm(self) -> FloatArray:
        """(N, 3) fixed minus moved landmarks."""
        return self.pairs.fixed_mm - self.pose.apply(self.pairs.moving_mm)

    @property
    def jacobian(self) -> FloatArray:
        """(3N, 6) derivative of the moved landmarks with respect to the pose."""
        moved = self.pose.apply(self.pairs.moving_mm)
        return motion_jacobian(moved, self.center_mm).reshape(-1, 6)

    @cached_property
    def residual_chi2(self) -> tuple[float, float]:
        """Weighted squared residual, and its mean if the assumed noise S holds, W = S^-1.

        With residual r = (I - J G) n the mean is trace(W (I - J G) S (I - J G)^T).
        """
        left_over = np.eye(len(self.noise_mm2)) - self.jacobian @ self.gain
        residual, weights = self.residuals_mm.ravel(), inverse(self.noise_mm2)
        expected = float((weights * (left_over @ self.noise_mm2 @ left_over.T)).sum())
        return float(residual @ weights @ residual), max(expected, 0.0)


def missing_points(pairs: LandmarkPairs) -> Unsolved | None:
    """Why fewer than the three required landmarks do not do, or None."""
    missing = [LABELS[name].lower() for name in REQUIRED_NAMES if name not in pairs.names]
    if not missing:
        return None
    return Unsolved(f"waiting for {', '.join(missing)} in both images")


def degenerate_points(pairs: LandmarkPairs) -> Unsolved | None:
    """Why these points determine no rotation (equal, or on one line), or None."""
    images = zip(("US", "MR"), pairs.closest_required, pairs.spreads_mm, strict=True)
    for image, (gap_mm, first, second), off_line in images:
        if gap_mm < MIN_SPREAD_MM:
            a, b = LABELS[first], LABELS[second].lower()
            return Unsolved(f"{a} and {b} lie on the same spot in {image}: move one of them")
        if off_line < MIN_SPREAD_MM:
            return Unsolved(
                f"the landmarks are nearly on one line in {image} (off-line spread "
                f"{off_line:.1f} mm, need {MIN_SPREAD_MM:.0f} mm): place one to the side"
            )
    return None


def linear_estimate(
    evidence: Evidence, pairs: LandmarkPairs, pose: Pose, weights: FloatArray, method: str
) -> Estimate:
    """The estimate at the optimum of a least-squares criterion with its honest covariance.

    `weights` (3N, 3N) are those the criterion used. The gain is (J^T W J)^-1 J^T W and the
    covariance the "sandwich" of the gain with the noise that is really assumed.
    """
    moved = pose.apply(pairs.moving_mm)
    center = moved.mean(axis=0)
    jacobian = motion_jacobian(moved, center).reshape(-1, 6)
    gain = solve(jacobian.T @ weights @ jacobian, jacobian.T @ weights)
    noise = PointsTerm(pairs, evidence.model.deformation).noise_mm2(pose.rotation)
    return Estimate(pose, center, gain @ noise @ gain.T, gain, noise, pairs, method, "")
