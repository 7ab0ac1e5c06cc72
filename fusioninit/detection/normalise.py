"""From a volume of any geometry to the network's input, the same way in training and in use.

The network's grid is axis-aligned in LPS, so oblique volumes are resampled upright. Finer volumes
are averaged first, or their noise would alias. Voxels outside the field of view are exactly 0, and
intensities are scaled by percentiles of the voxels that are not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor
from torch.nn import functional as F

from fusioninit.errors import InputError
from fusioninit.geometry import Grid
from fusioninit.imaging.volume import Volume

LOW_PERCENT, HIGH_PERCENT = 1.0, 99.0
"""Percentiles that become 0 and 1: robust to a few hot voxels and to a coil's flare."""

BRIGHTEST = 1.5
"""Intensities above this many times the high percentile are cut."""

SAMPLE_EVERY = 7
"""Percentiles use every seventh voxel; 7 shares no factor with power-of-two grid sizes."""

OVERSAMPLING = 0.7
"""Blocks of this fraction of the target spacing are averaged; interpolation smooths the rest."""


@dataclass(frozen=True)
class InputGrid:
    """The network's input: voxels (k, j, i) and their isotropic size."""

    shape: tuple[int, int, int] = (64, 64, 64)
    spacing_mm: float = 2.0

    def centred_at(self, center_mm: ArrayLike) -> Grid:
        """The axis-aligned grid whose middle lies at `center_mm` (LPS)."""
        return Grid.centred(self.shape, self.spacing_mm, center_mm)

    @property
    def half_extent_mm(self) -> tuple[float, float, float]:
        """Half the size along x, y, z, to the outer voxel faces."""
        k, j, i = self.shape
        return (
            i * self.spacing_mm / 2,
            j * self.spacing_mm / 2,
            k * self.spacing_mm / 2,
        )


def normalise_intensity(image: Tensor) -> Tensor:
    """Scale (D, H, W) so that the 1st and 99th percentile of non-zero voxels become 0 and 1.

    Voxels that are exactly 0 count as outside and stay 0. A constant image becomes all 0.
    """
    image = image.float()
    inside = image != 0
    sample = image.flatten()[::SAMPLE_EVERY]
    sample = sample[sample != 0]
    if sample.numel() < 2:
        return torch.zeros_like(image)
    fractions = torch.tensor([LOW_PERCENT / 100, HIGH_PERCENT / 100], device=image.device)
    low, high = torch.quantile(sample, fractions)
    if high <= low:
        return torch.zeros_like(image)
    scaled = ((image - low) / (high - low)).clamp(0, BRIGHTEST)
    return torch.where(inside, scaled, torch.zeros_like(scaled))


def resample(volume: Volume, onto: Grid) -> Tensor:
    """Linear interpolation of `volume` at the voxels of `onto`, (D, H, W) float32, 0 outside.

    Raises
    ------
    InputError
        The volume holds values that are not finite.
    """
    voxels, grid = _averaged(volume, float(onto.spacing_mm.min()))
    if not bool(torch.isfinite(voxels).all()):
        raise InputError(
            f"{_name(volume)}: the volume holds values that are not numbers; convert it again"
        )
    index = grid.to_index(onto.points_mm())
    size = grid.size_xyz
    norm = torch.from_numpy((2 * index + 1) / size - 1).float()
    sampled = F.grid_sample(
        voxels[None, None], norm[None], mode="bilinear", padding_mode="border", align_corners=False
    )[0, 0]
    inside = torch.from_numpy(np.asarray(volume.grid.contains(onto.points_mm())))
    return torch.where(inside, sampled, torch.zeros_like(sampled))


def network_input(
    volume: Volume, input_grid: InputGrid, center_mm: ArrayLike | None = None
) -> tuple[Tensor, Grid]:
    """Normalised image (D, H, W) and its grid, centred in the volume or at `center_mm` (LPS)."""
    grid = input_grid.centred_at(volume.grid.center_mm if center_mm is None else center_mm)
    return normalise_intensity(resample(volume, grid)), grid


def _averaged(volume: Volume, spacing_mm: float) -> tuple[Tensor, Grid]:
    """Means of blocks of voxels somewhat smaller than `spacing_mm`, and the grid of the blocks."""
    grid = volume.grid
    block_xyz = np.maximum(1, np.round(OVERSAMPLING * spacing_mm / grid.spacing_mm)).astype(int)
    block_xyz = np.minimum(block_xyz, grid.size_xyz.astype(int))
    voxels = torch.from_numpy(np.array(volume.voxels, dtype=np.float32))
    if (block_xyz == 1).all():
        return voxels, grid
    k, j, i = (int(n) for n in block_xyz[::-1])
    averaged = F.avg_pool3d(voxels[None, None], (k, j, i))[0, 0]
    origin = grid.to_world((block_xyz - 1) / 2)
    shape = (int(averaged.shape[0]), int(averaged.shape[1]), int(averaged.shape[2]))
    return averaged, Grid(shape, grid.spacing_mm * block_xyz, origin, grid.direction)


def _name(volume: Volume) -> str:
    return volume.source.path.name if volume.source.path else f"{volume.space} volume"
