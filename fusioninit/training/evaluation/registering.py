"""Registers a case in every way asked for and judges each against the references."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from fusioninit.detection.predict import Detection
from fusioninit.geometry import RigidTransform, Space
from fusioninit.landmarks import LandmarkSet
from fusioninit.registration import GlandShape, LandmarkFit, Unsolved, fit_landmarks
from fusioninit.registration.icp import align_surfaces
from fusioninit.registration.metrics import (
    residual_rotation_deg,
    surface_registration_error_mm,
    target_registration_errors_mm,
)
from fusioninit.training.evaluation.pair_cases import PairCase
from fusioninit.training.evaluation.records import Attempt, TargetError, Way

PREDICTED_MASK_SD = {"surface_sd_mm": 15.0, "centroid_sd_mm": 6.0}
"""How far a network's mask is trusted where it is tried as evidence. More trust gave no better fit
on 100 synthetic pairs (centroid SD 1 to 6 mm, surface SD 2 to 100 mm: surface error 3.7 to 3.9 mm),
although US centroids err by 0.9, 1.8 and 1.4 mm only (SD along x, y, z)."""

FloatArray = NDArray[np.float64]

USES_GLANDS = frozenset({"map", "robust", "auto"})
"""Estimators to which gland shapes are evidence; the others take points only."""

TRUE_RIGID_PART = Way("reference", "none", "true rigid part")
"""The true transform judged like an answer: what ICP and deformation alone leave."""

MAX_VOXELS = 20_000
"""Gland voxels that are moved to see how much of the gland stays in the US image."""


@dataclass(frozen=True, eq=False)
class Inputs:
    """What a fit is given: landmarks and, where known, gland shapes, by space."""

    landmarks: dict[Space, LandmarkSet]
    shapes: dict[Space, GlandShape]


@dataclass(frozen=True, eq=False)
class References:
    """What an answer is judged by: the true glands, ICP between them, the true transform."""

    case: PairCase

    @cached_property
    def shapes(self) -> dict[Space, GlandShape]:
        """Surfaces of the true masks; ValueError where one is empty."""
        return {
            space: GlandShape.from_mask(mask.voxels, mask.grid)
            for space, mask in self.case.glands.items()
        }

    @cached_property
    def icp(self) -> RigidTransform:
        """The paper's T_gt: rigid ICP between the gland surfaces, from the truth where known."""
        return align_surfaces(
            us=self.shapes[Space.US], mr=self.shapes[Space.MR], start=self.case.us_from_mr
        ).us_from_mr

    def attempt(self, source: str, way: Way, us_from_mr: RigidTransform) -> Attempt:
        """Judge one transform."""
        surface, truth = self.shapes[Space.MR].surface_mm, self.case.us_from_mr
        nan = float("nan")
        return Attempt(
            source,
            self.case.name,
            way.points,
            way.glands,
            way.estimator,
            surface_registration_error_mm(self.icp, us_from_mr, surface),
            surface_registration_error_mm(truth, us_from_mr, surface) if truth else nan,
            residual_rotation_deg(self.icp, us_from_mr),
            residual_rotation_deg(truth, us_from_mr) if truth else nan,
            self.dice(us_from_mr),
        )

    def dice(self, us_from_mr: RigidTransform) -> float:
        """Dice of the MR mask, resampled into the US image, and the US mask.

        Linear interpolation at level 0.5. A rigid move keeps the volume, so only the US gland's
        voxels need to be looked up, and the part of the MR gland that leaves the US image.
        """
        mr, us = self.case.glands[Space.MR], self.case.glands[Space.US]
        back = mr.grid.to_index(us_from_mr.inverse().apply(self._voxels_mm[Space.US]))
        met = ndimage.map_coordinates(
            (mr.voxels > 0.5).astype(np.float32), back[:, ::-1].T, order=1, mode="constant"
        )
        moved = us_from_mr.apply(self._voxels_mm[Space.MR][:: self._every])
        size_mr = _voxel_ml(mr.grid.spacing_mm) * len(self._voxels_mm[Space.MR])
        size_mr *= float(us.grid.contains(moved).mean())
        voxel_us = _voxel_ml(us.grid.spacing_mm)
        size_us = voxel_us * len(self._voxels_mm[Space.US])
        return float(2 * voxel_us * (met >= 0.5).sum() / (size_mr + size_us))

    @cached_property
    def _voxels_mm(self) -> dict[Space, FloatArray]:
        return {
            space: mask.grid.to_world(np.argwhere(mask.voxels > 0.5)[:, ::-1])
            for space, mask in self.case.glands.items()
        }

    @property
    def _every(self) -> int:
        return max(1, len(self._voxels_mm[Space.MR]) // MAX_VOXELS)


def automatic_inputs(detections: dict[Space, Detection]) -> Inputs:
    """Detected landmarks and the glands found, trusted as the program trusts them."""
    shapes = {}
    for space, detection in detections.items():
        shape = _shape_or_none(detection)
        if shape is not None:
            shapes[space] = shape
    return Inputs({space: found.landmarks for space, found in detections.items()}, shapes)


def given_inputs(case: PairCase, references: References) -> Inputs:
    """The case's own landmarks and gland masks."""
    return Inputs(case.landmarks, references.shapes)


def ways(points: str, estimators: tuple[str, ...], *, glands: str = "none") -> list[Way]:
    """Each estimator on points alone, and again with glands where they are evidence to it."""
    alone = [Way(points, "none", name) for name in estimators]
    if glands == "none":
        return alone
    return alone + [Way(points, glands, name) for name in estimators if name in USES_GLANDS]


def register(
    source: str, references: References, inputs: Inputs, way: Way
) -> tuple[Attempt, list[TargetError]]:
    """Fit in one way; the attempt, and the error at each of the case's targets."""
    shapes = inputs.shapes if way.glands != "none" and len(inputs.shapes) == 2 else {}
    fit = fit_landmarks(
        fixed=inputs.landmarks[Space.US],
        moving=inputs.landmarks[Space.MR],
        estimator=way.estimator,
        fixed_gland=shapes.get(Space.US),
        moving_gland=shapes.get(Space.MR),
    )
    case = references.case
    if isinstance(fit, Unsolved):
        return _unsolved(source, case, way, fit.reason), []
    return (
        references.attempt(source, way, fit.us_from_mr),
        _target_errors(source, case, way, fit),
    )


def _target_errors(source: str, case: PairCase, way: Way, fit: LandmarkFit) -> list[TargetError]:
    if not len(case.targets_mr_mm):
        return []
    actual = target_registration_errors_mm(
        fit.us_from_mr, case.targets_us_mm, case.targets_mr_mm
    ).tolist()
    predicted = fit.predicted_error_mm(case.targets_mr_mm)
    key = (source, case.name, way.points, way.glands, way.estimator)
    return [
        TargetError(*key, number, actual[number], float(mean), float(upper))
        for number, (mean, upper) in enumerate(zip(*predicted, strict=True))
    ]


def _unsolved(source: str, case: PairCase, way: Way, reason: str) -> Attempt:
    nan = float("nan")
    key = (source, case.name, way.points, way.glands, way.estimator)
    return Attempt(*key, nan, nan, nan, nan, nan, reason)


def _shape_or_none(detection: Detection) -> GlandShape | None:
    if detection.gland is None:
        return None
    try:
        return GlandShape.from_mask(
            detection.gland.voxels, detection.gland.grid, **PREDICTED_MASK_SD
        )
    except ValueError:
        return None


def _voxel_ml(spacing_mm: FloatArray) -> float:
    return float(np.prod(spacing_mm) / 1000)
