"""Terms of the posterior that two gland shapes give: centroids, and surface on surface."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fusioninit.registration.deformation import DeformationModel
from fusioninit.registration.gland_shape import GlandShape
from fusioninit.registration.posterior import Pose, Quadratic, motion_jacobian

FloatArray = NDArray[np.float64]


class CentroidTerm:
    """The moving gland's centroid falls on the fixed one's, within both covariances."""

    def __init__(self, fixed: GlandShape, moving: GlandShape) -> None:
        self._fixed, self._moving = fixed, moving

    def linearise(self, pose: Pose, center_mm: FloatArray) -> Quadratic:
        """See `posterior.Term`."""
        moved = pose.apply(self._moving.centroid_mm[None])
        noise = self._fixed.centroid_covariance_mm2 + (
            pose.rotation @ self._moving.centroid_covariance_mm2 @ pose.rotation.T
        )
        residual = self._fixed.centroid_mm - moved[0]
        jacobian = motion_jacobian(moved, center_mm)[0]
        weighted = np.linalg.solve(noise, np.column_stack([jacobian, residual]))
        joint = jacobian.T @ weighted
        return Quadratic(joint[:, :6], joint[:, 6], float(residual @ weighted[:, 6]))


class SurfaceTerm:
    """Sampled moving surface points lie on the tangent planes of their nearest fixed points.

    Neighbouring residuals share their deformation: their covariance is that of the deformation
    along the normals plus each surface's own SD, so 150 points count as the dozen independent
    patches that they are.
    """

    def __init__(
        self, fixed: GlandShape, moving: GlandShape, deformation: DeformationModel
    ) -> None:
        self._fixed = fixed
        self._points_mm = moving.surface_mm[moving.sample]
        self._precision = _precision(moving, deformation, fixed.surface_sd_mm)

    def linearise(self, pose: Pose, center_mm: FloatArray) -> Quadratic:
        """See `posterior.Term`."""
        moved = pose.apply(self._points_mm)
        _, nearest = self._fixed.tree.query(moved)
        normals = self._fixed.normals[nearest]
        residual = ((self._fixed.surface_mm[nearest] - moved) * normals).sum(axis=1)
        jacobian = np.hstack([np.cross(moved - center_mm, normals), normals])
        weighted = self._precision @ np.column_stack([jacobian, residual])
        joint = jacobian.T @ weighted
        return Quadratic(joint[:, :6], joint[:, 6], float(residual @ weighted[:, 6]))


@lru_cache(maxsize=8)
def _precision(moving: GlandShape, deformation: DeformationModel, fixed_sd_mm: float) -> FloatArray:
    """(M, M) inverse covariance of the surface residuals; once per gland, not once per drag."""
    points, normals = moving.surface_mm[moving.sample], moving.normals[moving.sample]
    centred = points - moving.centroid_mm
    joint = deformation.covariance_mm2(centred, centred)
    noise = np.einsum("ai,aibj,bj->ab", normals, joint, normals, optimize=True)
    noise += np.eye(len(points)) * (fixed_sd_mm**2 + moving.surface_sd_mm**2)
    precision: FloatArray = np.linalg.inv(noise).astype(np.float64)
    return precision
