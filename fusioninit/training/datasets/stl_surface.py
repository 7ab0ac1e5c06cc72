"""Closed triangle surfaces: their normals, and the mask they enclose. Points are LPS mm."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fusioninit.geometry import Grid, Space
from fusioninit.imaging.volume import Volume

FloatArray = NDArray[np.float64]

MASK_SPACING_MM = 1.0
"""Voxels of the mask made from a surface: finer than the network's grid."""

_MARGIN_MM = 3.0

_OFF_THE_VERTICES = np.array([1.37e-4, 2.11e-4])
"""Rays are moved by this many mm: through no vertex or edge of a surface with round coordinates."""


def outward_normals(triangles: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(N, 3) middles of the triangles and their unit normals, turned away from the inside."""
    first, second = triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
    normals = np.cross(first, second)
    # six times the enclosed volume is negative where the corners turn the other way round
    if np.einsum("ni,ni->", triangles[:, 0] - triangles.mean((0, 1)), normals) < 0:
        normals = -normals
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    kept = length[:, 0] > 0
    return triangles[kept].mean(axis=1), normals[kept] / length[kept]


def enclosed(triangles: FloatArray, space: Space) -> Volume:
    """The mask (uint8) of what a closed surface encloses, on an axis-aligned grid around it.

    A ray along x meets the surface an even number of times; voxels between the odd and the next
    even meeting are inside.

    Raises
    ------
    ValueError
        The surface has holes, or encloses nothing.
    """
    low = triangles.min((0, 1)) - _MARGIN_MM
    size_xyz = np.ceil((triangles.max((0, 1)) + _MARGIN_MM - low) / MASK_SPACING_MM).astype(int) + 1
    if size_xyz.prod() > 10**8:
        raise ValueError("the surface is larger than a pelvis; it must be in mm")
    shape = (int(size_xyz[2]), int(size_xyz[1]), int(size_xyz[0]))
    grid = Grid(shape, np.full(3, MASK_SPACING_MM), low)
    meetings = np.zeros((*shape[:2], shape[2] + 1), dtype=np.int32)
    for corners in (triangles - low) / MASK_SPACING_MM:
        _count_meetings(meetings, corners)
    inside = np.cumsum(meetings, axis=2) % 2
    if inside[:, :, -1].any():
        raise ValueError("the surface is not closed; repair it")
    if not inside.any():
        raise ValueError("the surface encloses nothing")
    return Volume(inside[:, :, :-1].astype(np.uint8), grid, space)


def _count_meetings(meetings: NDArray[np.int32], corners: FloatArray) -> None:
    """Add where rays along x enter the next voxel behind one triangle; voxel units."""
    flat = corners[:, 1:] - _OFF_THE_VERTICES
    first = np.maximum(np.ceil(flat.min(axis=0)).astype(int), 0)
    last = np.floor(flat.max(axis=0)).astype(int)
    if (last < first).any():
        return
    y, z = np.meshgrid(np.arange(first[0], last[0] + 1), np.arange(first[1], last[1] + 1))
    edge = flat[1:] - flat[0]
    area = edge[0, 0] * edge[1, 1] - edge[0, 1] * edge[1, 0]
    if area == 0:
        return
    along, up = y - flat[0, 0], z - flat[0, 1]
    second = (along * edge[1, 1] - up * edge[1, 0]) / area
    third = (edge[0, 0] * up - edge[0, 1] * along) / area
    hit = (second >= 0) & (third >= 0) & (second + third <= 1)
    x = corners[0, 0] + second * (corners[1, 0] - corners[0, 0])
    x = x + third * (corners[2, 0] - corners[0, 0])
    behind = np.clip(np.ceil(x[hit]).astype(int), 0, meetings.shape[2] - 1)
    np.add.at(meetings, (z[hit], y[hit], behind), 1)
