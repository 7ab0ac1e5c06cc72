"""NIfTI voxels and geometry, read without SimpleITK.

ITK turns NaN into 0 without a word, fills a cut file with zeros, and reads no NIfTI-2; here the
stored numbers arrive as they are.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusioninit.errors import ReadError
from fusioninit.geometry import Grid
from fusioninit.imaging.doubts import Doubt, no_directions, no_spacing
from fusioninit.imaging.headers import data_bytes
from fusioninit.imaging.nifti_header import NiftiHeader

FloatArray = NDArray[np.float64]

_DISAGREE_MM = 0.5
"""sform and qform further apart than this at a corner of the volume are named in a warning."""

_SHEAR = 1e-3
"""Largest cosine between axes that rounding in a float32 header explains."""

_LPS_FROM_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def nifti_voxels(path: Path, header: NiftiHeader) -> NDArray[Any]:
    """Stored values, scaled, with axes reversed: (..., k, j, i)."""
    raw = np.frombuffer(data_bytes(path.name, header.claim), dtype=header.dtype)
    voxels = raw.reshape(header.claim.sizes[::-1])
    if (header.slope, header.intercept) != (1.0, 0.0):
        return (voxels * header.slope + header.intercept).astype(np.float32)
    native: NDArray[Any] = voxels.astype(header.dtype.newbyteorder("="), copy=False)
    return native


def nifti_grid(path: Path, header: NiftiHeader) -> tuple[Grid, tuple[Doubt, ...]]:
    """The grid in LPS mm, and what is doubtful about it.

    The sform counts, as for nibabel and most programs; without it the qform.

    Raises
    ------
    ReadError
        No voxel size, or axes that are sheared.
    """
    i, j, k = header.claim.sizes[:3]
    shape = (k, j, i)
    if (header.spacing_mm <= 0).any() and header.sform is None:
        raise ReadError(f"{path.name} states a voxel size of 0; export the image again")
    if header.sform is None and header.qform is None:
        return Grid(shape, header.spacing_mm), _no_place(header)
    doubts: tuple[Doubt, ...] = ()
    matrix = header.qform if header.sform is None else header.sform
    assert matrix is not None
    if header.sform is not None and header.qform is not None:
        apart_mm = _largest_distance_mm(header.sform, header.qform, shape)
        if apart_mm > _DISAGREE_MM:
            sentence = (
                f"its sform and qform disagree by up to {apart_mm:.1f} mm, and the sform is taken; "
                "other programs may place it differently"
            )
            doubts = (Doubt(sentence),)
    return _grid(path, shape, _LPS_FROM_RAS @ matrix), doubts


def _no_place(header: NiftiHeader) -> tuple[Doubt, ...]:
    directions = no_directions("qform and sform codes are 0")
    return (directions, no_spacing()) if (header.spacing_mm == 1).all() else (directions,)


def _grid(path: Path, shape: tuple[int, int, int], matrix: FloatArray) -> Grid:
    linear = matrix[:3, :3]
    spacing = np.linalg.norm(linear, axis=0)
    if not np.isfinite(matrix).all() or (spacing <= 0).any():
        raise ReadError(f"{path.name}: its orientation is not a valid matrix; export it again")
    direction = linear / spacing
    if np.abs(direction.T @ direction - np.eye(3)).max() > _SHEAR:
        raise ReadError(
            f"{path.name}: its axes are sheared or not perpendicular; resample it to a regular "
            "grid first"
        )
    # the nearest orthonormal axes to those that a float32 header could hold
    left, _, right = np.linalg.svd(direction)
    return Grid(shape, spacing, matrix[:3, 3], left @ right)


def _largest_distance_mm(first: FloatArray, second: FloatArray, shape: tuple[int, ...]) -> float:
    ends = np.array([[0, size - 1] for size in shape[::-1]], dtype=np.float64)
    corners = np.array(np.meshgrid(*ends, indexing="ij")).reshape(3, 8)
    apart: FloatArray = np.linalg.norm(
        ((first - second) @ np.vstack([corners, np.ones(8)]))[:3], axis=0
    )
    return float(apart.max())
