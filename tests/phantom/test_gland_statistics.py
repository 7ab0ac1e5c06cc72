"""The random gland against what was measured on real ones and by readers of real scans."""

import numpy as np
import pytest
import torch

from fusioninit.landmarks import ALL_NAMES
from fusioninit.phantom.dice import Dice
from fusioninit.phantom.gland import draw_gland
from fusioninit.phantom.points import locate_landmarks

COUNT = 120
STEP_MM = 2.0


@pytest.fixture(scope="module")
def glands():
    return [draw_gland(Dice(seed)) for seed in range(COUNT)]


@pytest.fixture(scope="module")
def landmarks(glands):
    """(n, 5, 3) in the patient frame."""
    return torch.stack([locate_landmarks(gland) for gland in glands]).numpy()


@pytest.fixture(scope="module")
def masks(glands):
    axis = torch.arange(-60.0, 60.0, STEP_MM)
    z, y, x = torch.meshgrid(axis, axis, axis, indexing="ij")
    points = torch.stack([x, y, z]).reshape(3, -1)
    return [
        (gland.distance(gland.gland_from_patient @ points) < 0).reshape(z.shape).numpy()
        for gland in glands
    ]


def extents_mm(mask):
    """Depth (AP), width, height."""
    where = np.argwhere(mask)
    height, depth, width = (where.max(0) - where.min(0) + 1) * STEP_MM
    return depth, width, height


def test_the_neck_lies_where_readers_found_it(landmarks):
    from_apex = landmarks[:, 1] - landmarks[:, 0]
    assert from_apex[:, 2].mean() == pytest.approx(38.5, abs=4.1)
    assert from_apex[:, 1].mean() == pytest.approx(-8.9, abs=5.0)
    assert 6.0 < from_apex[:, 1].std() < 13.0


def test_the_posterior_median_lies_where_readers_found_it(landmarks):
    apex, neck, median = landmarks[:, 0], landmarks[:, 1], landmarks[:, 2]
    from_apex = median - apex
    assert from_apex[:, 1].mean() == pytest.approx(19.5, abs=3.0)
    assert from_apex[:, 2].mean() == pytest.approx(19.3, abs=2.5)
    along = (neck - apex) / np.linalg.norm(neck - apex, axis=1, keepdims=True)
    off = from_apex - (from_apex * along).sum(1, keepdims=True) * along
    assert np.linalg.norm(off, axis=1).mean() == pytest.approx(22.7, abs=2.5)


def test_the_posterior_median_is_at_half_the_height_from_apex_to_neck(landmarks):
    half = (landmarks[:, 0, 2] + landmarks[:, 1, 2]) / 2
    np.testing.assert_allclose(landmarks[:, 2, 2], half, atol=1e-4)
    np.testing.assert_allclose(landmarks[:, 2, 0], 0.0, atol=1e-6)


def test_volumes_and_extents_are_those_of_real_glands(masks):
    volumes = np.array([mask.sum() * STEP_MM**3 / 1000 for mask in masks])
    assert np.median(volumes) == pytest.approx(47, abs=9)
    assert np.percentile(volumes, 10) < 32
    assert np.percentile(volumes, 90) > 75
    depth, width, height = np.array([extents_mm(mask) for mask in masks]).T
    assert depth.mean() == pytest.approx(42.5, abs=4)
    assert width.mean() == pytest.approx(53.1, abs=4)
    assert height.mean() == pytest.approx(44.5, abs=5)


def test_sections_grow_from_a_blunt_cone_to_the_middle_and_shrink_to_the_base(masks):
    measured = (0.25, 0.43, 0.60, 0.77, 0.89, 0.96, 0.97, 0.87, 0.68, 0.39)
    profiles = []
    for mask in masks:
        area = mask.sum((1, 2)).astype(float)
        area = area[area > 0]
        at = (np.arange(10) + 0.5) / 10 * len(area) - 0.5
        profiles.append(np.interp(at, np.arange(len(area)), area / area.max()))
    np.testing.assert_allclose(np.mean(profiles, axis=0), measured, atol=0.16)


def test_lobes_rise_above_the_neck_in_about_half_of_the_glands(masks, landmarks):
    rise = np.array(
        [
            np.argwhere(mask.any((1, 2))).max() * STEP_MM - 60.0 - marks[1, 2]
            for mask, marks in zip(masks, landmarks, strict=True)
        ]
    )
    assert 0.3 < (rise > 4.0).mean() < 0.7
    assert rise.max() < 25.0


def test_landmarks_lie_on_the_surface(glands, landmarks):
    for gland, marks in zip(glands, landmarks, strict=True):
        points = gland.gland_from_patient @ torch.tensor(marks.T)
        _, neck, median, *auxiliary = gland.distance(points).tolist()
        # 6 mm below the apex, along the gland's axis, there is no gland any more
        below = points[:, :1] - torch.tensor([[0.0], [0.0], [6.0]])
        assert gland.distance(points[:, :1]) < 1.0 < gland.distance(below)
        assert abs(median) < 0.6
        assert max(map(abs, auxiliary)) < 1.0
        assert -14.0 < neck < 1.0


def test_left_is_left_and_right_is_right(landmarks):
    sides = np.array([name.split("_")[0] for name in ALL_NAMES])
    assert (landmarks[:, sides == "left", 0] > 8).all()
    assert (landmarks[:, sides == "right", 0] < -8).all()
