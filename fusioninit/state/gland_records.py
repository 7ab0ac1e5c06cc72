"""A gland's mask as JSON values: its grid in words, its voxels as packed bits, compressed."""

from __future__ import annotations

import base64
import zlib
from functools import lru_cache
from typing import Any

import numpy as np

from fusioninit.errors import ReadError
from fusioninit.geometry import Grid, Space
from fusioninit.imaging.volume import Volume, VolumeSource

MAX_VOXELS = 1 << 30
"""More than any image that is read: a damaged file must not ask for the memory."""


@lru_cache(maxsize=8)
def gland_to_record(gland: Volume) -> dict[str, Any]:
    """The mask (voxels > 0.5) and its source. Kept per mask: a journal asks at each edit."""
    bits = np.packbits(np.asarray(gland.voxels) > 0.5)
    return {
        "format": gland.source.format,
        "description": gland.source.description,
        "shape_kji": list(gland.grid.shape),
        "spacing_mm": gland.grid.spacing_mm.tolist(),
        "origin_lps_mm": gland.grid.origin_mm.tolist(),
        "direction": gland.grid.direction.tolist(),
        "voxels_zlib_base64": base64.b64encode(zlib.compress(bits.tobytes(), 6)).decode("ascii"),
    }


def gland_from_record(record: dict[str, Any], space: Space) -> Volume:
    """The mask of a record, uint8 0 and 1.

    Raises
    ------
    ReadError
        The record is damaged.
    """
    try:
        shape = tuple(int(size) for size in record["shape_kji"])
        count = int(np.prod(shape, dtype=object))
        if len(shape) != 3 or min(shape) < 1 or count > MAX_VOXELS:
            raise ValueError(f"a grid of {shape}")
        size = -(-count // 8)
        packed = zlib.decompressobj().decompress(
            base64.b64decode(record["voxels_zlib_base64"], validate=True), size
        )
        if len(packed) != size:
            raise ValueError(f"{len(packed)} bytes of {size}")
        bits = np.unpackbits(np.frombuffer(packed, np.uint8), count=count)
        grid = Grid(
            (shape[0], shape[1], shape[2]),
            record["spacing_mm"],
            record["origin_lps_mm"],
            np.array(record["direction"], dtype=np.float64),
        )
        source = VolumeSource(format=record["format"], description=record["description"])
        return Volume(bits.reshape(shape), grid, space, source)
    except (KeyError, TypeError, ValueError, zlib.error) as error:
        raise ReadError(
            f"the saved {space.value.upper()} gland is damaged ({error}); use a backup"
        ) from error
