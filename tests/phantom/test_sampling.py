import pytest
import torch

from fusioninit.geometry import Space
from fusioninit.landmarks import ALL_NAMES
from fusioninit.phantom import draw_sample

SPACINGS = {Space.MR: 2.0, Space.US: 1.6}
BOTH = pytest.mark.parametrize("space", list(SPACINGS))


def samples(space, seeds):
    return [draw_sample(space, seed=seed, spacing_mm=SPACINGS[space]) for seed in seeds]


def voxel(sample, spacing_mm, point):
    """(k, j, i) of the voxel that holds a point."""
    sizes = torch.tensor(sample.image.shape[::-1])
    index = (point / spacing_mm + (sizes - 1) / 2).round().long()
    i, j, k = index.tolist()
    return k, j, i


@BOTH
def test_the_same_seed_gives_the_same_bytes(space):
    first, again = samples(space, (4, 4))
    for name in ("image", "gland", "landmarks_mm", "visible"):
        one, other = getattr(first, name), getattr(again, name)
        assert one.numpy().tobytes() == other.numpy().tobytes(), name


@BOTH
def test_the_bytes_do_not_depend_on_the_number_of_threads(space):
    threads, images = torch.get_num_threads(), []
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            images.append(samples(space, (3,))[0].image.numpy().tobytes())
    finally:
        torch.set_num_threads(threads)
    assert images[0] == images[1]


@BOTH
def test_other_seeds_give_other_patients(space):
    first, other = samples(space, (4, 5))
    assert float((first.landmarks_mm - other.landmarks_mm).norm(dim=1).min()) > 0.5
    assert not torch.equal(first.image, other.image)


@BOTH
def test_shapes_types_and_ranges(space):
    sample = draw_sample(space, seed=2, shape=(26, 30, 34), spacing_mm=3.0)
    assert sample.image.shape == sample.gland.shape == (26, 30, 34)
    assert sample.image.dtype == sample.gland.dtype == torch.float32
    assert sample.landmarks_mm.shape == (len(ALL_NAMES), 3)
    assert sample.visible.dtype == torch.bool
    assert torch.isfinite(sample.image).all()
    assert float(sample.image.min()) >= 0.0
    assert 0.0 <= float(sample.gland.min()) <= float(sample.gland.max()) <= 1.0


@BOTH
def test_landmarks_do_not_depend_on_the_grid(space):
    coarse = draw_sample(space, seed=8, shape=(32, 32, 32), spacing_mm=4.0)
    fine = draw_sample(space, seed=8, shape=(48, 52, 56), spacing_mm=2.0)
    torch.testing.assert_close(coarse.landmarks_mm, fine.landmarks_mm)


@BOTH
def test_landmarks_surround_the_gland_in_the_image(space):
    """The mask and the landmarks come from the same placement, deformation included."""
    for sample in samples(space, range(20, 26)):
        if not bool(sample.visible.all()):
            continue
        step = SPACINGS[space]
        k, j, i = torch.nonzero(sample.gland > 0.5).float().mean(0).tolist()
        center = (torch.tensor([i, j, k]) - 31.5) * step
        apex, neck, median, left, right, front, *ends = sample.landmarks_mm
        assert float((center - (apex + neck + left + right) / 4).norm()) < 9.0
        assert float(left[0]) > float(center[0]) > float(right[0])
        assert float(((median - center) * (median - neck - apex + center)).sum()) > 0
        for point in (median, left, right, front, *ends):
            # a little inside is gland, a little outside is not
            inward = (center - point) / (center - point).norm()
            assert float(sample.gland[voxel(sample, step, point + 4.0 * inward)]) > 0.4
            outside = voxel(sample, step, point - 4.0 * inward)
            if max(outside) < 64:
                assert float(sample.gland[outside]) < 0.6


@BOTH
def test_visible_landmarks_lie_in_the_imaged_field_and_hidden_ones_do_not(space):
    seen, hidden = 0, 0
    for sample in samples(space, range(60, 108)):
        for point, visible in zip(sample.landmarks_mm, sample.visible, strict=True):
            at = voxel(sample, SPACINGS[space], point)
            if not all(0 <= index < 64 for index in at):
                assert not bool(visible)
                continue
            around = sample.image[tuple(slice(max(0, n - 1), n + 2) for n in at)]
            if bool(visible):
                seen += 1
                assert bool((around != 0).any())
            else:
                hidden += 1
                assert bool((around == 0).any())
    assert seen > 90
    assert hidden > 0


def test_the_field_of_view_is_padded_with_exact_zeros():
    for sample in samples(Space.MR, range(3)):
        outside = sample.image == 0
        assert 0.1 < float(outside.float().mean()) < 0.9
        assert float(sample.gland[outside].max()) == 0.0


def test_mr_glands_lie_within_20_mm_of_the_middle_per_axis():
    centers = torch.stack([s.landmarks_mm[:2].mean(0) for s in samples(Space.MR, range(12))])
    assert float(centers.abs().max()) < 30.0
    assert float(centers.std(0).min()) > 2.0
