"""Terms of the posterior that two gland shapes give: centroids, and surface on surface."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fusioninit.registration.deformation import DeformationModel
from fusioninit.registration.gland_shape import GlandShape
from fusioninit.registration.posterior import Pose, Quadratic, inverse, motion_jacobian, solve

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
        weighted = solve(noise, np.column_stack([jacobian, residual]))
        joint = jacobian.T @ weighted
        return Quadratic(joint[:, :6], joint[:, 6], float(residual @ weighted[:, 6]))


class SurfaceTerm:
    """Each gland's sampled surface points lie on the other's surface, measured along its normal.

    Neighbouring residuals share their deformation: their covariance is that of the deformation
    along the normals plus each surface's own SD, so 150 points count as the dozen independent
    patches that they are. MR onto US and US onto MR say the same thing twice and count half
    each. A gland that its image cuts is a part of the other: then only its own points look for
    partners, since the other's may have none.
    """

    def __init__(
        self, fixed: GlandShape, moving: GlandShape, deformation: DeformationModel
    ) -> None:
        self._fixed, self._moving = fixed, moving
        self._fixed_points, self._fixed_normals = _sampled(fixed)
        self._moving_points, self._moving_normals = _sampled(moving)
        share = 0.5 if fixed.is_cut == moving.is_cut else 1.0
        self._onto_fixed = None if share == 1.0 and fixed.is_cut else share
        self._onto_moving = None if share == 1.0 and moving.is_cut else share
        self._deformation = deformation

    def linearise(self, pose: Pose, center_mm: FloatArray) -> Quadratic:
        """See `posterior.Term`."""
        parts = []
        if self._onto_fixed is not None:
            parts.append(self._moving_onto_fixed(pose, center_mm, self._onto_fixed))
        if self._onto_moving is not None:
            parts.append(self._fixed_onto_moving(pose, center_mm, self._onto_moving))
        information = sum((part.information for part in parts), np.zeros((6, 6)))
        gradient = sum((part.gradient for part in parts), np.zeros(6))
        return Quadratic(information, gradient, sum(part.cost for part in parts))

    def _moving_onto_fixed(self, pose: Pose, center_mm: FloatArray, share: float) -> Quadratic:
        points = pose.apply(self._moving_points)
        gaps, normals = self._fixed.surface_field.gaps_and_normals(points)
        facing = (normals * (self._moving_normals @ pose.rotation.T)).sum(axis=1) > 0
        precision = _precision(self._moving, self._deformation, self._fixed.surface_sd_mm) * share
        return _planes(points - center_mm, normals, gaps * facing, facing, precision)

    def _fixed_onto_moving(self, pose: Pose, center_mm: FloatArray, share: float) -> Quadratic:
        sought = (self._fixed_points - pose.translation_mm) @ pose.rotation
        gaps, normals = self._moving.surface_field.gaps_and_normals(sought)
        normals = normals @ pose.rotation.T
        facing = (normals * self._fixed_normals).sum(axis=1) > 0
        precision = _precision(self._fixed, self._deformation, self._moving.surface_sd_mm) * share
        return _planes(self._fixed_points - center_mm, normals, -gaps * facing, facing, precision)


def _planes(
    lever_mm: FloatArray,
    normals: FloatArray,
    gaps_mm: FloatArray,
    facing: NDArray[np.bool_],
    precision: FloatArray,
) -> Quadratic:
    """Point-to-plane evidence; pairs whose normals oppose each other say nothing."""
    jacobian = np.hstack([np.cross(lever_mm, normals), normals]) * facing[:, None]
    weighted = precision @ np.column_stack([jacobian, gaps_mm])
    joint = jacobian.T @ weighted
    return Quadratic(joint[:, :6], joint[:, 6], float(gaps_mm @ weighted[:, 6]))


def _sampled(shape: GlandShape) -> tuple[FloatArray, FloatArray]:
    return shape.surface_mm[shape.sample], shape.normals[shape.sample]


@lru_cache(maxsize=16)
def _precision(shape: GlandShape, deformation: DeformationModel, other_sd_mm: float) -> FloatArray:
    """(M, M) inverse covariance of the surface residuals; once per gland, not once per drag."""
    points, normals = _sampled(shape)
    noise = deformation.normal_covariance_mm2(points - shape.centroid_mm, normals)
    noise += np.eye(len(points)) * (other_sd_mm**2 + shape.surface_sd_mm**2)
    return inverse(noise)
