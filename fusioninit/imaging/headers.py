"""What the header of a NIfTI, NRRD or MetaImage file claims, before anything is allocated.

A claim that the file cannot hold is refused here; geometry that the header leaves at its defaults
is named in a warning, because readers fill it in silently.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from math import prod
from pathlib import Path

from fusioninit.errors import ReadError

MAX_BYTES = 1 << 30
"""Largest voxel array that is read. A prostate volume is below 200 MB in any modality."""

NO_DIRECTIONS = (
    "the file states no patient directions: its axes are taken as left, posterior, superior"
)
NO_SPACING = "the file states no voxel size: 1 mm is taken"
CHECK = "check the geometry before relying on any distance"


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
    warnings : tuple of str
        One sentence each.
    """

    sizes: tuple[int, ...]
    bytes_per_voxel: float
    data_path: Path
    components: int = 1
    data_offset: int = 0
    packed: bool = False
    packed_offset: int = 0
    warnings: tuple[str, ...] = ()

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
    if not claim.data_path.is_file():
        raise ReadError(
            f"{name}: its data file '{claim.data_path.name}' is missing; put it beside the header"
        )
    offset = max(claim.data_offset, 0)
    needed = offset + claim.bytes
    file_bytes = claim.data_path.stat().st_size
    found = _unpacked_bytes(name, claim, needed) if claim.packed else file_bytes
    if found < needed:
        raise ReadError(
            f"{name} is cut short: its header claims {claim.bytes} bytes of voxels and the file "
            f"holds {max(found - offset, 0)}; copy it again"
        )


def _unpacked_bytes(name: str, claim: Claim, enough: int) -> int:
    """Bytes that the compressed stream yields, counted to `enough`, in little memory."""
    unpacker = zlib.decompressobj(wbits=47)
    count = 0
    try:
        with claim.data_path.open("rb") as stream:
            stream.seek(claim.packed_offset)
            while count < enough and (chunk := stream.read(1 << 18)):
                count += _count(unpacker, chunk)
                while unpacker.eof and unpacker.unused_data and count < enough:
                    rest = unpacker.unused_data
                    unpacker = zlib.decompressobj(wbits=47)
                    count += _count(unpacker, rest)
    except zlib.error as error:
        raise ReadError(
            f"{name} is damaged (its compressed data breaks off); copy it again"
        ) from error
    return count


def _count(unpacker: zlib._Decompress, chunk: bytes) -> int:
    count = 0
    while chunk and not unpacker.eof:
        count += len(unpacker.decompress(chunk, 1 << 20))
        chunk = unpacker.unconsumed_tail
    return count
