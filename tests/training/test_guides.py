import numpy as np
import torch
from cases import ellipsoid

from fusioninit.training.config import DataSection
from fusioninit.training.data import ReplayedBatches
from fusioninit.training.guides import UNKNOWN_SHARE, draw_guide

HALF_MM = torch.tensor([48.0, 48.0, 48.0])


def guide_of(sample, seed, **options):
    generator = torch.Generator().manual_seed(seed)
    return draw_guide(sample.gland, sample.landmarks_mm, generator, HALF_MM, **options)


def test_a_third_of_all_guides_know_nothing():
    sample = ellipsoid(3, size=16, spacing_mm=6.0)
    empty = [not guide_of(sample, seed).any() for seed in range(300)]
    assert abs(np.mean(empty) - UNKNOWN_SHARE) < 0.1
    assert all(guide_of(sample, seed, unknown_share=0.0).any() for seed in range(20))


def test_landmarks_go_with_the_gland_wherever_it_is_laid():
    sample = ellipsoid(3, size=32, spacing_mm=3.0)
    lattice = np.stack(np.meshgrid(*[np.arange(16)] * 3, indexing="ij"), -1) * 6.0
    gaps, places = [], []
    for seed in range(40):
        gland, blobs = guide_of(sample, seed, unknown_share=0.0).numpy()
        gland_mm, marks_mm = (
            (lattice * part[..., None]).sum((0, 1, 2)) / part.sum() for part in (gland, blobs)
        )
        gaps.append(marks_mm - gland_mm)
        places.append(gland_mm)
    assert np.std(places, axis=0).min() > 5.0
    assert np.std(gaps, axis=0).max() < 3.5


def test_guides_repeat_and_leave_the_images_as_they_were():
    def batches(guided):
        section = DataSection(batch_size=4, fresh_per_batch=1, replay_window=10)
        return ReplayedBatches(
            lambda seed: ellipsoid(seed, size=16, spacing_mm=6.0),
            section,
            half_extent_mm=tuple(HALF_MM.tolist()),
            seed=5,
            inverting=False,
            guided=guided,
        )

    first, second, plain = batches(True)[7], batches(True)[7], batches(False)[7]
    assert first["guide"].shape == (4, 2, 8, 8, 8)
    assert torch.equal(first["guide"], second["guide"])
    assert "guide" not in plain
    assert all(torch.equal(first[key], plain[key]) for key in plain)
