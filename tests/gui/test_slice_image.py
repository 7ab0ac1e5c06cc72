import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from fusioninit.geometry import (
    Grid,
    Orientation,
    PixelFrame,
    RigidTransform,
    Space,
    rotation_matrix,
    slice_plane,
)
from fusioninit.gui.slice_image import OUTSIDE, SliceLayer, SliceSampler
from fusioninit.imaging.volume import Volume

OBLIQUE = rotation_matrix([0.2, -0.3, 0.5])


def make_volume(*, mirrored=False, dtype=np.float32):
    rng = np.random.default_rng(0)
    flip = [1, 1, -1] if mirrored else [1, 1, 1]
    grid = Grid((15, 16, 17), [1, 2, 3], [5, 6, 7], OBLIQUE * flip)
    return Volume((rng.random(grid.shape) * 200).astype(dtype), grid, Space.MR)


def expected_values(volume, points_mm):
    index = volume.grid.to_index(points_mm)[..., ::-1].reshape(-1, 3).T
    values = map_coordinates(volume.voxels.astype(float), index, order=1, mode="nearest")
    return values.reshape(points_mm.shape[:-1])


def frame_of(volume, orientation):
    return PixelFrame(slice_plane(orientation, volume.grid.center_mm + 1), (50, 41), 0.7)


def pixel_points(frame):
    width, height = frame.size_px
    return frame.to_world(np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1))


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("orientation", list(Orientation))
def test_a_slice_has_the_volumes_values_at_each_pixels_place(orientation, mirrored):
    volume = make_volume(mirrored=mirrored)
    frame = frame_of(volume, orientation)
    cut = SliceSampler(volume).sample(frame)
    points = pixel_points(frame)
    inside = volume.grid.contains(points)
    assert np.array_equal(cut != OUTSIDE, inside)
    low, high = volume.voxels.min(), volume.voxels.max()
    values = (cut / 64000 + 0.5) * (high - low) + low
    assert np.allclose(values[inside], expected_values(volume, points)[inside], atol=0.02)


def test_a_slice_through_a_transform_looks_where_the_transform_leads():
    volume = make_volume(dtype=np.uint8)
    mr_from_us = RigidTransform.from_parts(
        Space.MR, Space.US, rotation=rotation_matrix([0.1, 0.2, -0.3]), translation_mm=[9, 4, 2]
    )
    centre_us = mr_from_us.inverse().apply(volume.grid.center_mm)
    frame = PixelFrame(slice_plane(Orientation.CORONAL, centre_us), (30, 20), 1.0)
    cut = SliceSampler(volume).sample(frame, mr_from_us)
    points = mr_from_us.apply(pixel_points(frame))
    inside = volume.grid.contains(points)
    assert np.abs(cut - expected_values(volume, points))[inside].max() <= 1.0


def test_the_window_sets_black_and_white_and_outside_is_transparent():
    grid = Grid.centred((3, 4, 5), 1.0)
    volume = Volume(np.arange(60, dtype=np.int16).reshape(3, 4, 5), grid, Space.US)
    frame = PixelFrame(slice_plane(Orientation.AXIAL, [0, 0, 0]), (7, 4), 1.0)
    image = SliceLayer().image(volume, frame, window=(20.0, 30.0), colour_map="Grey")
    row = [image.pixelColor(x, 1) for x in range(7)]
    assert (row[0].alpha(), row[6].alpha()) == (0, 0)
    assert row[1].red() == pytest.approx((25 - 20) * 25.5, abs=1)
    assert image.pixelColor(1, 0).red() == 0
    assert image.pixelColor(5, 3).red() == 255


def test_a_new_window_recolours_without_cutting_again():
    volume = make_volume()
    layer = SliceLayer()
    frame = frame_of(volume, Orientation.AXIAL)
    first = layer.image(volume, frame, window=(0, 200), colour_map="Grey")
    cut = layer._cut
    second = layer.image(volume, frame, window=(50, 100), colour_map="Grey")
    assert layer._cut is cut
    assert first != second
    assert layer.image(volume, frame, window=(50, 100), colour_map="Grey") is second
