"""A mask's surface with sub-voxel accuracy: where its smoothed form crosses one half.

The points are the vertices that marching cubes would make (every grid edge that crosses the
level), with normals from the gradient; no triangles are needed for nearest-point work.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from fusioninit.geometry import Grid

FloatArray = NDArray[np.float64]

WORKING_SPACING_MM = 1.0
"""Finer masks are averaged in blocks up to about this size: a drawn outline has no more detail."""

SMOOTHING_VOXELS = 0.8
"""Gaussian SD that turns the staircase into a slope; shrinks a sphere of 25 mm by 0.03 mm."""

PADDING = 3


def soft_mask(inside: NDArray[np.bool_], grid: Grid) -> tuple[FloatArray, Grid, NDArray[np.bool_]]:
    """Smooth a (k, j, i) mask around the gland.

    Returns
    -------
    soft : (k, j, i) array, 0 to 1
    grid : Grid of `soft`
    known : (k, j, i) array of bool, False where `soft` lies outside the image
    """
    steps = np.maximum(1, np.floor(WORKING_SPACING_MM / grid.spacing_mm[::-1] + 1e-6)).astype(int)
    where = np.argwhere(inside)
    low = where.min(axis=0) - PADDING * steps
    count = -(-(where.max(axis=0) + PADDING * steps + 1 - low) // steps)
    high = low + count * steps
    crop = np.zeros(tuple(count * steps))
    known = np.zeros(crop.shape, bool)
    start, stop = np.maximum(low, 0), np.minimum(high, inside.shape)
    target = tuple(slice(a - b, c - b) for a, b, c in zip(start, low, stop, strict=True))
    source = tuple(slice(a, c) for a, c in zip(start, stop, strict=True))
    crop[target], known[target] = inside[source], True
    first_ijk = (low + (steps - 1) / 2)[::-1]
    coarse = Grid(
        (int(count[0]), int(count[1]), int(count[2])),
        grid.spacing_mm * steps[::-1],
        grid.to_world(first_ijk),
        grid.direction,
    )
    soft = ndimage.gaussian_filter(_block_mean(crop, steps), SMOOTHING_VOXELS)
    return soft, coarse, _block_mean(known.astype(float), steps) > 0.99


def level_crossings(
    soft: FloatArray, grid: Grid, known: NDArray[np.bool_], level: float = 0.5
) -> tuple[FloatArray, FloatArray]:
    """(N, 3) points mm where `soft` crosses `level` along grid edges, (N, 3) outward normals."""
    slopes = np.stack(np.gradient(soft), axis=-1)
    points, normals = [], []
    for axis in range(3):
        first = np.moveaxis(soft, axis, 0)[:-1]
        second = np.moveaxis(soft, axis, 0)[1:]
        both = np.moveaxis(known, axis, 0)
        crosses = ((first > level) != (second > level)) & both[:-1] & both[1:]
        fraction = (level - first[crosses]) / (second[crosses] - first[crosses])
        index = np.argwhere(crosses).astype(float)
        index[:, 0] += fraction
        slope = np.moveaxis(slopes, axis, 0)
        mixed = slope[:-1][crosses] * (1 - fraction[:, None])
        mixed += slope[1:][crosses] * fraction[:, None]
        order = [axis, *(other for other in range(3) if other != axis)]
        points.append(index[:, np.argsort(order)][:, ::-1])
        normals.append(-mixed[:, ::-1])
    direction = (np.concatenate(normals) / grid.spacing_mm) @ grid.direction.T
    length = np.linalg.norm(direction, axis=1, keepdims=True)
    keep = length[:, 0] > 0
    return grid.to_world(np.concatenate(points)[keep]), direction[keep] / length[keep]


def _block_mean(array: FloatArray, steps: NDArray[np.int_]) -> FloatArray:
    shape = [size for n, s in zip(array.shape, steps, strict=True) for size in (n // s, s)]
    mean: FloatArray = array.reshape(shape).mean(axis=(1, 3, 5))
    return mean
