"""Manual landmarks, simulated: the true points as a person would place them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fusioninit.geometry import RigidTransform, Space
from fusioninit.landmarks import REQUIRED_NAMES, Landmark, LandmarkSet
from fusioninit.registration.landmark_pairs import MEAN_RADIUS_PER_SD
from fusioninit.registration.many import ManyPairs, Poses, fit_many
from fusioninit.training.evaluation.pair_cases import PairCase
from fusioninit.training.evaluation.records import ManualErrors
from fusioninit.training.evaluation.registering import Inputs, References

FloatArray = NDArray[np.float64]

MANUAL_ESTIMATORS = ("svd", "auto")
"""What manual points are registered with: the paper's way, and the program's."""

OBSERVER_SEED = 1_234
"""Together with a case's number, seeds the simulated observer."""

LEAST_OBSERVER_SD_MM = 0.1
"""Even a perfect observer's points need a covariance that can be inverted."""

DRAWS = 200
"""Observers per case whose registrations are averaged. One left the means over the benchmark 0.02
(to ICP) and 0.04 mm (to the truth) from those of 200."""

SURFACE_POINTS = 300
"""Points of the gland's surface at which their errors are taken."""


def manual_inputs(case: PairCase, *, observer_difference_mm: float) -> Inputs:
    """The three required points as one observer would place them in each image."""
    sd = observer_sd_mm(observer_difference_mm)
    random = np.random.default_rng((OBSERVER_SEED, case.number))
    drawn = {}
    for space in (Space.MR, Space.US):
        true = case.landmarks[space]
        drawn[space] = LandmarkSet(
            space,
            tuple(
                Landmark(
                    name,
                    true[name].position_mm + sd * random.normal(size=3),
                    _covariance_mm2(sd),
                )
                for name in REQUIRED_NAMES
            ),
        )
    return Inputs(drawn, {})


def many_observers(
    source: str, references: References, *, observer_difference_mm: float, draws: int = DRAWS
) -> list[ManualErrors]:
    """Mean errors over `draws` observers who each place the three points, by estimator."""
    case = references.case
    sd = observer_sd_mm(observer_difference_mm)
    random = np.random.default_rng((OBSERVER_SEED, case.number, draws))
    true = [
        np.array([case.landmarks[space][name].position_mm for name in REQUIRED_NAMES])
        for space in (Space.US, Space.MR)
    ]
    us, mr = (points + sd * random.normal(size=(draws, 3, 3)) for points in true)
    covariances = np.tile(_covariance_mm2(sd), (draws, 3, 1, 1))
    alone = np.broadcast_to(np.eye(9), (2, draws, 9, 9))
    placed = np.zeros((2, draws, 3), dtype=bool)
    pairs = ManyPairs(REQUIRED_NAMES, us, mr, covariances, covariances, placed, alone)
    surface = references.shapes[Space.MR].surface_mm
    surface = surface[np.linspace(0, len(surface) - 1, SURFACE_POINTS).astype(np.intp)]
    rows = []
    for estimator in MANUAL_ESTIMATORS:
        poses = fit_many(pairs, estimator=estimator)
        errors = (
            _mean_sre_mm(reference, poses, surface)
            for reference in (references.icp, case.us_from_mr)
        )
        rows.append(ManualErrors(source, case.name, estimator, draws, *errors))
    return rows


def observer_sd_mm(difference_mm: float) -> float:
    """SD per axis of one observer's error, where two are `difference_mm` apart on average.

    Two observers with SD s per axis are 1.596 sqrt(2) s apart.
    """
    return difference_mm / (MEAN_RADIUS_PER_SD * float(np.sqrt(2)))


def _covariance_mm2(sd_mm: float) -> FloatArray:
    return np.eye(3) * max(sd_mm, LEAST_OBSERVER_SD_MM) ** 2


def _mean_sre_mm(reference: RigidTransform | None, poses: Poses, surface_mm: FloatArray) -> float:
    if reference is None:
        return float("nan")
    gaps = poses.apply(surface_mm) - reference.apply(surface_mm)
    return float(np.nanmean(np.linalg.norm(gaps, axis=-1)))
