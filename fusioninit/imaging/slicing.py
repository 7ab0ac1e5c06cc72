"""A slice of a volume on a view's pixels, for pictures without a window. scipy, no VTK."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from fusioninit.geometry import PixelFrame, RigidTransform, index_from_pixel
from fusioninit.imaging.volume import Volume


def slice_pixels(
    volume: Volume,
    frame: PixelFrame,
    *,
    volume_from_plane: RigidTransform | None = None,
    nearest: bool = False,
) -> NDArray[np.float32]:
    """(height, width) intensities where `frame`'s pixels lie, linear; NaN outside the volume.

    `volume_from_plane` takes points of the plane's space to the volume's; None where they are one.
    """
    width, height = frame.size_px
    matrix = index_from_pixel(volume.grid, frame, volume_from_plane)
    column, row = np.meshgrid(np.arange(width), np.arange(height))
    index = np.einsum("ac,chw->ahw", matrix[:3, :2], np.stack([column, row]))
    index += matrix[:3, 3, None, None]
    outside = ((index < -0.5) | (index > volume.grid.size_xyz[:, None, None] - 0.5)).any(axis=0)
    order = 0 if nearest else 1
    pixels = map_coordinates(volume.voxels, index[::-1], np.float32, order=order, mode="nearest")
    pixels[outside] = np.nan
    return pixels
