"""`weighted`: least squares, each landmark weighted by its mean variance in both images."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fusioninit.registration.arun import arun_rigid
from fusioninit.registration.estimate import (
    Estimate,
    Evidence,
    Unsolved,
    degenerate_points,
    linear_estimate,
    missing_points,
)
from fusioninit.registration.posterior import Pose


def fit_weighted(evidence: Evidence) -> Estimate | Unsolved:
    """Closed form with isotropic weights `3 / trace(C_fixed + C_moving)`."""
    pairs = evidence.pairs
    unsolved = missing_points(pairs) or degenerate_points(pairs)
    if unsolved is not None:
        return unsolved
    both = pairs.fixed_covariance_mm2 + pairs.moving_covariance_mm2
    weights = 3 / np.trace(both, axis1=1, axis2=2)
    pose = Pose(*arun_rigid(pairs.fixed_mm, pairs.moving_mm, weights))
    estimate = linear_estimate(evidence, pairs, pose, np.diag(np.repeat(weights, 3)), "weighted")
    return replace(estimate, explanation="Least squares, surer landmarks counting more.")
