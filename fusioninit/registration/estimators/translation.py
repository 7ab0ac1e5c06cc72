"""`translation`: the landmarks' centroids are laid over each other; no rotation."""

from __future__ import annotations

import numpy as np

from fusioninit.registration.estimate import Estimate, Evidence, Unsolved, missing_points
from fusioninit.registration.posterior import PointsTerm, Pose


def fit_translation(evidence: Evidence) -> Estimate | Unsolved:
    """Mean displacement. The rotation's error is what the prior says was left undone."""
    pairs = evidence.pairs
    unsolved = missing_points(pairs)
    if unsolved is not None:
        return unsolved
    count = len(pairs)
    center = pairs.fixed_mm.mean(axis=0)
    pose = Pose(np.eye(3), center - pairs.moving_mm.mean(axis=0))
    gain = np.zeros((6, 3 * count))
    gain[3:] = np.tile(np.eye(3) / count, count)
    noise = PointsTerm(pairs, evidence.model.deformation).noise_mm2(pose.rotation)
    covariance = gain @ noise @ gain.T
    covariance[:3, :3] = evidence.model.prior.second_moment_rad2
    text = "Mean shift of the landmarks; the rotation between the images is left as it is."
    return Estimate(pose, center, covariance, gain, noise, pairs, "translation", text)
