"""A surface as a field: at any point the gap to it and its normal, smoothly and fast.

Nearest points hop from one vertex to the next, which makes an iteration on them go back and
forth; the field is made of nearest points once, and read by trilinear interpolation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

FloatArray = NDArray[np.float64]

CELL_MM = 2.5
"""Between nodes; the gap bends by less than 0.1 mm over it on a radius of 10 mm."""

MARGIN_MM = 12.0
"""How far around the surface the field reaches; points beyond read its border."""

MAX_POINTS = 2000
"""Surface points the field is made of: 2 mm apart on a gland, finer than its cells."""


@dataclass(frozen=True, eq=False)
class SurfaceField:
    """Nodes (X, Y, Z, 4) on a regular grid from `origin_mm`: gap mm, then unit normal x y z.

    The gap runs along the normal of the nearest surface point and is negative outside.
    """

    origin_mm: FloatArray
    nodes: FloatArray

    @classmethod
    def of(cls, surface_mm: FloatArray, normals: FloatArray) -> SurfaceField:
        """The field of (N, 3) surface points with outward unit normals."""
        step = max(1, len(surface_mm) // MAX_POINTS)
        surface_mm, normals = surface_mm[::step], normals[::step]
        low = surface_mm.min(axis=0) - MARGIN_MM
        count = np.ceil((surface_mm.max(axis=0) + MARGIN_MM - low) / CELL_MM).astype(int) + 1
        axes = [low[axis] + CELL_MM * np.arange(count[axis]) for axis in range(3)]
        points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
        _, nearest = KDTree(surface_mm).query(points)
        gaps = ((surface_mm[nearest] - points) * normals[nearest]).sum(axis=1)
        nodes = np.column_stack([gaps, normals[nearest]])
        return cls(low, nodes.reshape(*count, 4))

    def gaps_and_normals(self, points_mm: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(N,) surface minus point along the normal, and (N, 3) unit normals, at (N, 3) points."""
        shape = np.array(self.nodes.shape[:3])
        cell = np.clip((points_mm - self.origin_mm) / CELL_MM, 0, shape - 1.001)
        base = cell.astype(np.intp)
        near = np.stack([1 - (cell - base), cell - base])
        strides = np.array([shape[1] * shape[2], shape[2], 1])
        corners = base @ strides + (_CORNERS @ strides)[:, None]
        weights = near[_CORNERS[:, 0], :, 0] * near[_CORNERS[:, 1], :, 1]
        weights *= near[_CORNERS[:, 2], :, 2]
        values = (self.nodes.reshape(-1, 4)[corners] * weights[:, :, None]).sum(axis=0)
        normals = values[:, 1:]
        length = np.sqrt((normals**2).sum(axis=1, keepdims=True))
        return values[:, 0], normals / np.maximum(length, 1e-9)


_CORNERS = np.array(np.meshgrid([0, 1], [0, 1], [0, 1], indexing="ij")).reshape(3, 8).T
