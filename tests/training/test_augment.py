import pytest
import torch
from cases import ellipsoid

from fusioninit.landmarks import ALL_NAMES
from fusioninit.training.augment import (
    Intensity,
    Motion,
    Sample,
    augment,
    change_intensity,
    mirror,
    move,
)

HALF_MM = (36.0, 30.0, 24.0)
"""Of a (16, 20, 24) grid of 3 mm."""


def point_case(index_kji=(5, 12, 9), seen=(True, False, True, False, True)):
    """One bright block of voxels, on whose centre every landmark but the laterals lies."""
    image = torch.zeros(16, 20, 24)
    k, j, i = index_kji
    image[k - 1 : k + 2, j - 1 : j + 2, i - 1 : i + 2] = 1
    at = 3.0 * (torch.tensor([i, j, k]) - torch.tensor([23, 19, 15]) / 2)
    marks = at.repeat(5, 1) + torch.tensor([[0, 0, 0]] * 3 + [[9, 0, 0], [-12, 0, 0]])
    return Sample(image, image.clone(), marks.float(), torch.tensor(seen))


def centre_of_mass_mm(image):
    weight = image.double()
    axes = [3.0 * (torch.arange(n, dtype=torch.float64) - (n - 1) / 2) for n in image.shape]
    z, y, x = torch.meshgrid(*axes, indexing="ij")
    return torch.stack([(v * weight).sum() / weight.sum() for v in (x, y, z)])


def test_mirroring_moves_landmarks_with_the_image_and_exchanges_the_lateral_ones():
    sample = point_case()
    mirrored = mirror(sample)
    assert torch.allclose(centre_of_mass_mm(mirrored.image).float(), mirrored.landmarks_mm[0])
    left, right = ALL_NAMES.index("left_lateral"), ALL_NAMES.index("right_lateral")
    flip = torch.tensor([-1.0, 1, 1])
    assert torch.equal(mirrored.landmarks_mm[left], sample.landmarks_mm[right] * flip)
    assert mirrored.visible.tolist() == [True, False, True, True, False]


def test_mirroring_twice_changes_nothing():
    sample = ellipsoid(3)
    again = mirror(mirror(sample))
    assert torch.equal(again.image, sample.image)
    assert torch.equal(again.landmarks_mm, sample.landmarks_mm)


@pytest.mark.parametrize("seed", range(6))
def test_a_motion_moves_landmarks_image_and_gland_together(seed):
    motion = Motion.draw(torch.Generator().manual_seed(seed))
    moved = move(point_case((8, 10, 12)), motion, HALF_MM)
    for image in (moved.image, moved.gland):
        found = centre_of_mass_mm(image).float()
        assert torch.allclose(found, moved.landmarks_mm[0], atol=0.5)


def test_the_motion_is_rotation_scale_and_shift_about_the_centre():
    motion = Motion(torch.diag(torch.tensor([2.0, 1.0, 0.5])), torch.tensor([1.0, -2.0, 3.0]))
    sample = point_case()
    moved = move(sample, motion, HALF_MM)
    expected = sample.landmarks_mm * torch.tensor([2.0, 1.0, 0.5]) + torch.tensor([1.0, -2.0, 3.0])
    assert torch.allclose(moved.landmarks_mm, expected)


@pytest.mark.parametrize("seed", range(12))
def test_appearance_never_fills_the_outside_nor_moves_landmarks(seed):
    sample = ellipsoid(seed)
    sample.image[:3] = 0
    generator = torch.Generator().manual_seed(seed)
    drawn = Intensity.draw(generator, inverting=True)
    changed = change_intensity(sample, drawn, generator)
    assert changed.image[:3].count_nonzero() == 0
    assert torch.isfinite(changed.image).all()
    assert torch.equal(changed.landmarks_mm, sample.landmarks_mm)


@pytest.mark.parametrize("seed", range(12))
def test_an_augmented_case_is_finite_and_repeats_from_its_generator(seed):
    results = [
        augment(
            ellipsoid(seed),
            torch.Generator().manual_seed(seed),
            half_extent_mm=(64.0, 64.0, 64.0),
            inverting=True,
        )
        for _ in range(2)
    ]
    assert torch.isfinite(results[0].image).all()
    assert torch.equal(results[0].image, results[1].image)
    assert torch.equal(results[0].landmarks_mm, results[1].landmarks_mm)
