"""From a mask to its surface, volume and centroid. Points are LPS mm. numpy only."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusioninit.geometry import Grid

FloatArray = NDArray[np.float64]


def surface_points_mm(mask: NDArray[Any], grid: Grid) -> FloatArray:
    """(N, 3) points on the boundary of a mask: the middles between inside and outside voxels.

    These are the vertices marching cubes would put on a binary mask. The mask's edge counts as
    boundary where it touches the border of the grid.

    Raises
    ------
    ValueError
        The mask is empty or does not match the grid.
    """
    inside = _padded(mask, grid)
    index = [_crossings(inside, axis)[0] for axis in range(3)]
    return grid.to_world(np.concatenate(index)[:, ::-1] - 1)


def surface_triangles(mask: NDArray[Any], grid: Grid) -> tuple[FloatArray, NDArray[np.int64]]:
    """Vertices (N, 3) in LPS mm and triangles (M, 3) of a mask's surface, facing outwards.

    Naive surface nets: one vertex per cell that the surface passes, at the mean of its edge
    crossings; smoother than marching cubes on a binary mask, and closed.

    References
    ----------
    Gibson 1998, Constrained elastic surface nets, doi:10.1007/BFb0056277.
    """
    inside = _padded(mask, grid)
    shape = tuple(size - 1 for size in inside.shape)
    totals, counts = np.zeros((*shape, 3)), np.zeros(shape)
    quads, flips = [], []
    for axis in range(3):
        points, starts, leaves = _crossings(inside, axis)
        corners = [_step(starts, axis, first, second) for first, second in _AROUND]
        for corner in corners:
            np.add.at(totals, tuple(corner.T), points)
            np.add.at(counts, tuple(corner.T), 1)
        quads.append(np.stack([np.ravel_multi_index(tuple(c.T), shape) for c in corners], axis=1))
        flips.append(leaves)
    used = counts.ravel() > 0
    vertices = totals.reshape(-1, 3)[used] / counts.ravel()[used, None]
    number = np.cumsum(used) - 1
    triangles = _triangles(number[np.concatenate(quads)], np.concatenate(flips))
    if grid.is_left_handed:
        triangles = triangles[:, ::-1]
    return grid.to_world(vertices[:, ::-1] - 1), triangles


def mask_volume_ml(mask: NDArray[Any], grid: Grid) -> float:
    """Volume of a mask in millilitres."""
    return float(np.count_nonzero(mask) * np.prod(grid.spacing_mm) / 1000)


def mask_centroid_mm(mask: NDArray[Any], grid: Grid) -> FloatArray:
    """(3,) mean position of the mask's voxels; ValueError where it is empty."""
    index = np.argwhere(mask)
    if not len(index):
        raise ValueError("an empty mask has no centroid")
    return grid.to_world(index.mean(axis=0)[::-1])


_AROUND = ((0, 0), (1, 0), (1, 1), (0, 1))
"""Offsets of the four cells around an edge, in turning order."""


def _padded(mask: NDArray[Any], grid: Grid) -> NDArray[np.bool_]:
    if mask.shape != grid.shape:
        raise ValueError(f"mask {mask.shape} does not match the grid {grid.shape}")
    inside = np.pad(np.asarray(mask, dtype=bool), 1)
    if not inside.any():
        raise ValueError("an empty mask has no surface")
    return inside


def _crossings(
    inside: NDArray[np.bool_], axis: int
) -> tuple[FloatArray, NDArray[np.int64], NDArray[np.bool_]]:
    """Edge middles (N, 3), edge starts (N, 3) in k, j, i, and whether the edge leaves the mask."""
    lower = np.take(inside, range(inside.shape[axis] - 1), axis=axis)
    upper = np.take(inside, range(1, inside.shape[axis]), axis=axis)
    starts = np.argwhere(lower != upper)
    middles = starts.astype(np.float64)
    middles[:, axis] += 0.5
    return middles, starts, lower[tuple(starts.T)]


def _step(starts: NDArray[np.int64], axis: int, first: int, second: int) -> NDArray[np.int64]:
    """Cells around edges: moved back by (first, second) along the two other axes."""
    moved = starts.copy()
    moved[:, (axis + 1) % 3] -= first
    moved[:, (axis + 2) % 3] -= second
    return moved


def _triangles(quads: NDArray[np.int64], leaves: NDArray[np.bool_]) -> NDArray[np.int64]:
    # cells are in (k, j, i), a mirrored frame of (i, j, k): edges that leave the mask turn round
    quads = np.where(leaves[:, None], quads[:, ::-1], quads)
    return np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
