"""Surfaces, volumes and rule landmarks of masks whose answers are known by hand."""

import numpy as np
import pytest

from fusioninit.geometry import Grid, Space, rotation_matrix
from fusioninit.imaging.mask_landmarks import landmarks_from_mask
from fusioninit.imaging.surfaces import (
    mask_centroid_mm,
    mask_volume_ml,
    surface_points_mm,
    surface_triangles,
)

RADII_MM = np.array([25.0, 17.0, 22.0])


def oblique_grid(*, left_handed: bool = False) -> Grid:
    direction = rotation_matrix([0.2, -0.1, 0.3])
    if left_handed:
        direction = direction * [1, 1, -1]
    spacing = np.array([0.8, 0.9, 1.5])
    shape = (47, 61, 83)
    centre_index = (np.array(shape[::-1]) - 1) / 2
    return Grid(
        shape, spacing, np.array([5.0, -60, 33]) - direction @ (centre_index * spacing), direction
    )


def ellipsoid(grid: Grid) -> np.ndarray:
    offset = (grid.points_mm() - [5.0, -60, 33]) / RADII_MM
    return (offset**2).sum(-1) <= 1


@pytest.mark.parametrize("left_handed", [False, True])
def test_surface_of_an_ellipsoid_lies_on_it_and_faces_outwards(left_handed):
    grid = oblique_grid(left_handed=left_handed)
    mask = ellipsoid(grid)
    vertices, triangles = surface_triangles(mask, grid)
    a, b, c = (vertices[triangles[:, corner]] - [5.0, -60, 33] for corner in range(3))
    volume_ml = np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6 / 1000
    assert volume_ml == pytest.approx(4 / 3 * np.pi * RADII_MM.prod() / 1000, rel=0.03)
    points = surface_points_mm(mask, grid)
    radius = np.linalg.norm((points - [5.0, -60, 33]) / RADII_MM, axis=1)
    assert np.abs(radius - 1).max() < 0.08


def test_a_surface_is_closed_even_at_the_border_of_the_grid():
    grid = Grid((4, 5, 6))
    _, triangles = surface_triangles(np.ones(grid.shape, bool), grid)
    edges = np.sort(triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    _, counts = np.unique(edges, axis=0, return_counts=True)
    assert (counts == 2).all()


def test_one_voxel_has_six_surface_points_half_a_voxel_away():
    grid = Grid((3, 3, 3), np.array([1.0, 2, 4]), np.array([10.0, 20, 30]))
    mask = np.zeros(grid.shape, bool)
    mask[1, 1, 1] = True
    points = surface_points_mm(mask, grid)
    offsets = np.sort(np.linalg.norm(points - [11, 22, 34], axis=1))
    np.testing.assert_allclose(offsets, [0.5, 0.5, 1, 1, 2, 2])


def test_volume_and_centroid_of_a_box():
    grid = Grid((10, 10, 10), np.array([1.0, 2, 4]), np.array([0.0, 0, 100]))
    mask = np.zeros(grid.shape, bool)
    mask[2:4, 3:6, 5:9] = True
    assert mask_volume_ml(mask, grid) == pytest.approx(2 * 3 * 4 * 8 / 1000)
    np.testing.assert_allclose(mask_centroid_mm(mask, grid), [6.5, 8, 110])


def test_an_empty_mask_has_no_surface():
    with pytest.raises(ValueError, match="empty mask has no surface"):
        surface_points_mm(np.zeros((2, 3, 4), bool), Grid((2, 3, 4)))


@pytest.mark.parametrize("left_handed", [False, True])
def test_rule_landmarks_of_an_ellipsoid_are_where_its_formula_says(left_handed):
    grid = oblique_grid(left_handed=left_handed)
    marks = landmarks_from_mask(ellipsoid(grid), grid, space=Space.MR)
    x, y, z = 5.0, -60.0, 33.0
    np.testing.assert_allclose(marks["posterior_median"].position_mm, [x, y + 17, z], atol=1.2)
    np.testing.assert_allclose(marks["left_lateral"].position_mm, [x + 25, y, z], atol=2.5)
    np.testing.assert_allclose(marks["right_lateral"].position_mm, [x - 25, y, z], atol=2.5)
    apex = marks["apex"].position_mm
    np.testing.assert_allclose(apex[:2], [x, y], atol=1.0)
    assert z - 22 < apex[2] < z - 17
    neck = marks["bladder_neck"].position_mm
    assert neck[1] < y - 5
    assert neck[2] > z + 12
