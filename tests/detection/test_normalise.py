import numpy as np
import pytest
import torch

from fusioninit.detection.normalise import InputGrid, network_input, normalise_intensity, resample
from fusioninit.errors import InputError
from fusioninit.geometry import Grid, Space, rotation_matrix
from fusioninit.imaging.volume import Volume


def oblique_grid():
    """Anisotropic, tilted, mirrored: nothing is where an axis-aligned reader would look."""
    direction = rotation_matrix([0.3, -0.2, 0.25]) @ np.diag([1, -1, 1])
    return Grid((30, 140, 150), [0.7, 0.8, 3.0], [40.0, -25.0, 12.0], direction)


def blob(grid, center_mm, sd_mm=4.0):
    distance2 = ((grid.points_mm() - center_mm) ** 2).sum(-1)
    return np.exp(-distance2 / (2 * sd_mm**2)).astype(np.float32)


def test_a_landmark_in_an_oblique_anisotropic_volume_keeps_its_place():
    grid = oblique_grid()
    mark_mm = grid.center_mm + np.array([9.0, -7.0, 5.0])
    volume = Volume(blob(grid, mark_mm), grid, Space.MR)
    image, onto = network_input(volume, InputGrid((40, 48, 56), 2.0))
    weight = image.numpy().astype(float) ** 4
    found = (onto.points_mm() * weight[..., None]).sum((0, 1, 2)) / weight.sum()
    assert image.shape == (40, 48, 56)
    assert found == pytest.approx(mark_mm, abs=0.3)


def test_the_grid_is_upright_and_centred_in_the_volume_or_where_asked():
    volume = Volume(blob(oblique_grid(), oblique_grid().center_mm), oblique_grid(), Space.MR)
    _, onto = network_input(volume, InputGrid((4, 6, 8), 2.0))
    assert onto.center_mm == pytest.approx(oblique_grid().center_mm)
    assert np.array_equal(onto.direction, np.eye(3))
    _, onto = network_input(volume, InputGrid((4, 6, 8), 2.0), center_mm=[1, 2, 3])
    assert onto.center_mm == pytest.approx([1, 2, 3])


def test_voxels_outside_the_field_of_view_are_exactly_zero():
    grid = Grid.centred((10, 11, 12), 2.0)
    volume = Volume(np.full(grid.shape, 7.0, np.float32), grid, Space.US)
    sampled = resample(volume, Grid.centred((20, 23, 24), 2.0))
    assert torch.allclose(sampled[5:15, 6:17, 6:18], torch.tensor(7.0))
    assert sampled.count_nonzero() == 10 * 11 * 12


def test_resampling_onto_its_own_grid_changes_nothing():
    grid = Grid.centred((5, 6, 7), 2.0, [3, 4, 5])
    voxels = np.random.default_rng(0).normal(size=grid.shape).astype(np.float32)
    assert torch.allclose(
        resample(Volume(voxels, grid, Space.MR), grid), torch.tensor(voxels), atol=1e-5
    )


def test_intensity_is_scaled_between_percentiles_of_what_is_not_zero():
    image = torch.linspace(100, 1100, 30**3).reshape(30, 30, 30)
    image[:5] = 0
    scaled = normalise_intensity(image)
    assert (scaled[:5] == 0).all()
    inside = scaled[5:]
    assert inside.quantile(0.01).item() == pytest.approx(0, abs=0.01)
    assert inside.quantile(0.99).item() == pytest.approx(1, abs=0.01)


def test_scale_and_offset_of_the_intensities_do_not_matter():
    image = torch.rand(20, 21, 22) + 1
    assert torch.allclose(
        normalise_intensity(image), normalise_intensity(500 * image + 30), atol=1e-4
    )


def test_constant_and_empty_images_become_zero():
    assert normalise_intensity(torch.full((6, 7, 8), 3.0)).count_nonzero() == 0
    assert normalise_intensity(torch.zeros(6, 7, 8)).count_nonzero() == 0


def test_values_that_are_not_numbers_are_refused():
    voxels = np.ones((5, 6, 7), np.float32)
    voxels[2, 3, 4] = np.nan
    volume = Volume(voxels, Grid((5, 6, 7)), Space.MR)
    with pytest.raises(InputError, match="values that are not numbers; convert it again"):
        resample(volume, volume.grid)
