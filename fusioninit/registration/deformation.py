"""How the gland changes shape between MR and US: the part that no rigid transform removes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

MATERN_REACH = 1.35
"""Makes the Matern 3/2 kernel fall to exp(-1/2) at the correlation length, as a Gaussian does. A
Gaussian kernel itself would be too smooth to be true: under it, the surfaces of two deformed
glands fix their common translation far better than the deformation's own mean lets them."""


@dataclass(frozen=True)
class DeformationModel:
    """A random smooth displacement plus a random symmetric stretch; Gaussian, zero mean.

    The defaults are the figures by which synthetic pairs are deformed: a smooth field of 1 to
    3 mm with correlation length 15 to 25 mm, and an affine stretch of +-12 % (uniform, so
    7 % SD). Both kernels turn with the frame, so results do not depend on it.

    Parameters
    ----------
    smooth_sd_mm : float
        SD per axis of the smooth field.
    correlation_mm : float
        Distance at which its correlation has fallen to 0.61.
    stretch_sd : float
        SD of the strain along any axis, about the gland's centre.
    """

    smooth_sd_mm: float = 2.0
    correlation_mm: float = 20.0
    stretch_sd: float = 0.07

    @classmethod
    def rigid(cls) -> DeformationModel:
        """A gland that keeps its shape."""
        return cls(0.0, 1.0, 0.0)

    def covariance_mm2(self, first_mm: FloatArray, second_mm: FloatArray) -> FloatArray:
        """(..., A, 3, B, 3) covariance of displacements at (..., A, 3) and (..., B, 3) points.

        Points are mm relative to the gland's centre. With S symmetric, entries of variance s^2
        on and s^2/2 off the diagonal, Cov(S x, S y) = s^2/2 ((x . y) I + y x^T).
        """
        first, second = first_mm[..., :, None, :], second_mm[..., None, :, :]
        half = self.stretch_sd**2 / 2
        isotropic = self._smooth_mm2(((first - second) ** 2).sum(axis=-1))
        isotropic += half * (first_mm @ np.swapaxes(second_mm, -1, -2))
        joint = half * second[..., :, None] * first[..., None, :]
        joint += isotropic[..., None, None] * np.eye(3)
        return np.swapaxes(joint, -3, -2)

    def _smooth_mm2(self, gap2_mm2: FloatArray) -> FloatArray:
        """Covariance per axis of the smooth field at squared distances (mm^2)."""
        reach = (MATERN_REACH / self.correlation_mm) * np.sqrt(gap2_mm2)
        return self.smooth_sd_mm**2 * (1 + reach) * np.exp(-reach)

    def variance_mm2(self, points_mm: FloatArray) -> FloatArray:
        """(N, 3, 3) covariance of the displacement at each of (N, 3) centred points."""
        half = self.stretch_sd**2 / 2
        own = self.smooth_sd_mm**2 + half * (points_mm**2).sum(axis=-1)
        outer: FloatArray = half * points_mm[:, :, None] * points_mm[:, None, :]
        return outer + own[:, None, None] * np.eye(3)

    def normal_covariance_mm2(self, points_mm: FloatArray, normals: FloatArray) -> FloatArray:
        """(N, N) covariance of the displacement along (N, 3) normals at centred points."""
        gap2 = ((points_mm[:, None, :] - points_mm[None, :, :]) ** 2).sum(axis=-1)
        half = self.stretch_sd**2 / 2
        isotropic = self._smooth_mm2(gap2)
        isotropic += half * (points_mm @ points_mm.T)
        crossed = normals @ points_mm.T
        covariance: FloatArray = isotropic * (normals @ normals.T) + half * crossed * crossed.T
        return covariance
