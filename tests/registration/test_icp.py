import numpy as np
import pytest
from shapes import gland_mask, transform

from fusioninit.geometry import Grid
from fusioninit.registration import GlandShape
from fusioninit.registration.icp import align_surfaces, surface_distances_mm
from fusioninit.registration.metrics import residual_rotation_deg, surface_registration_error_mm

MR_GRID = Grid.centred((20, 60, 66), [1.0, 1.0, 3.0])
MR = GlandShape.from_mask(gland_mask(MR_GRID), MR_GRID)


def us_gland(truth) -> GlandShape:
    grid = Grid.centred((74, 74, 74), 0.9, truth.apply([0, 0, 0]))
    return GlandShape.from_mask(gland_mask(grid, truth), grid)


@pytest.mark.parametrize("pitch_deg", [0, -15, 40])
def test_icp_finds_the_pose_of_the_same_gland(pitch_deg):
    truth = transform((np.radians(pitch_deg), -0.05, 0.08))
    result = align_surfaces(us=us_gland(truth), mr=MR)
    assert surface_registration_error_mm(truth, result.us_from_mr, MR.surface_mm) < 0.8
    assert residual_rotation_deg(truth, result.us_from_mr) < 4
    assert result.rms_mm < 0.6


def test_icp_starts_where_it_is_told():
    truth = transform((np.radians(50), 0, 0))
    result = align_surfaces(us=us_gland(truth), mr=MR, start=truth)
    assert surface_registration_error_mm(truth, result.us_from_mr, MR.surface_mm) < 0.8


def test_a_gland_of_another_shape_is_laid_the_same_from_any_start():
    # 8 % longer, 6 % flatter: no pose fits, so a fit that left bad pairs out could slide
    grid = Grid.centred((74, 74, 74), [0.9, 0.85, 0.97])
    like = Grid.centred((74, 74, 74), 0.9)
    us = GlandShape.from_mask(gland_mask(like), grid)
    fits = [
        align_surfaces(us=us, mr=MR, start=transform(vector, (2.0, -1.0, 2.0))).us_from_mr
        for vector in [(0, 0, 0), (0.15, -0.05, 0.05), (-0.1, 0.1, -0.1)]
    ]
    for fit in fits[1:]:
        assert surface_registration_error_mm(fits[0], fit, MR.surface_mm) < 0.2


def test_a_gland_lies_on_itself():
    result = align_surfaces(us=MR, mr=MR)
    np.testing.assert_allclose(result.us_from_mr.matrix, np.eye(4), atol=1e-6)
    assert result.converged


def test_distances_to_a_surface_are_those_to_its_nearest_point():
    outside = MR.surface_mm + 2.0 * MR.normals
    np.testing.assert_allclose(np.median(surface_distances_mm(outside, MR)), 2.0, atol=0.1)
