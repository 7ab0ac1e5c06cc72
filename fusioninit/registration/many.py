"""Thousands of cases in one fit: the estimators on landmarks alone, with a leading axis of cases.

The same mathematics as `fit_landmarks`, step for step, without residuals, findings and error model;
for evaluation and simulation, where a drag's half millisecond a case is too long.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from fusioninit.geometry import rotation_matrix
from fusioninit.landmarks import REQUIRED_NAMES, LandmarkName
from fusioninit.landmarks.error_correlation import axes_of
from fusioninit.registration.arun import arun_rigid
from fusioninit.registration.center_prior import CenterPrior
from fusioninit.registration.deformation import DeformationModel
from fusioninit.registration.estimate import MIN_SPREAD_MM, FitModel
from fusioninit.registration.estimators.posterior_mode import distance2_from_the_rest
from fusioninit.registration.estimators.robust import MIN_KEPT, REFUTED_DISTANCE2
from fusioninit.registration.landmark_pairs import LandmarkPairs
from fusioninit.registration.posterior import (
    CONVERGED_MM,
    LEVER_MM,
    MAX_ITERATIONS,
    SHORTENED,
    SHRINKING,
    LandmarkNoise,
    inverse,
    motion_jacobian,
    solve,
)
from fusioninit.registration.rotation_prior import USUAL_DISTANCE2, RotationPrior

FloatArray = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class ManyPairs:
    """The same N landmarks of B cases: fields of `LandmarkPairs` with an axis of cases in front.

    Parameters
    ----------
    fixed_mm, moving_mm : (B, N, 3) arrays
    fixed_covariance_mm2, moving_covariance_mm2 : (B, N, 3, 3) arrays
    is_predicted : (2, B, N) array of bool
    correlation : (2, B, 3N, 3N) array
    """

    names: tuple[LandmarkName, ...]
    fixed_mm: FloatArray
    moving_mm: FloatArray
    fixed_covariance_mm2: FloatArray
    moving_covariance_mm2: FloatArray
    is_predicted: Mask
    correlation: FloatArray

    def __len__(self) -> int:
        return len(self.fixed_mm)

    @classmethod
    def of(cls, cases: Sequence[LandmarkPairs]) -> ManyPairs:
        """Stack cases; ValueError where they do not all hold the same landmarks."""
        kinds = {pairs.names for pairs in cases}
        if len(kinds) != 1:
            raise ValueError(f"cases must hold the same landmarks, found {len(kinds)} kinds of set")
        return cls(
            kinds.pop(),
            np.stack([pairs.fixed_mm for pairs in cases]),
            np.stack([pairs.moving_mm for pairs in cases]),
            np.stack([pairs.fixed_covariance_mm2 for pairs in cases]),
            np.stack([pairs.moving_covariance_mm2 for pairs in cases]),
            np.stack([pairs.is_predicted for pairs in cases], axis=1),
            np.stack([pairs.correlation for pairs in cases], axis=1),
        )

    def landmarks(self, keep: Sequence[int]) -> ManyPairs:
        """Only the landmarks at these indices."""
        index = list(keep)
        axes = axes_of(index)
        return ManyPairs(
            tuple(self.names[i] for i in index),
            self.fixed_mm[:, index],
            self.moving_mm[:, index],
            self.fixed_covariance_mm2[:, index],
            self.moving_covariance_mm2[:, index],
            self.is_predicted[:, :, index],
            self.correlation[:, :, axes[:, None], axes],
        )

    def cases(self, which: Mask) -> ManyPairs:
        """Only the cases where `which` (B,) holds."""
        return ManyPairs(
            self.names,
            self.fixed_mm[which],
            self.moving_mm[which],
            self.fixed_covariance_mm2[which],
            self.moving_covariance_mm2[which],
            self.is_predicted[:, which],
            self.correlation[:, which],
        )

    @property
    def hold_predicted(self) -> Mask:
        """(B,) whether a network found any of the case's landmarks."""
        return np.asarray(self.is_predicted.any(axis=(0, 2)))

    @property
    def are_degenerate(self) -> Mask:
        """(B,) points that determine no rotation, as `estimate.degenerate_points` judges them."""
        bad = np.zeros(len(self), dtype=bool)
        asked = [i for i, name in enumerate(self.names) if name in REQUIRED_NAMES]
        first, second = (list(ends) for ends in zip(*combinations(asked, 2), strict=True))
        for points in (self.fixed_mm, self.moving_mm):
            edges = np.linalg.norm(points[:, first] - points[:, second], axis=-1)
            centred = points - points.mean(axis=1, keepdims=True)
            scatter = np.swapaxes(centred, -1, -2) @ centred
            off_line = np.trace(scatter, axis1=1, axis2=2) - np.linalg.eigvalsh(scatter)[:, -1]
            spread = np.sqrt(np.maximum(off_line, 0) / len(self.names))
            bad |= (edges.min(axis=1) < MIN_SPREAD_MM) | (spread < MIN_SPREAD_MM)
        return bad


class Poses(NamedTuple):
    """Moving to fixed: rotations (B, 3, 3), translations (B, 3) mm, NaN where unsolved."""

    rotation: FloatArray
    translation_mm: FloatArray

    @property
    def solved(self) -> Mask:
        """(B,) whether the case has a transform."""
        return np.asarray(np.isfinite(self.translation_mm).all(axis=-1))

    def apply(self, points_mm: FloatArray) -> FloatArray:
        """(B, N, 3) moving points in the fixed frame; (N, 3) are the same for every case."""
        moved: FloatArray = points_mm @ np.swapaxes(self.rotation, -1, -2)
        return moved + self.translation_mm[:, None]


def fit_many(pairs: ManyPairs, *, estimator: str, model: FitModel | None = None) -> Poses:
    """Transforms of B cases by one of `ESTIMATORS`, glands left aside.

    Raises
    ------
    ValueError
        An unknown estimator, or one of the three required landmarks is not there.
    """
    if estimator not in _BY_NAME:
        raise ValueError(f"unknown estimator '{estimator}': choose one of {', '.join(_BY_NAME)}")
    missing = [name for name in REQUIRED_NAMES if name not in pairs.names]
    if missing:
        raise ValueError(f"every case needs {', '.join(missing)}")
    return _BY_NAME[estimator](pairs, model or FitModel())


def _svd(pairs: ManyPairs, _: FitModel) -> Poses:
    pairs = pairs.landmarks([pairs.names.index(name) for name in REQUIRED_NAMES])
    poses = Poses(*arun_rigid(pairs.fixed_mm, pairs.moving_mm))
    return _without(poses, pairs.are_degenerate)


def _translation(pairs: ManyPairs, _: FitModel) -> Poses:
    shift = pairs.fixed_mm.mean(axis=1) - pairs.moving_mm.mean(axis=1)
    return Poses(np.tile(np.eye(3), (len(pairs), 1, 1)), shift)


def _weighted(pairs: ManyPairs, _: FitModel) -> Poses:
    both = pairs.fixed_covariance_mm2 + pairs.moving_covariance_mm2
    weights = 3 / np.trace(both, axis1=-2, axis2=-1)
    poses = Poses(*arun_rigid(pairs.fixed_mm, pairs.moving_mm, weights))
    return _without(poses, pairs.are_degenerate)


def _anisotropic(pairs: ManyPairs, _: FitModel) -> Poses:
    start = Poses(*arun_rigid(pairs.fixed_mm, pairs.moving_mm))
    mode = _maximise(pairs, start, FitModel(RotationPrior.flat(), DeformationModel.rigid()))
    return _without(mode.poses, pairs.are_degenerate)


def _map(pairs: ManyPairs, model: FitModel) -> Poses:
    poses = _mode(pairs, model).poses
    return _without(poses, pairs.are_degenerate) if model.prior.is_flat else poses


def _robust(pairs: ManyPairs, model: FitModel) -> Poses:
    poses = _without_refuted(pairs, model)
    return _without(poses, pairs.are_degenerate) if model.prior.is_flat else poses


def _auto(pairs: ManyPairs, model: FitModel) -> Poses:
    many = len(pairs.names) > MIN_KEPT
    learnt = pairs.hold_predicted & ~pairs.are_degenerate & many
    poses = _empty(len(pairs))
    for which, own in ((learnt, model.without_pose()), (~learnt, model)):
        if which.any():
            _put(poses, which, _robust(pairs.cases(which), own))
    return poses


def _without_refuted(pairs: ManyPairs, model: FitModel) -> Poses:
    """Drop each case's worst landmark while the rest refutes it and enough remain."""
    mode = _mode(pairs, model)
    if len(pairs.names) <= MIN_KEPT:
        return mode.poses
    moved = mode.poses.apply(pairs.moving_mm)
    center = pairs.fixed_mm.mean(axis=1, keepdims=True)
    jacobian = motion_jacobian(moved, center).reshape(len(pairs), -1, 6)
    noise = _noise(pairs, model.deformation).turned_mm2(mode.poses.rotation)
    distance2 = distance2_from_the_rest(noise, jacobian, mode.covariance, pairs.fixed_mm - moved)
    worst = np.where(distance2.max(axis=1) > REFUTED_DISTANCE2, distance2.argmax(axis=1), -1)
    poses = mode.poses
    for culprit in range(len(pairs.names)):
        refuted = worst == culprit
        if refuted.any():
            kept = [i for i in range(len(pairs.names)) if i != culprit]
            rest = pairs.cases(refuted).landmarks(kept)
            _put(poses, refuted, _without_refuted(rest, model))
    return poses


class _Mode(NamedTuple):
    poses: Poses
    covariance: FloatArray


def _mode(pairs: ManyPairs, model: FitModel) -> _Mode:
    prior = model.prior
    rotation, translation = arun_rigid(pairs.fixed_mm, pairs.moving_mm)
    offset = Rotation.from_matrix(rotation).as_rotvec() - prior.mean_rad
    distance2 = np.einsum("bi,ij,bj->b", offset, prior.precision, offset)
    absurd = pairs.are_degenerate | (distance2 > USUAL_DISTANCE2)
    rotation[absurd] = rotation_matrix(prior.mean_rad)
    upright = pairs.fixed_mm.mean(axis=1) - (
        rotation @ pairs.moving_mm.mean(axis=1)[..., None]
    ).squeeze(-1)
    translation[absurd] = upright[absurd]
    return _maximise(pairs, Poses(rotation, translation), model)


def _noise(pairs: ManyPairs, deformation: DeformationModel) -> LandmarkNoise:
    return LandmarkNoise(
        deformation,
        moving_mm=pairs.moving_mm,
        fixed_covariance_mm2=pairs.fixed_covariance_mm2,
        moving_covariance_mm2=pairs.moving_covariance_mm2,
        correlation=pairs.correlation,
    )


def _maximise(pairs: ManyPairs, start: Poses, model: FitModel) -> _Mode:
    """`posterior.maximise` for points and priors; a case that has converged stays as it is."""
    noise, prior = _noise(pairs, model.deformation), model.prior
    required = [pairs.names.index(name) for name in REQUIRED_NAMES if name in pairs.names]
    rotation, translation = start.rotation.copy(), start.translation_mm.copy()
    center = pairs.fixed_mm.mean(axis=1)
    count = len(pairs)
    information = np.zeros((count, 6, 6))
    before, scale = np.full(count, np.inf), np.ones(count)
    moving = np.ones(count, dtype=bool)
    for _ in range(MAX_ITERATIONS):
        moved = Poses(rotation, translation).apply(pairs.moving_mm)
        residual = (pairs.fixed_mm - moved).reshape(count, -1, 1)
        jacobian = motion_jacobian(moved, center[:, None]).reshape(count, -1, 6)
        weighted = solve(noise.turned_mm2(rotation), np.concatenate([jacobian, residual], axis=2))
        joint = np.swapaxes(jacobian, -1, -2) @ weighted
        local, gradient = joint[..., :6], joint[..., 6]
        if not prior.is_flat:
            pull, push = _prior_pull(prior, rotation)
            local[:, :3, :3] += pull
            gradient[:, :3] += push
        if model.center is not None and len(required) == len(REQUIRED_NAMES):
            pull, push = _center_pull(model.center, moved[:, required].mean(axis=1), center)
            local += pull
            gradient += push
        information[moving] = local[moving]
        step = solve(local, gradient[..., None])[..., 0]
        size = LEVER_MM * np.linalg.norm(step[:, :3], axis=1) + np.linalg.norm(step[:, 3:], axis=1)
        scale = np.where(moving & (size > SHRINKING * before), scale * SHORTENED, scale)
        change = np.where(moving, scale, 0.0)[:, None] * step
        turn = Rotation.from_rotvec(change[:, :3]).as_matrix()
        rotation = turn @ rotation
        arm = (turn @ (translation - center)[..., None])[..., 0]
        translation = arm + center + change[:, 3:]
        before = size
        moving &= scale * size >= CONVERGED_MM
        if not moving.any():
            break
    return _Mode(Poses(rotation, translation), inverse(information))


def _prior_pull(prior: RotationPrior, rotation: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Information (B, 3, 3) and gradient (B, 3) of the prior about rotations (B, 3, 3)."""
    vector = Rotation.from_matrix(rotation).as_rotvec()
    offset = vector - prior.mean_rad
    weight = prior.weight(np.einsum("bi,ij,bj->b", offset, prior.precision, offset))
    jacobian = _logarithm_jacobians(vector)
    pull = np.swapaxes(jacobian, -1, -2) @ prior.precision * np.reshape(weight, (-1, 1, 1))
    return pull @ jacobian, -(pull @ offset[..., None])[..., 0]


def _center_pull(
    prior: CenterPrior, places_mm: FloatArray, center_mm: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Information (B, 6, 6) and gradient (B, 6) of the prior at the required landmarks' means."""
    jacobian = motion_jacobian(places_mm, center_mm)
    pulled = np.swapaxes(jacobian, -1, -2) @ inverse(prior.covariance_mm2)
    return pulled @ jacobian, (pulled @ (prior.mean_mm - places_mm)[..., None])[..., 0]


def _logarithm_jacobians(vector_rad: FloatArray) -> FloatArray:
    """`rotations.logarithm_jacobian` of (B, 3) vectors, (B, 3, 3)."""
    angle = np.clip(np.linalg.norm(vector_rad, axis=-1), 1e-4, np.pi - 1e-6)
    factor = 1 / angle**2 - (1 + np.cos(angle)) / (2 * angle * np.sin(angle))
    cross = np.cross(np.eye(3), vector_rad[:, None, :])
    return np.eye(3) - cross / 2 + factor[:, None, None] * (cross @ cross)


def _empty(count: int) -> Poses:
    return Poses(np.full((count, 3, 3), np.nan), np.full((count, 3), np.nan))


def _put(poses: Poses, which: Mask, found: Poses) -> None:
    poses.rotation[which], poses.translation_mm[which] = found.rotation, found.translation_mm


def _without(poses: Poses, which: Mask) -> Poses:
    """The poses, unsolved where `which` holds."""
    poses.rotation[which], poses.translation_mm[which] = np.nan, np.nan
    return poses


_BY_NAME: dict[str, Callable[[ManyPairs, FitModel], Poses]] = {
    "svd": _svd,
    "auto": _auto,
    "map": _map,
    "robust": _robust,
    "anisotropic": _anisotropic,
    "weighted": _weighted,
    "translation": _translation,
}
