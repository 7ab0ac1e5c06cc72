import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusioninit.geometry import (
    Grid,
    Orientation,
    PixelFrame,
    RigidTransform,
    Space,
    index_from_pixel,
    orientation_letters,
    rotation_matrix,
    section_mm,
    slice_plane,
)

orientations = st.sampled_from(list(Orientation))


@given(orientations, st.tuples(*[st.floats(-90, 90)] * 2), st.tuples(*[st.floats(-1, 1)] * 3))
def test_a_screen_point_survives_the_round_trip_through_the_world(orientation, screen, turn):
    plane = slice_plane(orientation, [3, -4, 5], rotation=rotation_matrix(turn))
    world = plane.to_world(screen)
    np.testing.assert_allclose(plane.to_screen(world), screen, atol=1e-9)
    assert abs(plane.distance_mm(world)) < 1e-9


@given(orientations, st.floats(-50, 50))
def test_moving_a_plane_along_its_normal_changes_the_distance_by_that_much(orientation, step):
    plane = slice_plane(orientation, [1, 2, 3])
    moved = plane.moved(step)
    assert plane.distance_mm(moved.origin_mm) == pytest.approx(step, abs=1e-9)
    assert moved.distance_mm(plane.to_world([0, 0])) == pytest.approx(-step, abs=1e-9)


@pytest.mark.parametrize(
    ("orientation", "right", "down"),
    [
        (Orientation.AXIAL, "L", "P"),
        (Orientation.SAGITTAL, "P", "I"),
        (Orientation.CORONAL, "L", "I"),
    ],
)
def test_views_are_radiological(orientation, right, down):
    plane = slice_plane(orientation, [0, 0, 0])
    assert orientation_letters(plane.right) == right
    assert orientation_letters(plane.down) == down


@pytest.mark.parametrize(
    ("direction", "letters"),
    [
        ([1, 0, 0], "L"),
        ([-1, 0, 0], "R"),
        ([0, 1, 0], "P"),
        ([0, -1, 0], "A"),
        ([0, 0, 2], "S"),
        ([0, 0, -1], "I"),
        ([0.1, -0.9, 0.43], "AS"),
        ([0.6, 0.6, -0.5], "LPI"),
    ],
)
def test_letters_name_the_patient_directions_strongest_first(direction, letters):
    assert orientation_letters(direction) == letters


@given(st.tuples(st.floats(0, 300), st.floats(0, 200)), st.floats(0.1, 3))
def test_a_pixel_survives_the_round_trip_through_the_world(pixel, mm_per_px):
    plane = slice_plane(Orientation.SAGITTAL, [3, -4, 5])
    frame = PixelFrame(plane, (301, 201), mm_per_px, np.array([2.0, -7.0]))
    world = frame.to_world(pixel)
    np.testing.assert_allclose(frame.to_pixel(world), pixel, atol=1e-6)
    homogeneous = frame.world_from_pixel @ [*pixel, 0, 1]
    np.testing.assert_allclose(homogeneous[:3], world, atol=1e-9)


def test_the_middle_pixel_shows_the_centre():
    plane = slice_plane(Orientation.AXIAL, [3, -4, 5])
    frame = PixelFrame(plane, (11, 7), 0.5, np.array([2.0, -7.0]))
    np.testing.assert_allclose(frame.to_world([5, 3]), plane.to_world([2, -7]))
    finer = frame.finer(2)
    assert finer.size_px == (22, 14)
    np.testing.assert_allclose(finer.to_world([10.5, 6.5]), frame.to_world([5, 3]))


def test_a_pixel_of_another_space_finds_its_voxel():
    grid = Grid((4, 5, 6), [1, 2, 3], [-1, -2, -3])
    mr_from_us = RigidTransform.from_parts(
        Space.MR, Space.US, rotation=rotation_matrix([0.1, 0.2, 0.3]), translation_mm=[4, 5, 6]
    )
    frame = PixelFrame(slice_plane(Orientation.CORONAL, [0, 0, 0]), (9, 9), 0.7)
    index = index_from_pixel(grid, frame, mr_from_us) @ [2, 7, 0, 1]
    expected = grid.to_index(mr_from_us.apply(frame.to_world([2, 7])))
    np.testing.assert_allclose(index[:3], expected, atol=1e-9)


def test_a_plane_cuts_a_box_in_a_polygon_in_order_and_on_its_faces():
    grid = Grid.centred((4, 6, 8), 1.0)
    level = section_mm(grid, slice_plane(Orientation.AXIAL, [0.0, 0, 0.3]))
    assert sorted(map(tuple, level.tolist())) == [(-4, -3), (-4, 3), (4, -3), (4, 3)]
    turned = slice_plane(Orientation.AXIAL, np.zeros(3), rotation=rotation_matrix([0.7, 0.6, 0.0]))
    section = section_mm(grid, turned)
    assert len(section) == 6
    following = np.roll(section, -1, axis=0)
    crosses = section[:, 0] * following[:, 1] - section[:, 1] * following[:, 0]
    assert (crosses > 0).all()
    faces = np.abs(turned.to_world(section)) / [4, 3, 2]
    assert faces.max(axis=1) == pytest.approx(np.ones(6))
    assert len(section_mm(grid, slice_plane(Orientation.AXIAL, [0.0, 0, 9.0]))) == 0
