"""The claim of a NIfTI-1 or NIfTI-2 header."""

from __future__ import annotations

import gzip
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fusioninit.errors import ReadError
from fusioninit.imaging.headers import CHECK, NO_DIRECTIONS, NO_SPACING, Claim, trimmed

FloatArray = NDArray[np.float64]

_COMPONENTS = {128: 3, 2304: 4, 32: 2, 1792: 2, 2048: 2}
"""Data types that hold several values: RGB, RGBA, complex."""

_UNIT_TO_MM = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}

_DISAGREE_MM = 0.5
"""sform and qform further apart than this at a corner of the volume are named in a warning."""


@dataclass(frozen=True)
class _Layout:
    """Offsets of the fields that are used, and their struct codes."""

    dim: tuple[int, str]
    datatype: int
    bitpix: int
    pixdim: tuple[int, str]
    vox_offset: tuple[int, str]
    codes: tuple[int, str]
    quatern: tuple[int, str]
    srow: tuple[int, str]
    units: tuple[int, str]
    size: int


_NIFTI1 = _Layout(
    dim=(40, "8h"),
    datatype=70,
    bitpix=72,
    pixdim=(76, "8f"),
    vox_offset=(108, "f"),
    codes=(252, "2h"),
    quatern=(256, "6f"),
    srow=(280, "12f"),
    units=(123, "B"),
    size=348,
)
_NIFTI2 = _Layout(
    dim=(16, "8q"),
    datatype=12,
    bitpix=14,
    pixdim=(104, "8d"),
    vox_offset=(168, "q"),
    codes=(344, "2i"),
    quatern=(352, "6d"),
    srow=(400, "12d"),
    units=(500, "i"),
    size=540,
)


def nifti_claim(path: Path) -> Claim:
    """What a NIfTI file says of itself.

    Raises
    ------
    ReadError
        The header is cut short or contradicts itself.
    """
    raw = _header_bytes(path)
    order, layout = _order_and_layout(path, raw)

    def field(place: tuple[int, str]) -> tuple[float, ...]:
        return struct.unpack_from(order + place[1], raw, place[0])

    dim = [int(value) for value in field(layout.dim)]
    if not 1 <= dim[0] <= 7:
        raise ReadError(f"{path.name}: its NIfTI header is damaged; export the image again")
    (datatype, bits) = (int(field((at, "h"))[0]) for at in (layout.datatype, layout.bitpix))
    components = _COMPONENTS.get(datatype, 1)
    data_path, packed, offset = _data_place(path, raw, int(field(layout.vox_offset)[0]), layout)
    unit = _UNIT_TO_MM.get(int(field(layout.units)[0]) & 7, 1.0)
    return Claim(
        sizes=trimmed(tuple(dim[1 : 1 + dim[0]])),
        bytes_per_voxel=bits / 8 / components,
        components=components,
        data_path=data_path,
        data_offset=offset,
        packed=packed,
        warnings=_geometry_warnings(
            dim,
            field(layout.pixdim),
            field(layout.codes),
            (field(layout.quatern), field(layout.srow), unit),
        ),
    )


def _header_bytes(path: Path) -> bytes:
    with path.open("rb") as stream:
        packed = stream.read(2) == b"\x1f\x8b"
    if packed:
        with gzip.open(path, "rb") as stream:
            return stream.read(560)
    with path.open("rb") as stream:
        return stream.read(560)


def _order_and_layout(path: Path, raw: bytes) -> tuple[str, _Layout]:
    for order in "<>":
        size = struct.unpack_from(order + "i", raw)[0]
        layout = {348: _NIFTI1, 540: _NIFTI2}.get(size)
        if layout is not None and len(raw) >= layout.size:
            return order, layout
    raise ReadError(f"{path.name}: its NIfTI header is damaged or cut short; export it again")


def _data_place(path: Path, raw: bytes, offset: int, layout: _Layout) -> tuple[Path, bool, int]:
    magic = raw[344:347] if layout is _NIFTI1 else raw[4:7]
    if magic.startswith(b"n+"):
        data = path
    else:
        stem = path.name.removesuffix(".gz").removesuffix(".hdr").removesuffix(".img")
        places = [path.with_name(stem + end) for end in (".img", ".img.gz")]
        data = next((place for place in places if place.is_file()), places[0])
    packed = data.is_file() and data.open("rb").read(2) == b"\x1f\x8b"
    return data, packed, max(offset, 0)


def _geometry_warnings(
    dim: list[int],
    pixdim: tuple[float, ...],
    codes: tuple[float, ...],
    forms: tuple[tuple[float, ...], tuple[float, ...], float],
) -> tuple[str, ...]:
    qform_code, sform_code = codes
    quatern, srow, unit = forms
    warnings = []
    if qform_code == 0 and sform_code == 0:
        warnings.append(f"{NO_DIRECTIONS} (qform and sform codes are 0); {CHECK}")
        if all(abs(value) == 1 for value in pixdim[1:4]):
            warnings.append(f"{NO_SPACING}; {CHECK}")
    if qform_code > 0 and sform_code > 0:
        sform = np.vstack([np.reshape(srow, (3, 4)), [0, 0, 0, 1]])
        apart = _largest_distance(sform, _qform(pixdim, quatern), dim) * unit
        if apart > _DISAGREE_MM:
            warnings.append(
                f"its sform and qform disagree by up to {apart:.1f} mm; "
                "programs will place it differently, so write both alike"
            )
    return tuple(warnings)


def _qform(pixdim: tuple[float, ...], quatern: tuple[float, ...]) -> FloatArray:
    """(4, 4) index to RAS, NIfTI-1 standard method 2."""
    b, c, d = quatern[:3]
    a = np.sqrt(max(0.0, 1 - (b * b + c * c + d * d)))
    rotation = np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )
    factor = -1.0 if pixdim[0] < 0 else 1.0
    matrix = np.eye(4)
    matrix[:3, :3] = rotation * np.abs(pixdim[1:4]) * [1, 1, factor]
    matrix[:3, 3] = quatern[3:6]
    return matrix


def _largest_distance(first: FloatArray, second: FloatArray, dim: list[int]) -> float:
    ends = np.array([[0, size - 1] for size in dim[1:4]], dtype=np.float64)
    corners = np.array(np.meshgrid(*ends, indexing="ij")).reshape(3, 8)
    homogeneous = np.vstack([corners, np.ones(8)])
    apart: FloatArray = np.linalg.norm(((first - second) @ homogeneous)[:3], axis=0)
    return float(np.nan_to_num(apart, nan=np.inf).max())
