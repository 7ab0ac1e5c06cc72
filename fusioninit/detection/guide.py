"""What the other image says of the gland, as a second input of the network.

In MR the gland's outline and size are plain; in US its ends fade into shadow. Once both have been
looked at and a first rigid fit lays MR over US, the MR gland and landmarks say roughly where and
how large the US gland must be. The network is shown that as two channels beside the image, on a
lattice of twice the voxel size: the gland's occupancy, and a blob at each landmark. All zeros
means that nothing is known.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from fusioninit.geometry import Grid, RigidTransform
from fusioninit.state.counterpart import Counterpart

BLOB_SD_MM = 5.0
"""Width of a landmark's blob: about the error of the first fit."""


def guide_channels(gland: Tensor, landmarks_mm: Tensor, half_extent_mm: Tensor) -> Tensor:
    """(2, D/2, H/2, W/2) channels of a gland (D, H, W), 0 to 1, and (L, 3) landmarks.

    Landmarks are x y z in mm from the grid's centre.
    """
    coarse = F.avg_pool3d(gland[None], 2)[0]
    blobs = torch.zeros_like(coarse)
    k, j, i = coarse.shape
    axes = [
        half * ((2 * torch.arange(size) + 1) / size - 1)
        for size, half in zip((i, j, k), half_extent_mm.tolist(), strict=True)
    ]
    for point in landmarks_mm:
        x, y, z = (
            torch.exp(-0.5 * ((axis - float(at)) / BLOB_SD_MM) ** 2)
            for axis, at in zip(axes, point, strict=True)
        )
        blobs += z[:, None, None] * y[None, :, None] * x[None, None, :]
    return torch.stack([coarse, blobs])


def guide(counterpart: Counterpart, here_from_there: RigidTransform, grid: Grid) -> Tensor:
    """The guide (2, D/2, H/2, W/2) for an image on `grid`.

    `here_from_there` takes the counterpart's points to the image's.
    """
    mask = counterpart.gland
    points_mm = here_from_there.inverse().apply(grid.points_mm().reshape(-1, 3))
    norm = (2 * mask.grid.to_index(points_mm) + 1) / mask.grid.size_xyz - 1
    gland = F.grid_sample(
        torch.from_numpy(np.asarray(mask.voxels, dtype=np.float32))[None, None],
        torch.from_numpy(norm).float().reshape(1, *grid.shape, 3),
        padding_mode="zeros",
        align_corners=False,
    )[0, 0]
    named = [mark.position_mm for mark in counterpart.landmarks.values()]
    moved = torch.from_numpy(here_from_there.apply(np.array(named)) - grid.center_mm)
    half_extent_mm = torch.from_numpy(grid.size_xyz * grid.spacing_mm / 2)
    return guide_channels(gland, moved, half_extent_mm)
