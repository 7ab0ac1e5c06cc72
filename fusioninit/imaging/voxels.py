"""What voxels must be to enter a `Volume`, whatever format they came from."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusioninit.errors import ReadError


def usable_voxels(name: str, voxels: NDArray[Any]) -> tuple[NDArray[Any], tuple[str, ...]]:
    """Finite voxels as native integers of at most 32 bits or float32, and what had to be changed.

    Raises
    ------
    ReadError
        Not one number is finite, or all are equal.
    """
    warnings: tuple[str, ...] = ()
    voxels = voxels.astype(voxels.dtype.newbyteorder("="), copy=False)
    if voxels.dtype.kind == "f":
        with np.errstate(over="ignore"):
            voxels = voxels.astype(np.float32, copy=False)
        finite = np.isfinite(voxels)
        if not finite.any():
            raise ReadError(f"{name} holds no finite number; export the image again")
        if not finite.all():
            count = int(voxels.size - np.count_nonzero(finite))
            voxels = np.where(finite, voxels, voxels[finite].min())
            warnings = (f"{count} voxels were not numbers and are shown as the darkest value",)
    elif voxels.dtype.itemsize > 4:
        voxels = voxels.astype(np.float32)
    if voxels.min() == voxels.max():
        raise ReadError(
            f"{name} has the same value ({voxels.flat[0]}) in every voxel; export the image again"
        )
    return voxels, warnings
