"""Guides for training: the true gland as another image and a first fit would show it.

The gland is moved, stretched and bent at random, as it changes between two images, and laid at
a random pose; landmarks go with it and get an error of their own. In a third of all
samples nothing is known, so that one network serves both cases.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from fusioninit.detection.guide import guide_channels
from fusioninit.detection.unet import GUIDE_CHANNELS

UNKNOWN_SHARE = 0.35
"""Samples without a guide."""

TURN_SD_RAD = 0.2
"""SD of the guide's rotation about each axis, 11 degrees; more than first fits err."""

SHIFT_SD_MM = 8.0
"""SD of the guide's shift along each axis. First fits err by a third of that, but their error
comes from the same image: a network that had learnt to trust the guide's place would repeat it.
So it learns size and shape from the guide, and the place from the image."""

STRETCH_SD = 0.06
"""SD of the strain along each axis between the two images."""

BEND_SD_MM = 1.8
"""SD of the smooth deformation, and of the outline's error, along each axis."""

BEND_NODES = 6
"""Nodes of the smooth deformation along each axis of the grid: some 20 mm apart."""

POINT_SD_MM = 1.0
"""SD of a landmark's own error along each axis, as found in MR."""

GROWTH = 0.05
"""Most that the whole outline is drawn too large or too small."""


def draw_guide(
    gland: Tensor,
    landmarks_mm: Tensor,
    generator: torch.Generator,
    half_extent_mm: Tensor,
    *,
    unknown_share: float = UNKNOWN_SHARE,
) -> Tensor:
    """A random guide (2, D/2, H/2, W/2) for a sample with this whole gland and these landmarks."""
    half = [size // 2 for size in gland.shape]
    u = torch.rand(2, generator=generator)
    if u[0] < unknown_share or float(gland.sum()) < 1.0:
        return torch.zeros(GUIDE_CHANNELS, *half)
    normal = torch.randn(3, 3, generator=generator)
    stretch = torch.diag(1 + STRETCH_SD * normal[0] + GROWTH * (2 * u[1] - 1))
    matrix = torch.linalg.matrix_exp(_skew(normal[1] * TURN_SD_RAD)) @ stretch
    shift = normal[2] * SHIFT_SD_MM
    nodes = BEND_SD_MM * torch.randn(1, 3, *[BEND_NODES] * 3, generator=generator)
    center = _center(gland, half_extent_mm)
    # where each voxel of the guide comes from
    grid = F.affine_grid(torch.eye(3, 4)[None], [1, 1, *gland.shape], align_corners=False)[0]
    world = grid * half_extent_mm
    bend = F.interpolate(nodes, size=gland.shape, mode="trilinear", align_corners=True)[0]
    source = (world - center - shift) @ torch.linalg.inv(matrix).T + center
    source = source + bend.permute(1, 2, 3, 0)
    seen = F.grid_sample(gland[None, None], (source / half_extent_mm)[None], align_corners=False)
    points = landmarks_mm - _sampled(nodes, landmarks_mm / half_extent_mm)
    points = (points - center) @ matrix.T + center + shift
    points = points + POINT_SD_MM * torch.randn(points.shape, generator=generator)
    return guide_channels((seen[0, 0] > 0.5).float(), points, half_extent_mm)


def _skew(angles: Tensor) -> Tensor:
    x, y, z = angles.tolist()
    return torch.tensor([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])


def _center(gland: Tensor, half_extent_mm: Tensor) -> Tensor:
    """(3,) x y z of the gland's centroid, mm from the grid's centre."""
    total = gland.sum()
    means = []
    for axis, others in ((2, (0, 1)), (1, (0, 2)), (0, (1, 2))):
        profile = gland.sum(others)
        norm = (2 * torch.arange(gland.shape[axis]) + 1) / gland.shape[axis] - 1
        means.append((profile * norm).sum() / total)
    return torch.stack(means) * half_extent_mm


def _sampled(nodes: Tensor, norm: Tensor) -> Tensor:
    """(L, 3) the smooth deformation at (L, 3) coordinates from -1 to 1."""
    found = F.grid_sample(nodes, norm[None, None, None], padding_mode="border", align_corners=True)
    return found[0, :, 0, 0].T
