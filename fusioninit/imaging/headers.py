"""What the header of a NIfTI, NRRD or MetaImage file claims, before anything is allocated.

A claim that the file cannot hold is refused here; geometry that the header leaves at its defaults
is named in a warning, because readers fill it in silently.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path

from fusioninit.errors import ReadError
from fusioninit.imaging.doubts import Doubt

MAX_BYTES = 1 << 30
"""Largest voxel array that is read. A prostate volume is below 200 MB in any modality."""


@dataclass(frozen=True)
class Claim:
    """What a header says about the voxels.

    Parameters
    ----------
    sizes : tuple of int
        Voxels along i, j, k and any further axes; axes of size 1 at the end are dropped.
    bytes_per_voxel : float
    components : int
        Values per voxel.
    data_path : Path
        The file that holds the voxels.
    data_offset : int
        Bytes before the voxels (of the unpacked stream where `packed`); -1 when they end the file.
    packed : bool
        Voxels are gzip or zlib compressed, starting at `packed_offset`.
    doubts : tuple of Doubt
        What the header leaves open about the geometry.
    """

    sizes: tuple[int, ...]
    bytes_per_voxel: float
    data_path: Path
    components: int = 1
    data_offset: int = 0
    packed: bool = False
    packed_offset: int = 0
    doubts: tuple[Doubt, ...] = ()

    @property
    def bytes(self) -> int:
        """Size of the voxel array."""
        return int(prod(self.sizes) * self.components * self.bytes_per_voxel)


def trimmed(sizes: tuple[int, ...]) -> tuple[int, ...]:
    """`sizes` without axes of size 1 beyond the third."""
    while len(sizes) > 3 and sizes[-1] == 1:
        sizes = sizes[:-1]
    return sizes


def require_volume(name: str, claim: Claim, *, dimensions: tuple[int, ...] = (3,)) -> None:
    """Refuse what is not one scalar 3D volume of a size that is read.

    Raises
    ------
    ReadError
        Not 3D, several values per voxel, a single slice, no voxels, or more than `MAX_BYTES`.
    """
    sizes = " x ".join(map(str, claim.sizes))
    if min(claim.sizes, default=0) < 1:
        raise ReadError(f"{name}: its header claims {sizes} voxels; export the image again")
    if claim.components != 1:
        raise ReadError(
            f"{name} has {claim.components} values per voxel (colour or vectors); "
            "choose a greyscale volume"
        )
    if len(claim.sizes) < 3 or (3 in dimensions and min(claim.sizes[:3]) == 1):
        raise ReadError(f"{name} is a 2D image ({sizes}); choose a 3D volume")
    if len(claim.sizes) not in dimensions:
        raise ReadError(
            f"{name} has {len(claim.sizes)} dimensions ({sizes}), so several volumes; "
            "save the one you want as a 3D file"
        )
    if claim.bytes > MAX_BYTES:
        raise ReadError(
            f"{name}: its header claims {sizes} voxels ({claim.bytes / 1e9:.1f} GB), more than "
            f"the {MAX_BYTES / 1e9:.1f} GB that are read; crop it to the prostate"
        )


def require_data(name: str, claim: Claim) -> None:
    """Refuse a header that claims more voxels than the file holds.

    Raises
    ------
    ReadError
        The data file is missing or too short, or its compression is damaged.
    """
    _require_file(name, claim)
    offset = max(claim.data_offset, 0)
    if claim.packed:
        found = sum(len(piece) for piece in _unpacked(name, claim))
    else:
        found = claim.data_path.stat().st_size
    _require_bytes(name, claim, found - offset)


def data_bytes(name: str, claim: Claim) -> bytearray:
    """The bytes of all voxels, unpacked; never more than the header claims.

    Raises
    ------
    ReadError
        The data file is missing or too short, or its compression is damaged.
    """
    _require_file(name, claim)
    if not claim.packed:
        _require_bytes(name, claim, claim.data_path.stat().st_size - claim.data_offset)
        with claim.data_path.open("rb") as stream:
            stream.seek(claim.data_offset)
            return bytearray(stream.read(claim.bytes))
    data = bytearray()
    for piece in _unpacked(name, claim):
        data += piece
    _require_bytes(name, claim, len(data) - claim.data_offset)
    return data[claim.data_offset : claim.data_offset + claim.bytes]


def _require_file(name: str, claim: Claim) -> None:
    if not claim.data_path.is_file():
        raise ReadError(
            f"{name}: its data file '{claim.data_path.name}' is missing; put it beside the header"
        )


def _require_bytes(name: str, claim: Claim, found: int) -> None:
    if found < claim.bytes:
        raise ReadError(
            f"{name} is cut short: its header claims {claim.bytes} bytes of voxels and the file "
            f"holds {max(found, 0)}; copy it again"
        )


def _unpacked(name: str, claim: Claim) -> Iterator[bytes]:
    """The compressed stream in pieces of at most 1 MB, until the claim is met."""
    enough = max(claim.data_offset, 0) + claim.bytes
    unpacker = zlib.decompressobj(wbits=47)
    count = 0
    try:
        with claim.data_path.open("rb") as stream:
            stream.seek(claim.packed_offset)
            waiting = b""
            while count < enough and (waiting := waiting or stream.read(1 << 18)):
                piece = unpacker.decompress(waiting, 1 << 20)
                waiting = unpacker.unconsumed_tail or unpacker.unused_data
                if unpacker.eof:
                    # gzip files may hold several streams one after the other
                    unpacker = zlib.decompressobj(wbits=47)
                count += len(piece)
                yield piece
    except zlib.error as error:
        raise ReadError(f"{name} is damaged in its compressed part; copy it again") from error
