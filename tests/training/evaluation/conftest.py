"""A pair of egg-shaped glands with a known pose, for what registers and what judges."""

import numpy as np
import pytest

from fusioninit.geometry import Grid, RigidTransform, Space, rotation_matrix
from fusioninit.imaging.volume import Volume
from fusioninit.landmarks import LandmarkSet
from fusioninit.training.evaluation.pair_cases import PairCase

RADII_MM = np.array([24.0, 17.0, 20.0])
POINTS_MM = {
    "apex": (0, 2, -20),
    "bladder_neck": (0, -6, 18),
    "posterior_median": (0, 17, 0),
    "left_lateral": (24, 0, 0),
    "right_lateral": (-24, 0, 0),
}
US_FROM_MR = RigidTransform.from_parts(
    Space.US, Space.MR, rotation=rotation_matrix([0.3, 0.05, -0.1]), translation_mm=[4, -3, 6]
)


def ellipsoid(space, pose, shape=(44, 48, 52), spacing_mm=1.5):
    grid = Grid.centred(shape, spacing_mm, pose.apply([0, 0, 0]))
    local = pose.inverse().apply(grid.points_mm())
    return Volume((((local / RADII_MM) ** 2).sum(-1) < 1).astype(np.uint8), grid, space)


@pytest.fixture(scope="module")
def case():
    mr = LandmarkSet.from_positions(Space.MR, POINTS_MM)
    us = LandmarkSet.from_positions(
        Space.US, {name: US_FROM_MR.apply(xyz) for name, xyz in POINTS_MM.items()}
    )
    targets = np.array([[5.0, 3, 2], [-12, 4, -7]])
    return PairCase(
        name="one",
        number=7,
        landmarks={Space.MR: mr, Space.US: us},
        glands={
            Space.MR: ellipsoid(Space.MR, RigidTransform.identity(Space.MR, Space.MR)),
            Space.US: ellipsoid(Space.US, US_FROM_MR),
        },
        us_from_mr=US_FROM_MR,
        targets_mr_mm=targets,
        targets_us_mm=US_FROM_MR.apply(targets),
    )
