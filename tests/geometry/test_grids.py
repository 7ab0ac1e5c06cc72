import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusioninit.geometry import Grid, rotation_matrix


def oblique(*, mirrored: bool = False) -> Grid:
    direction = rotation_matrix([0.4, -0.3, 0.9])
    if mirrored:
        direction = direction @ np.diag([1, 1, -1])
    return Grid((4, 5, 7), [0.5, 0.8, 3.0], [-12.0, 30, 4], direction)


@given(st.tuples(*[st.floats(-20, 20)] * 3), st.booleans())
def test_an_index_survives_the_round_trip_through_the_world(index, mirrored):
    grid = oblique(mirrored=mirrored)
    np.testing.assert_allclose(grid.to_index(grid.to_world(index)), index, atol=1e-9)


def test_a_left_handed_grid_is_legal_and_says_so():
    assert oblique(mirrored=True).is_left_handed
    assert not oblique().is_left_handed


@pytest.mark.parametrize("mirrored", [False, True])
def test_voxel_centres_lie_where_origin_spacing_and_direction_say(mirrored):
    grid = oblique(mirrored=mirrored)
    points = grid.points_mm()
    assert points.shape == (4, 5, 7, 3)
    k, j, i = 3, 1, 6
    by_hand = grid.origin_mm + sum(
        n * s * axis
        for n, s, axis in zip((i, j, k), grid.spacing_mm, grid.direction.T, strict=True)
    )
    np.testing.assert_allclose(points[k, j, i], by_hand, atol=1e-12)


def test_the_origin_is_the_centre_of_the_first_voxel_not_its_corner():
    grid = Grid((2, 3, 4), [1.0, 2, 3])
    np.testing.assert_array_equal(grid.to_world([0, 0, 0]), [0, 0, 0])
    assert grid.contains([-0.49, 0, 0])
    assert not grid.contains([-0.51, 0, 0])
    np.testing.assert_array_equal(grid.corners_mm().min(axis=0), [-0.5, -1, -1.5])
    np.testing.assert_array_equal(grid.corners_mm().max(axis=0), [3.5, 5, 4.5])
    np.testing.assert_array_equal(grid.extent_mm, [4, 6, 6])


def test_a_centred_grid_has_its_middle_there():
    grid = Grid.centred((3, 4, 6), 0.7, [10, 20, 30])
    np.testing.assert_allclose(grid.center_mm, [10, 20, 30])
    np.testing.assert_allclose(grid.corners_mm().mean(axis=0), [10, 20, 30])


def test_the_step_along_a_direction_is_the_nearest_axis_spacing():
    grid = oblique()
    for axis in range(3):
        assert grid.step_mm(grid.direction[:, axis]) == grid.spacing_mm[axis]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"shape": (0, 2, 2)}, "positive sizes"),
        ({"spacing_mm": [1, -1, 1]}, "spacing must be positive"),
        ({"origin_mm": [0, np.nan, 0]}, "origin_mm must be finite"),
        ({"direction": [[1, 0.2, 0], [0, 1, 0], [0, 0, 1]]}, "sheared"),
    ],
)
def test_a_grid_that_cannot_be_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        Grid(**{"shape": (2, 3, 4), **changes})


def test_grids_are_equal_by_value():
    assert oblique() == oblique()
    assert oblique() != oblique(mirrored=True)
