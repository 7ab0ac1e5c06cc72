"""Iterative closest point between two gland surfaces: the paper's reference transform T_gt.

Point-to-plane (Chen and Medioni 1992), nothing trimmed: leaving the farthest pairs out lets one
gland slide along the other (decision 17). Point-to-point (Besl and McKay 1992) creeps along smooth
surfaces and stops early.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fusioninit.geometry import RigidTransform, Space
from fusioninit.registration.gland_shape import GlandShape
from fusioninit.registration.posterior import LEVER_MM, Pose, solve
from fusioninit.registration.rotations import exponential

FloatArray = NDArray[np.float64]

MAX_POINTS = 400
MAX_STEPS = 60
CONVERGED_MM = 0.01

FACING_COSINE = 0.3
"""Closest points whose normals differ by more than about 70 degrees are no match."""

CLEARLY_BETTER = 0.8
"""A turned start must end with this share of the upright start's distance to replace it: glands
are nearly symmetric, and a small gain does not show that one was turned over."""

DAMPING = 1e-3
"""Share of the mean information added to each direction: a round gland can turn on itself, and
then stays as it was started."""

DEFAULT_PITCHES_DEG = (0.0, -30.0, 30.0)
"""Starts; the best fit wins. ICP recovers about 20 degrees by itself, probes reach 60."""


@dataclass(frozen=True)
class IcpResult:
    """The transform, and how closely the surfaces meet."""

    us_from_mr: RigidTransform
    rms_mm: float
    converged: bool


def align_surfaces(
    *, us: GlandShape, mr: GlandShape, start: RigidTransform | None = None
) -> IcpResult:
    """Rigid `us_from_mr` that lays the MR gland's surface on the US gland's.

    From `start`, or from aligned centroids with each of `DEFAULT_PITCHES_DEG`. The two
    directions, MR to US and back, count alike.
    """
    starts = _centred_starts(us, mr) if start is None else [_pose(start)]
    best = _align(us, mr, starts[0])
    for other in starts[1:]:
        fit = _align(us, mr, other)
        if fit[1] < CLEARLY_BETTER * best[1]:
            best = fit
    pose, rms, converged = best
    transform = RigidTransform.from_parts(
        Space.US, Space.MR, rotation=pose.rotation, translation_mm=pose.translation_mm
    )
    return IcpResult(transform, rms, converged)


def surface_distances_mm(points_mm: ArrayLike, onto: GlandShape) -> FloatArray:
    """(N,) distance of (N, 3) points of the shape's frame from its nearest surface point."""
    distance, _ = onto.tree.query(np.asarray(points_mm, dtype=np.float64))
    return np.asarray(distance, dtype=np.float64)


def _pose(transform: RigidTransform) -> Pose:
    return Pose(transform.rotation, transform.translation_mm)


def _centred_starts(us: GlandShape, mr: GlandShape) -> list[Pose]:
    rotations = [exponential(np.radians([pitch, 0.0, 0.0])) for pitch in DEFAULT_PITCHES_DEG]
    return [Pose(turn, us.centroid_mm - turn @ mr.centroid_mm) for turn in rotations]


def _align(us: GlandShape, mr: GlandShape, pose: Pose) -> tuple[Pose, float, bool]:
    mr_index, us_index = _thinned(mr), _thinned(us)
    center = us.centroid_mm
    rms, converged = float("inf"), False
    for _ in range(MAX_STEPS):
        points, normals, gaps, facing = _matches(us, mr, pose, (us_index, mr_index))
        points, normals, gaps = points[facing], normals[facing], gaps[facing]
        jacobian = np.hstack([np.cross(points - center, normals) / LEVER_MM, normals])
        information = jacobian.T @ jacobian
        information += DAMPING * np.trace(information) / 6 * np.eye(6)
        step = solve(information, jacobian.T @ gaps)
        size = float(np.linalg.norm(step))
        step[:3] /= LEVER_MM
        pose = pose.changed(step, center)
        rms = float(np.sqrt((gaps**2).mean()))
        if size < CONVERGED_MM:
            converged = True
            break
    return pose, rms, converged


def _matches(
    us: GlandShape, mr: GlandShape, pose: Pose, sample: tuple[NDArray[np.intp], NDArray[np.intp]]
) -> tuple[FloatArray, FloatArray, FloatArray, NDArray[np.bool_]]:
    """Moved MR points, normals, signed gaps along them (US minus MR), and whether normals agree.

    Both directions, one after the other.
    """
    us_index, mr_index = sample
    moved = pose.apply(mr.surface_mm[mr_index])
    _, nearest = us.tree.query(moved)
    normals = us.normals[nearest]
    gaps = ((us.surface_mm[nearest] - moved) * normals).sum(axis=1)
    fixed = us.surface_mm[us_index]
    _, back = mr.tree.query((fixed - pose.translation_mm) @ pose.rotation)
    other = pose.apply(mr.surface_mm[back])
    other_normals = mr.normals[back] @ pose.rotation.T
    other_gaps = ((fixed - other) * other_normals).sum(axis=1)
    facing = np.concatenate(
        [
            (normals * (mr.normals[mr_index] @ pose.rotation.T)).sum(axis=1),
            (other_normals * us.normals[us_index]).sum(axis=1),
        ]
    )
    return (
        np.concatenate([moved, other]),
        np.concatenate([normals, other_normals]),
        np.concatenate([gaps, other_gaps]),
        facing > FACING_COSINE,
    )


def _thinned(shape: GlandShape) -> NDArray[np.intp]:
    count = len(shape.surface_mm)
    return np.linspace(0, count - 1, min(count, MAX_POINTS)).astype(np.intp)
