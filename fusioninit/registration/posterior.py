"""The posterior of a rigid transform: terms of evidence, and Gauss-Newton on SE(3) over them.

A pose is `x -> R x + t`, moving to fixed. A change of pose is a vector (w, v), rotation in
radians and translation in mm, applied on the fixed side about a centre c:
`x -> Exp(w) (R x + t - c) + c + v`. Covariances (6, 6) are of that vector, in that order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from fusioninit.registration.deformation import DeformationModel
from fusioninit.registration.landmark_pairs import LandmarkPairs, noise_mm2
from fusioninit.registration.rotation_prior import RotationPrior
from fusioninit.registration.rotations import exponential, logarithm, logarithm_jacobian

FloatArray = NDArray[np.float64]

MAX_ITERATIONS = 60
CONVERGED_MM = 1e-4
"""Step at which iteration stops; a radian counts as `LEVER_MM`. Far below any image's detail."""

SHRINKING = 0.95
"""A step at least this long, relative to the one before, counts as going back and forth."""

SHORTENED = 0.6
"""Factor by which steps are then shortened, for good."""

LEVER_MM = 25.0
"""Half a gland: turns radians into mm where one number must judge both."""


class Pose(NamedTuple):
    """Rotation (3, 3) and translation (3,) mm, moving to fixed."""

    rotation: FloatArray
    translation_mm: FloatArray

    def apply(self, points_mm: FloatArray) -> FloatArray:
        """(N, 3) moving points in the fixed frame."""
        moved: FloatArray = points_mm @ self.rotation.T + self.translation_mm
        return moved

    def changed(self, step: FloatArray, center_mm: FloatArray) -> Pose:
        """The pose after a change (w, v) about `center_mm`."""
        turn = exponential(step[:3])
        rotation = turn @ self.rotation
        translation = turn @ (self.translation_mm - center_mm) + center_mm + step[3:]
        return Pose(rotation, translation)


class Quadratic(NamedTuple):
    """Evidence near a pose: `cost(step) = cost - 2 gradient.step + step.information.step`."""

    information: FloatArray
    gradient: FloatArray
    cost: float


class Term(Protocol):
    """One piece of evidence. `cost` is -2 log likelihood up to a constant."""

    def linearise(self, pose: Pose, center_mm: FloatArray) -> Quadratic:
        """The evidence about `pose` for changes about `center_mm`."""
        ...


@dataclass(frozen=True, eq=False)
class Solution:
    """Where Gauss-Newton stopped: the mode, its inverse information (6, 6) and its cost."""

    pose: Pose
    center_mm: FloatArray
    covariance: FloatArray
    cost: float
    converged: bool


def motion_jacobian(points_mm: FloatArray, center_mm: FloatArray) -> FloatArray:
    """(..., 3, 6) derivative of (..., 3) fixed-frame points with respect to (w, v)."""
    lever = points_mm - center_mm
    jacobian = np.zeros((*lever.shape, 6))
    x, y, z = lever[..., 0], lever[..., 1], lever[..., 2]
    jacobian[..., 0, 1], jacobian[..., 0, 2] = z, -y
    jacobian[..., 1, 0], jacobian[..., 1, 2] = -z, x
    jacobian[..., 2, 0], jacobian[..., 2, 1] = y, -x
    jacobian[..., 0, 3] = jacobian[..., 1, 4] = jacobian[..., 2, 5] = 1.0
    return jacobian


def solve(matrix: FloatArray, right: FloatArray) -> FloatArray:
    """`matrix^-1 right` in double precision."""
    return np.linalg.solve(matrix, right).astype(np.float64, copy=False)


def inverse(matrix: FloatArray) -> FloatArray:
    """`matrix^-1` in double precision."""
    return np.linalg.inv(matrix).astype(np.float64, copy=False)


class LandmarkNoise:
    """Covariance of landmark residuals: both images' own errors, and deformation.

    Fields are those of `LandmarkPairs`, with any leading axes for many cases at once.
    """

    def __init__(
        self,
        deformation: DeformationModel,
        *,
        moving_mm: FloatArray,
        fixed_covariance_mm2: FloatArray,
        moving_covariance_mm2: FloatArray,
        correlation: FloatArray,
    ) -> None:
        *batch, count, _ = moving_mm.shape
        centred = moving_mm - moving_mm.mean(axis=-2, keepdims=True)
        shape_change = deformation.covariance_mm2(centred, centred)
        self._moving = noise_mm2(moving_covariance_mm2, correlation[1])
        self._moving += shape_change.reshape(*batch, 3 * count, 3 * count)
        self._fixed = noise_mm2(fixed_covariance_mm2, correlation[0])

    def turned_mm2(self, rotation: FloatArray) -> FloatArray:
        """(..., 3N, 3N) in the fixed frame, the moving image's share turned by (..., 3, 3)."""
        *batch, size, _ = self._fixed.shape
        turn = rotation[..., None, :, :]
        half = (turn @ self._moving.reshape(*batch, -1, 3, size)).reshape(*batch, size, -1, 3)
        turned = half @ np.swapaxes(turn, -1, -2)
        noise: FloatArray = turned.reshape(*batch, size, size) + self._fixed
        return noise


class PointsTerm:
    """Paired landmarks: residuals are Gaussian with both images' covariances and deformation."""

    def __init__(self, pairs: LandmarkPairs, deformation: DeformationModel) -> None:
        self.pairs = pairs
        self._noise = LandmarkNoise(
            deformation,
            moving_mm=pairs.moving_mm,
            fixed_covariance_mm2=pairs.fixed_covariance_mm2,
            moving_covariance_mm2=pairs.moving_covariance_mm2,
            correlation=pairs.correlation,
        )

    def noise_mm2(self, rotation: FloatArray) -> FloatArray:
        """(3N, 3N) covariance of the residuals in the fixed frame."""
        return self._noise.turned_mm2(rotation)

    def linearise(self, pose: Pose, center_mm: FloatArray) -> Quadratic:
        """See `Term`."""
        moved = pose.apply(self.pairs.moving_mm)
        residual = (self.pairs.fixed_mm - moved).ravel()
        jacobian = motion_jacobian(moved, center_mm).reshape(-1, 6)
        both = np.column_stack([jacobian, residual])
        weighted = solve(self.noise_mm2(pose.rotation), both)
        joint = jacobian.T @ weighted
        return Quadratic(joint[:, :6], joint[:, 6], float(residual @ weighted[:, 6]))


class PriorTerm:
    """A rotation prior. In the tail of a Student-t its pull is weakened (iterated weights)."""

    def __init__(self, prior: RotationPrior) -> None:
        self.prior = prior

    def linearise(self, pose: Pose, center_mm: FloatArray) -> Quadratic:
        """See `Term`."""
        vector = logarithm(pose.rotation)
        offset = vector - self.prior.mean_rad
        distance2 = float(offset @ self.prior.precision @ offset)
        jacobian = logarithm_jacobian(vector)
        pull = jacobian.T @ self.prior.precision * self.prior.weight(distance2)
        information, gradient = np.zeros((6, 6)), np.zeros(6)
        information[:3, :3] = pull @ jacobian
        gradient[:3] = -pull @ offset
        return Quadratic(information, gradient, self._cost(distance2))

    def _cost(self, distance2: float) -> float:
        dof = self.prior.dof
        if not np.isfinite(dof):
            return distance2
        return (dof + 3) * float(np.log1p(distance2 / dof))


def maximise(
    start: Pose,
    terms: Sequence[Term],
    center_mm: FloatArray,
    *,
    tolerance_mm: float = CONVERGED_MM,
    max_iterations: int = MAX_ITERATIONS,
) -> Solution:
    """Gauss-Newton from `start` to the mode of the terms' product.

    Weights that change with the pose (closest points, covariances that turn, a tail) make this
    a fixed-point iteration that can go back and forth: whenever a step is hardly shorter than
    the one before, it and all later ones are shortened.
    """
    pose, before, scale, converged = start, float("inf"), 1.0, False
    for _ in range(max_iterations):
        local = _sum(terms, pose, center_mm)
        step = solve(local.information, local.gradient)
        size = LEVER_MM * float(np.sqrt(step[:3] @ step[:3])) + float(np.sqrt(step[3:] @ step[3:]))
        if size > SHRINKING * before:
            scale *= SHORTENED
        pose = pose.changed(scale * step, center_mm)
        before, converged = size, scale * size < tolerance_mm
        if converged:
            break
    return Solution(pose, center_mm, inverse(local.information), local.cost, converged)


def _sum(terms: Sequence[Term], pose: Pose, center_mm: FloatArray) -> Quadratic:
    parts = [term.linearise(pose, center_mm) for term in terms]
    information, gradient, cost = parts[0]
    for part in parts[1:]:
        information, gradient = information + part.information, gradient + part.gradient
        cost += part.cost
    return Quadratic(information, gradient, cost)
