"""Shared material of the registration tests: anatomy, sets, and a lopsided gland."""

import numpy as np

from fusioninit.geometry import Grid, RigidTransform, Space, rotation_matrix
from fusioninit.landmarks import ALL_NAMES, Landmark, LandmarkSet

POINTS_MR_MM = {
    "apex": [1.0, 3.0, -20.0],
    "bladder_neck": [-1.0, -6.0, 18.0],
    "posterior_median": [0.5, 17.0, -1.0],
    "left_lateral": [25.0, 2.0, 1.0],
    "right_lateral": [-24.0, 3.0, 0.0],
    "anterior_median": [0.0, -16.0, -1.0],
    "left_apical": [18.0, 4.0, -11.0],
    "right_apical": [-19.0, 3.5, -10.5],
    "left_basal": [24.0, 0.0, 9.0],
    "right_basal": [-23.0, -0.5, 9.5],
}


def transform(vector_rad=(0.25, -0.1, 0.15), translation_mm=(4.0, -30.0, 18.0)) -> RigidTransform:
    return RigidTransform.from_parts(
        Space.US, Space.MR, rotation=rotation_matrix(vector_rad), translation_mm=translation_mm
    )


def landmark_set(space, points_mm, covariance_mm2=None) -> LandmarkSet:
    """A set of `points_mm` by name, all with one covariance (the default where None)."""
    extra = {} if covariance_mm2 is None else {"covariance_mm2": covariance_mm2}
    return LandmarkSet(
        space, tuple(Landmark(n, np.asarray(p), **extra) for n, p in points_mm.items())
    )


def pair(us_from_mr, *, names=ALL_NAMES[:3], noise_mm=0.0, seed=0, covariance_mm2=None):
    """(US set, MR set) of the anatomy above, the US points shifted by Gaussian noise."""
    rng = np.random.default_rng(seed)
    mr = {name: np.array(POINTS_MR_MM[name]) for name in names}
    us = {n: us_from_mr.apply(p) + noise_mm * rng.normal(size=3) for n, p in mr.items()}
    return (
        landmark_set(Space.US, us, covariance_mm2),
        landmark_set(Space.MR, mr, covariance_mm2),
    )


def gland_mask(grid: Grid, us_from_mr: RigidTransform | None = None):
    """(k, j, i) mask of an egg that tapers to the apex and is flat behind, in MR or US."""
    points = grid.points_mm()
    if us_from_mr is not None:
        points = us_from_mr.inverse().apply(points)
    x, y, z = np.moveaxis(points, -1, 0)
    taper = 1 + 0.25 * np.clip(z / 22, -1, 1)
    egg = (x / (25 * taper)) ** 2 + ((y - 0.1 * z) / (18 * taper)) ** 2 + (z / 22) ** 2
    return (egg < 1) & (y < 14)
