"""`svd`: the paper's estimator. Least squares over the three required landmarks, closed form."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fusioninit.landmarks import REQUIRED_NAMES
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


def fit_svd(evidence: Evidence) -> Estimate | Unsolved:
    """Arun's solution on the paper's three points; auxiliary points and glands are not used."""
    pairs = evidence.pairs
    unsolved = missing_points(pairs)
    if unsolved is not None:
        return unsolved
    pairs = pairs.only([pairs.names.index(name) for name in REQUIRED_NAMES])
    unsolved = degenerate_points(pairs)
    if unsolved is not None:
        return unsolved
    pose = Pose(*arun_rigid(pairs.fixed_mm, pairs.moving_mm))
    estimate = linear_estimate(evidence, pairs, pose, np.eye(9), "svd")
    return replace(
        estimate, explanation="Least squares over apex, bladder neck and posterior median."
    )
