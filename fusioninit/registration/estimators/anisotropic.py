"""`anisotropic`: maximum likelihood under each landmark's full covariance in both images."""

from __future__ import annotations

from dataclasses import replace

from fusioninit.registration.arun import arun_rigid
from fusioninit.registration.deformation import DeformationModel
from fusioninit.registration.estimate import (
    Estimate,
    Evidence,
    Unsolved,
    degenerate_points,
    linear_estimate,
    missing_points,
)
from fusioninit.registration.posterior import PointsTerm, Pose, inverse, maximise


def fit_anisotropic(evidence: Evidence) -> Estimate | Unsolved:
    """Gauss-Newton on SE(3) from the SVD solution; the moving covariance turns with the pose."""
    pairs = evidence.pairs
    unsolved = missing_points(pairs) or degenerate_points(pairs)
    if unsolved is not None:
        return unsolved
    start = Pose(*arun_rigid(pairs.fixed_mm, pairs.moving_mm))
    points = PointsTerm(pairs, DeformationModel.rigid())
    solution = maximise(start, [points], pairs.fixed_mm.mean(axis=0))
    weights = inverse(points.noise_mm2(solution.pose.rotation))
    estimate = linear_estimate(evidence, pairs, solution.pose, weights, "anisotropic")
    text = "Maximum likelihood with each landmark's uncertainty along every axis."
    return replace(estimate, explanation=text)
