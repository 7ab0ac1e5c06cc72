"""How far off a fitted transform may be at any point: predicted target registration error (TRE)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import fdtri, gammaln

from fusioninit.landmarks import READER_NAMES
from fusioninit.registration.deformation import DeformationModel
from fusioninit.registration.estimate import Estimate
from fusioninit.registration.posterior import motion_jacobian

FloatArray = NDArray[np.float64]

SCALE_DOF = 8.0
"""Weight of the assumed noise against the residuals seen, in degrees of freedom: standard
deviations known to 25 % are variances known to 50 %, and 2 / 0.5^2 = 8."""

PREDICTED_SCALE_DOF = 2.0
"""The same weight where a network found more landmarks than a reader knows: how far its card
holds on an image unlike those that it was trained on is known to a factor of two, 2 / 1^2 = 2."""

PREDICTED_EXCESS = 2.0
"""How much larger the variance of such a pose is than residuals tell: what a network's landmarks
err in common does not show in them. On 300 synthetic pairs outside the benchmark the 95 % bound
then holds 97 % of the errors. On 45 targets of 32 real pairs, whose blurred images are unlike the
training's and whose errors are three times as large, it holds 89 % (51 % without both)."""

COVERAGE = 0.95


class PredictedError(NamedTuple):
    """Expected TRE and the bound that 95 % of errors stay under, mm; one per point asked."""

    mean_mm: FloatArray
    upper_mm: FloatArray


@dataclass(frozen=True, eq=False)
class ErrorModel:
    """The error of a pose at targets: pose error plus the deformation no pose can follow.

    At a target p the error is `J(p) d - u(p)`, with d the pose's error and u the deformation.
    d is made by the deformation u(p_i) at the landmarks too, through the gain, so the two are
    correlated: close to a landmark they cancel.
    """

    estimate: Estimate
    deformation: DeformationModel
    scale2: float
    dof: float

    @classmethod
    def of(cls, estimate: Estimate, deformation: DeformationModel) -> ErrorModel:
        """The model, with the noise rescaled by what the residuals say of it."""
        chi2, dof = estimate.residual_chi2
        own, excess = SCALE_DOF, 1.0
        if estimate.pairs.hold_predicted and len(estimate.pairs) > len(READER_NAMES):
            own, excess = PREDICTED_SCALE_DOF, PREDICTED_EXCESS
        return cls(estimate, deformation, excess * (own + chi2) / (own + dof), own + dof)

    def covariance_mm2(self, points_mm: FloatArray) -> FloatArray:
        """(N, 3, 3) covariance, fixed frame, of the error at (N, 3) points of the moving image."""
        estimate = self.estimate
        moved = estimate.pose.apply(points_mm)
        jacobian = motion_jacobian(moved, estimate.center_mm)
        covariance = jacobian @ estimate.covariance @ jacobian.transpose(0, 2, 1)
        landmarks = estimate.pose.apply(estimate.pairs.moving_mm)
        middle = landmarks.mean(axis=0)
        shared = self.deformation.covariance_mm2(landmarks - middle, moved - middle)
        shared = shared.reshape(3 * len(landmarks), len(moved), 3)
        carried = np.tensordot(estimate.gain, shared, axes=(1, 0))
        cross = jacobian @ carried.transpose(1, 0, 2)
        covariance += self.deformation.variance_mm2(moved - middle)
        covariance -= cross + cross.transpose(0, 2, 1)
        scaled: FloatArray = covariance * self.scale2
        return scaled

    def predict(self, points_mm: ArrayLike) -> PredictedError:
        """Expected error and 95 % bound at (N, 3) or (3,) points of the moving image."""
        points = np.asarray(points_mm, dtype=np.float64)
        covariance = self.covariance_mm2(points.reshape(-1, 3))
        mean, upper = length_statistics(covariance, dof=self.dof)
        shape = points.shape[:-1]
        return PredictedError(mean.reshape(shape), upper.reshape(shape))

    def sensitivity(self, target_mm: ArrayLike) -> dict[str, float]:
        """Largest shift (mm) of one target (3,) when a landmark moves by 1 mm, by landmark."""
        estimate = self.estimate
        moved = estimate.pose.apply(np.asarray(target_mm, dtype=np.float64).reshape(1, 3))
        response = motion_jacobian(moved, estimate.center_mm)[0] @ estimate.gain
        blocks = response.reshape(3, -1, 3).transpose(1, 0, 2)
        largest = np.linalg.norm(blocks, ord=2, axis=(1, 2))
        return dict(zip(estimate.pairs.names, map(float, largest), strict=True))


def length_statistics(
    covariance_mm2: FloatArray, *, dof: float = float("inf")
) -> tuple[FloatArray, FloatArray]:
    """Mean and 95 % quantile (N,) of the length of Gaussian vectors with (N, 3, 3) covariance.

    The squared length is matched by a scaled chi-square of the same mean and variance
    (Satterthwaite 1946); with a noise scale known to `dof` degrees of freedom the quantile is
    an F distribution's.
    """
    mean2 = np.trace(covariance_mm2, axis1=1, axis2=2)
    half_variance = (covariance_mm2**2).sum(axis=(1, 2))
    freedom = np.clip(mean2**2 / np.maximum(half_variance, 1e-300), 1.0, 3.0)
    step = np.exp(gammaln((freedom + 1) / 2) - gammaln(freedom / 2))
    mean = np.sqrt(2 * mean2 / freedom) * step
    upper = np.sqrt(mean2 * fdtri(freedom, min(dof, 1e6), COVERAGE))
    return mean, upper


def fitzpatrick_tre2_mm2(
    landmarks_mm: ArrayLike, targets_mm: ArrayLike, *, fle2_mm2: float
) -> FloatArray:
    """Expected squared TRE (N,) of the SVD fit, isotropic equal noise, at (N, 3) targets.

    `fle2_mm2` is the expected squared localisation error E[|e|^2] of one landmark (both images
    together). Fitzpatrick, West, Maurer, IEEE TMI 17(5), 1998, equation 46:
    `TRE^2 = FLE^2 / N (1 + 1/3 sum_k d_k^2 / f_k^2)`, d_k the target's and f_k the landmarks'
    root mean square distance from principal axis k.
    """
    landmarks = np.asarray(landmarks_mm, dtype=np.float64)
    center = landmarks.mean(axis=0)
    _, _, axes = np.linalg.svd(landmarks - center)
    own = (landmarks - center) @ axes.T
    target = (np.asarray(targets_mm, dtype=np.float64) - center) @ axes.T
    from_axis = (target**2).sum(axis=-1, keepdims=True) - target**2
    spread = ((own**2).sum(axis=-1, keepdims=True) - own**2).mean(axis=0)
    expected: FloatArray = fle2_mm2 / len(landmarks) * (1 + (from_axis / spread).sum(axis=-1) / 3)
    return expected
