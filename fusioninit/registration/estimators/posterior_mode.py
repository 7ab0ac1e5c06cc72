"""`map`: the most probable pose given points, a prior on rotation and, where known, both glands."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fusioninit.geometry import rotation_matrix
from fusioninit.registration.arun import arun_rigid
from fusioninit.registration.center_prior import CenterTerm
from fusioninit.registration.estimate import (
    MIN_SPREAD_MM,
    Estimate,
    Evidence,
    Unsolved,
    degenerate_points,
    missing_points,
)
from fusioninit.registration.gland_evidence import CentroidTerm, SurfaceTerm
from fusioninit.registration.landmark_pairs import LandmarkPairs
from fusioninit.registration.posterior import (
    PointsTerm,
    Pose,
    PriorTerm,
    Solution,
    Term,
    inverse,
    maximise,
    motion_jacobian,
    solve,
)

FloatArray = NDArray[np.float64]

SURFACE_TOLERANCE_MM = 0.03
"""Far below what a drawn surface can tell; the last steps shrink by a third each."""


def fit_posterior_mode(evidence: Evidence, *, complete: bool = True) -> Estimate | Unsolved:
    """One posterior over everything given. With both glands one common landmark is enough."""
    pairs, prior = evidence.pairs, evidence.model.prior
    unsolved = _too_little(evidence) if complete else None
    if unsolved is not None:
        return unsolved
    points = PointsTerm(pairs, evidence.model.deformation)
    terms: list[Term] = [points, *([] if prior.is_flat else [PriorTerm(prior)])]
    if (center_term := _center_term(evidence)) is not None:
        terms.append(center_term)
    center = pairs.fixed_mm.mean(axis=0)
    if evidence.glands:
        terms.append(CentroidTerm(*evidence.glands))
    solution = maximise(_start(evidence), terms, center)
    if evidence.glands:
        terms.append(SurfaceTerm(*evidence.glands, evidence.model.deformation))
        solution = maximise(solution.pose, terms, center, tolerance_mm=SURFACE_TOLERANCE_MM)
    return _estimate(evidence, points, solution)


def _too_little(evidence: Evidence) -> Unsolved | None:
    pairs = evidence.pairs
    if evidence.glands and len(pairs) > 0:
        return None
    unsolved = missing_points(pairs)
    if unsolved is None and evidence.model.prior.is_flat:
        unsolved = degenerate_points(pairs)
    return unsolved


def _center_term(evidence: Evidence) -> CenterTerm | None:
    """The prior on the translation, where one is given and all landmarks it speaks of are there."""
    center = evidence.model.center
    required = None if center is None else evidence.pairs.required
    return None if center is None or required is None else CenterTerm(center, required.moving_mm)


def _determine_rotation(pairs: LandmarkPairs) -> bool:
    return len(pairs) >= 3 and degenerate_points(pairs) is None


def _start(evidence: Evidence) -> Pose:
    """SVD's pose where the points give one that is not absurd, else the prior's mean rotation."""
    pairs, prior = evidence.pairs, evidence.model.prior
    if _determine_rotation(pairs):
        pose = Pose(*arun_rigid(pairs.fixed_mm, pairs.moving_mm))
        if not prior.is_surprised_by(pose.rotation):
            return pose
    rotation = rotation_matrix(prior.mean_rad)
    return Pose(rotation, pairs.fixed_mm.mean(axis=0) - rotation @ pairs.moving_mm.mean(axis=0))


def _estimate(evidence: Evidence, points: PointsTerm, solution: Solution) -> Estimate:
    pairs, prior = evidence.pairs, evidence.model.prior
    jacobian = motion_jacobian(solution.pose.apply(pairs.moving_mm), solution.center_mm)
    noise = points.noise_mm2(solution.pose.rotation)
    gain = solution.covariance @ solve(noise, jacobian.reshape(-1, 6)).T
    sources = [f"{len(pairs)} landmark{'s' if len(pairs) > 1 else ''}"]
    sources += ["both glands' surfaces and centroids"] if evidence.glands else []
    if _center_term(evidence) is not None:
        sources.append(f"a prior on rotation and place ({prior.name})")
    elif not prior.is_flat:
        sources.append(f"a rotation prior ({prior.name})")
    text = f"Most probable pose given {', '.join(sources)}, each with its uncertainty."
    if len(pairs) < 3 or min(pairs.spreads_mm) < MIN_SPREAD_MM:
        text += " The landmarks alone would not determine a rotation."
    return Estimate(
        solution.pose, solution.center_mm, solution.covariance, gain, noise, pairs, "map", text
    )


def leave_one_out_distance2(estimate: Estimate) -> FloatArray:
    """(N,) squared Mahalanobis distance of each landmark from what all other evidence predicts."""
    return distance2_from_the_rest(
        estimate.noise_mm2, estimate.jacobian, estimate.covariance, estimate.residuals_mm
    )


def distance2_from_the_rest(
    noise_mm2: FloatArray, jacobian: FloatArray, covariance: FloatArray, residuals_mm: FloatArray
) -> FloatArray:
    """(..., N) what `leave_one_out_distance2` says, for any number of cases.

    Of the noise (..., 3N, 3N) W^-1, the Jacobian (..., 3N, 6) J, the covariance (..., 6, 6) H^-1
    and the residuals (..., N, 3) r at the mode: the weighted residual of a landmark is `W r`, and
    `M = W - W J H^-1 J^T W` is its covariance's inverse; deleting block i leaves a prediction
    error of squared distance `(W r)_i^T (M_ii)^-1 (W r)_i`, with 3 degrees of freedom.
    """
    *batch, count, _ = residuals_mm.shape
    weights = inverse(noise_mm2)
    pulled = weights @ jacobian
    leverage = weights - pulled @ covariance @ np.swapaxes(pulled, -1, -2)
    score = (weights @ residuals_mm.reshape(*batch, 3 * count, 1)).reshape(*batch, count, 3)
    each = np.arange(count)
    own = np.moveaxis(leverage.reshape(*batch, count, 3, count, 3)[..., each, :, each, :], 0, -3)
    inverted = np.linalg.pinv(own, rcond=1e-6)
    distance2: FloatArray = np.einsum("...ni,...nij,...nj->...n", score, inverted, score)
    return distance2
