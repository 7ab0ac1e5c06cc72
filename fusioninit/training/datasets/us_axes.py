"""Which of a US file's axes is which, where the file does not say: judged by the gland's surface.

Volumes of the collection Prostate-MRI-US-Biopsy are one file of many frames, with cubic voxels, no
directions, and their middle at the surface's origin. Tools permute their axes differently. So each
order is tried: the surface must lie in the image, and the image must change across it. Mirrored
orders are not tried, for a gland looks much like its mirror image.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import permutations
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.errors import InvalidDicomError

from fusioninit.errors import ReadError
from fusioninit.geometry import Grid
from fusioninit.imaging.volume import Volume
from fusioninit.training.datasets.stl_surface import outward_normals

FloatArray = NDArray[np.float64]

INSIDE_SHARE = 0.98
"""Share of the surface that must lie in the image."""

CLEARLY = 1.3
"""Another order than the stored one is taken where the image changes this much more across it."""

ACROSS_MM = 2.0
"""Distance before and behind the surface at which the image is compared."""

_PRIVATE_GROUP, _PRIVATE_ELEMENT = 0x1129, 0x16


@dataclass(frozen=True)
class Order:
    """Array axes of the file (k, j, i numbered 0 to 2) that become k, j, i; and how it fits."""

    axes: tuple[int, int, int]
    inside: float
    change: float


def header_spacing_mm(path: Path) -> tuple[float, float, float] | None:
    """Cubic voxel size that a US file states in its private or aspect-ratio element, or none.

    References
    ----------
    Eigen's convention as SlicerHeart's reader documents it: the pixel aspect ratio holds the voxel
    size in micrometres.
    """
    try:
        header = pydicom.dcmread(path, stop_before_pixels=True)
    except (InvalidDicomError, OSError) as error:
        raise ReadError(f"{path.name}: its DICOM header cannot be read; copy it again") from error
    for element in header.group_dataset(_PRIVATE_GROUP):
        if element.tag.element & 0xFF == _PRIVATE_ELEMENT:
            return _cubic(element.value, 1.0)
    ratio = header.get("PixelAspectRatio")
    return None if not ratio else _cubic(ratio[0], 1000.0)


def with_axes_of_surface(volume: Volume, triangles: FloatArray) -> Volume:
    """`volume` with its axes in the order that fits the surface, its middle where it was.

    Raises
    ------
    ReadError
        The surface lies outside the image in every order.
    """
    orders = [_judge(volume, axes, triangles) for axes in permutations(range(3))]
    fitting = [order for order in orders if order.inside >= INSIDE_SHARE]
    if not fitting:
        name = volume.source.path.name if volume.source.path else "the image"
        raise ReadError(
            f"the surface lies outside {name} in every order of its axes; check that both are of "
            "one series"
        )
    best = max(fitting, key=lambda order: order.change)
    stored = orders[0]
    if stored in fitting and best.change < CLEARLY * stored.change:
        best = stored
    return _reordered(volume, best.axes)


def _judge(volume: Volume, axes: tuple[int, ...], triangles: FloatArray) -> Order:
    turned = _reordered(volume, (axes[0], axes[1], axes[2]))
    middles, normals = outward_normals(triangles)
    inside = float(turned.grid.contains(triangles.reshape(-1, 3)).mean())
    difference = _sampled(turned, middles + ACROSS_MM * normals) - _sampled(
        turned, middles - ACROSS_MM * normals
    )
    # averaged over directions, so that speckle cancels and a face may be bright or dark
    octant = (normals > 0) @ np.array([1, 2, 4])
    means = [abs(difference[octant == number].mean()) for number in np.unique(octant)]
    return Order(
        (axes[0], axes[1], axes[2]), inside, float(np.mean(means)) / (_spread(volume) + 1e-9)
    )


def _reordered(volume: Volume, axes: tuple[int, int, int]) -> Volume:
    voxels = np.transpose(volume.voxels, axes)
    spacing_kji = volume.grid.spacing_mm[::-1][list(axes)]
    grid = Grid.centred(voxels.shape, spacing_kji[::-1], volume.grid.center_mm)
    return replace(volume, voxels=voxels, grid=grid)


def _sampled(volume: Volume, points_mm: FloatArray) -> FloatArray:
    """Nearest voxels' values, those of the border outside."""
    index = np.round(volume.grid.to_index(points_mm)).astype(int)
    i, j, k = np.clip(index, 0, volume.grid.size_xyz.astype(int) - 1).T
    return np.asarray(volume.voxels[k, j, i], dtype=np.float64)


def _spread(volume: Volume) -> float:
    return float(np.std(volume.voxels[::2, ::2, ::2]))


def _cubic(value: object, per_mm: float) -> tuple[float, float, float] | None:
    try:
        size = float(str(value)) / per_mm
    except ValueError:
        return None
    return (size, size, size) if 0 < size < 10 else None
