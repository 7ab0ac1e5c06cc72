"""The header of a NIfTI-1 or NIfTI-2 file: sizes, type, scaling, and its place in RAS."""

from __future__ import annotations

import gzip
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fusioninit.errors import ReadError
from fusioninit.imaging.headers import Claim, trimmed

FloatArray = NDArray[np.float64]

_TYPES = {
    2: "u1",
    4: "i2",
    8: "i4",
    16: "f4",
    64: "f8",
    256: "i1",
    512: "u2",
    768: "u4",
    1024: "i8",
    1280: "u8",
}
"""NIfTI's data type codes that hold one real number."""

_SEVERAL_VALUES = {128: 3, 2304: 4, 32: 2, 1792: 2, 2048: 2}
"""Codes of RGB, RGBA and complex types, and how many values each holds."""

_UNIT_TO_MM = {1: 1000.0, 2: 1.0, 3: 0.001}


@dataclass(frozen=True)
class _Layout:
    """Where each field lies, and its struct code."""

    dim: tuple[int, str]
    datatype: tuple[int, str]
    bitpix: tuple[int, str]
    pixdim: tuple[int, str]
    vox_offset: tuple[int, str]
    scaling: tuple[int, str]
    codes: tuple[int, str]
    quatern: tuple[int, str]
    srow: tuple[int, str]
    units: tuple[int, str]
    magic: int
    size: int


_LAYOUTS = {
    348: _Layout(
        dim=(40, "8h"),
        datatype=(70, "h"),
        bitpix=(72, "h"),
        pixdim=(76, "8f"),
        vox_offset=(108, "f"),
        scaling=(112, "2f"),
        codes=(252, "2h"),
        quatern=(256, "6f"),
        srow=(280, "12f"),
        units=(123, "B"),
        magic=344,
        size=348,
    ),
    540: _Layout(
        dim=(16, "8q"),
        datatype=(12, "h"),
        bitpix=(14, "h"),
        pixdim=(104, "8d"),
        vox_offset=(168, "q"),
        scaling=(176, "2d"),
        codes=(344, "2i"),
        quatern=(352, "6d"),
        srow=(400, "12d"),
        units=(500, "i"),
        magic=4,
        size=540,
    ),
}


@dataclass(frozen=True, eq=False)
class NiftiHeader:
    """What a NIfTI header states. Matrices take (i, j, k) to RAS mm.

    `slope` and `intercept` are 1 and 0 where the file scales nothing. `sform` and `qform` are
    None where their code is 0.
    """

    claim: Claim
    dtype: np.dtype[np.generic]
    slope: float
    intercept: float
    spacing_mm: FloatArray
    sform: FloatArray | None
    qform: FloatArray | None


def nifti_header(path: Path) -> NiftiHeader:
    """The header of a NIfTI file.

    Raises
    ------
    ReadError
        The header is cut short, contradicts itself, or names a type that is not read.
    """
    raw = _header_bytes(path)
    order, layout = _order_and_layout(path, raw)

    def field(place: tuple[int, str]) -> tuple[float, ...]:
        return struct.unpack_from(order + place[1], raw, place[0])

    dim = [int(value) for value in field(layout.dim)]
    pixdim = np.array(field(layout.pixdim), dtype=np.float64)
    (offset,) = field(layout.vox_offset)
    if not 1 <= dim[0] <= 7 or not np.isfinite([*pixdim, offset]).all():
        raise ReadError(f"{path.name}: its NIfTI header is damaged; export the image again")
    unit = _UNIT_TO_MM.get(int(field(layout.units)[0]) & 7, 1.0)
    qform_code, sform_code = field(layout.codes)
    quatern = np.array(field(layout.quatern), dtype=np.float64)
    srow = np.array(field(layout.srow), dtype=np.float64)
    slope, intercept = field(layout.scaling)
    scales = slope != 0 and np.isfinite([slope, intercept]).all()
    code = int(field(layout.datatype)[0])
    return NiftiHeader(
        claim=_claim(path, raw, layout, dim, (code, int(offset))),
        dtype=np.dtype(order + _TYPES.get(code, "u1")),
        slope=float(slope) if scales else 1.0,
        intercept=float(intercept) if scales else 0.0,
        spacing_mm=np.abs(pixdim[1:4]) * unit,
        sform=_scaled(srow.reshape(3, 4), unit) if sform_code > 0 else None,
        qform=_scaled(_qform(pixdim, quatern), unit) if qform_code > 0 else None,
    )


def nifti_claim(path: Path) -> Claim:
    """What a NIfTI file claims to hold."""
    return nifti_header(path).claim


def _claim(
    path: Path, raw: bytes, layout: _Layout, dim: list[int], type_and_offset: tuple[int, int]
) -> Claim:
    code, offset = type_and_offset
    if code not in _TYPES and code not in _SEVERAL_VALUES:
        raise ReadError(f"{path.name}: NIfTI data type {code} is not read; save it as float")
    data = path if raw[layout.magic + 1 : layout.magic + 2] == b"+" else _data_beside(path)
    return Claim(
        sizes=trimmed(tuple(dim[1 : 1 + dim[0]])),
        bytes_per_voxel=np.dtype(_TYPES.get(code, "u1")).itemsize,
        components=_SEVERAL_VALUES.get(code, 1),
        data_path=data,
        data_offset=max(offset, 0),
        packed=data.is_file() and _is_packed(data),
    )


def _header_bytes(path: Path) -> bytes:
    if path.suffix == ".img" and path.with_suffix(".hdr").is_file():
        path = path.with_suffix(".hdr")
    with gzip.open(path, "rb") if _is_packed(path) else path.open("rb") as stream:
        return bytes(stream.read(560))


def _is_packed(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(2) == b"\x1f\x8b"


def _order_and_layout(path: Path, raw: bytes) -> tuple[str, _Layout]:
    for order in "<>":
        layout = _LAYOUTS.get(struct.unpack_from(order + "i", raw)[0])
        if layout is not None and len(raw) >= layout.size:
            return order, layout
    raise ReadError(f"{path.name}: its NIfTI header is damaged or cut short; export it again")


def _data_beside(path: Path) -> Path:
    stem = path.name.removesuffix(".gz").removesuffix(".hdr").removesuffix(".img")
    places = [path.with_name(stem + end) for end in (".img", ".img.gz")]
    return next((place for place in places if place.is_file()), places[0])


def _scaled(rows: FloatArray, unit: float) -> FloatArray:
    matrix = np.eye(4)
    matrix[:3] = rows[:3] * unit
    return matrix


def _qform(pixdim: FloatArray, quatern: FloatArray) -> FloatArray:
    """(3, 4) index to RAS, NIfTI-1 standard, method 2."""
    b, c, d = quatern[:3]
    a = np.sqrt(max(0.0, 1 - (b * b + c * c + d * d)))
    rotation = np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )
    handed = -1.0 if pixdim[0] < 0 else 1.0
    linear = rotation * np.abs(pixdim[1:4]) * [1, 1, handed]
    return np.column_stack([linear, quatern[3:6]])
