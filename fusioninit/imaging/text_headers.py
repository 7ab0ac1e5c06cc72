"""The claims of NRRD and MetaImage headers, which are lines of text."""

from __future__ import annotations

import re
from pathlib import Path

from fusioninit.errors import ReadError
from fusioninit.imaging.doubts import CHECK, NO_DIRECTIONS, Doubt, Part, no_directions, no_spacing
from fusioninit.imaging.headers import Claim, trimmed

_HEADER_BYTES = 64 * 1024
_LONGEST_NAME = 200
"""Of a data file; systems allow 255 bytes."""

_NRRD_BYTES = {
    1: ("signed char", "int8", "int8_t", "uchar", "unsigned char", "uint8", "uint8_t"),
    2: ("short", "short int", "signed short", "signed short int", "int16", "int16_t", "ushort",
        "unsigned short", "unsigned short int", "uint16", "uint16_t"),
    4: ("int", "signed int", "int32", "int32_t", "uint", "unsigned int", "uint32", "uint32_t",
        "float"),
    8: ("longlong", "long long", "long long int", "signed long long", "signed long long int",
        "int64", "int64_t", "ulonglong", "unsigned long long", "unsigned long long int", "uint64",
        "uint64_t", "double"),
}  # fmt: skip
_NRRD_PATIENT_SPACES = {
    "right-anterior-superior", "ras", "left-anterior-superior", "las",
    "left-posterior-superior", "lps",
}  # fmt: skip
_MILLIMETRES = {"mm", "millimeter", "millimeters", "millimetre", "millimetres", "?", "none", "???"}
_AXIS_KINDS = {"domain", "space", "time", "list", "none", "???", "?", "stub", "scalar"}
"""Kinds of NRRD axes along which one value per voxel lies."""
_META_BYTES = {
    "MET_CHAR": 1, "MET_UCHAR": 1, "MET_SHORT": 2, "MET_USHORT": 2, "MET_INT": 4, "MET_UINT": 4,
    "MET_LONG": 4, "MET_ULONG": 4, "MET_LONG_LONG": 8, "MET_ULONG_LONG": 8, "MET_FLOAT": 4,
    "MET_DOUBLE": 8,
}  # fmt: skip


def nrrd_claim(path: Path) -> Claim:
    """What a NRRD file says of itself; ReadError where it is damaged or in a form not read."""
    start = _start(path)
    lines, offset = _until_blank_line(path, start)
    if any("\0" in line for line in lines):
        # no text: ITK's reader dies of some
        raise ReadError(f"{path.name}: its NRRD header is damaged; export the image again")
    fields = {}
    for line in lines[1:]:
        key, separator, value = line.partition(":")
        if separator and not line.startswith("#"):
            fields[key.strip().lower()] = value.lstrip("=").strip()
    sizes = _integers(path, fields.get("sizes", ""))
    _require_a_vector_each(path, fields, len(sizes))
    data_path = _data_path(path, fields.get("data file", fields.get("datafile", "")))
    _require_mm(path, fields.get("space units", fields.get("units", "")))
    _require_scalar(path, fields.get("kinds", ""))
    encoding = fields.get("encoding", "raw").lower()
    if encoding not in ("raw", "gzip", "gz"):
        raise ReadError(f"{path.name}: NRRD encoding '{encoding}' is not read; save it as gzip")
    packed = encoding != "raw"
    attached = data_path == path
    return Claim(
        sizes=trimmed(sizes),
        bytes_per_voxel=_nrrd_bytes(path, fields.get("type", "").lower()),
        data_path=data_path,
        data_offset=offset if attached and not packed else 0,
        packed=packed,
        packed_offset=offset if attached else 0,
        doubts=_nrrd_doubts(fields),
    )


def meta_claim(path: Path) -> Claim:
    """What a MetaImage file says of itself; ReadError where it is damaged or in a form not read."""
    start = _start(path)
    fields: dict[str, str] = {}
    offset = 0
    for line in start.split(b"\n"):
        offset += len(line) + 1
        key, _, value = line.decode("latin-1").partition("=")
        fields[key.strip()] = value.strip()
        if key.strip() == "ElementDataFile":
            break
    else:
        raise ReadError(f"{path.name}: its MetaImage header names no data; export it again")
    _require_mm(path, fields.get("DistanceUnits", ""))
    data = fields["ElementDataFile"]
    attached = data.upper() == "LOCAL"
    data_path = path if attached else _data_path(path, data)
    packed = fields.get("CompressedData", "False").lower() == "true"
    stated = int(fields["HeaderSize"]) if fields.get("HeaderSize", "").isdigit() else 0
    sizes = _integers(path, fields.get("DimSize", ""))
    if fields.get("NDims", str(len(sizes))) != str(len(sizes)):
        # ITK's reader dies of some
        raise ReadError(f"{path.name}: its header contradicts itself; export the image again")
    return Claim(
        sizes=trimmed(sizes),
        bytes_per_voxel=_meta_bytes(path, fields.get("ElementType", "")),
        components=int(fields.get("ElementNumberOfChannels", "1") or 1),
        data_path=data_path,
        data_offset=0 if packed else offset if attached else stated,
        packed=packed,
        packed_offset=offset if attached else stated,
        doubts=_meta_doubts(fields),
    )


def _require_mm(path: Path, units: str) -> None:
    """Refuse lengths in other units, which ITK takes for mm without a word."""
    others = sorted(set(units.replace('"', " ").lower().split()) - _MILLIMETRES)
    if others:
        raise ReadError(
            f"{path.name} states its lengths in '{others[0][:20]}', which most programs take for "
            "mm; save it in mm"
        )


def _require_a_vector_each(path: Path, fields: dict[str, str], axes: int) -> None:
    """Refuse directions that are more or fewer than the axes: ITK's reader dies of them."""
    directions = re.findall(r"\([^()]*\)|none|[^()\s]+", fields.get("space directions", ""))
    stated = fields.get("dimension", str(axes))
    lengths = {vector.count(",") for vector in directions if vector.startswith("(")}
    if stated != str(axes) or len(directions) not in (0, axes) or len(lengths) > 1:
        raise ReadError(f"{path.name}: its NRRD header contradicts itself; export the image again")


def _require_scalar(path: Path, kinds: str) -> None:
    others = sorted(set(kinds.lower().split()) - _AXIS_KINDS)
    if others:
        raise ReadError(
            f"{path.name} has several values per voxel ('{others[0][:20]}'); choose a greyscale "
            "volume"
        )


def _start(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(_HEADER_BYTES)


def _until_blank_line(path: Path, start: bytes) -> tuple[list[str], int]:
    for blank in (b"\n\n", b"\r\n\r\n"):
        end = start.find(blank)
        if end >= 0:
            return start[:end].decode("latin-1").splitlines(), end + len(blank)
    if path.stat().st_size > _HEADER_BYTES:
        raise ReadError(f"{path.name}: its NRRD header does not end; export it again")
    return start.decode("latin-1").splitlines(), len(start)


def _data_path(path: Path, name: str) -> Path:
    if not name:
        return path
    if name.upper().startswith("LIST") or "%" in name or Path(name).name != name:
        raise ReadError(
            f"{path.name} points to several files or to another folder ('{name[:40]}'); "
            "save it as one file"
        )
    if len(name) > _LONGEST_NAME:
        raise ReadError(f"{path.name}: its header names no usable data file; export it again")
    return path.with_name(name)


def _integers(path: Path, text: str) -> tuple[int, ...]:
    try:
        sizes = tuple(int(word) for word in text.split())
    except ValueError:
        sizes = ()
    if not sizes:
        raise ReadError(f"{path.name}: its header states no size; export the image again")
    return sizes


def _nrrd_bytes(path: Path, name: str) -> int:
    for count, names in _NRRD_BYTES.items():
        if name in names:
            return count
    raise ReadError(f"{path.name}: NRRD type '{name}' is not read; save it as short or float")


def _meta_bytes(path: Path, name: str) -> int:
    if name not in _META_BYTES:
        raise ReadError(f"{path.name}: MetaImage type '{name}' is not read; save it as MET_SHORT")
    return _META_BYTES[name]


def _nrrd_doubts(fields: dict[str, str]) -> tuple[Doubt, ...]:
    if "space directions" not in fields:
        directions = no_directions("no 'space directions'")
        return (directions,) if "spacings" in fields else (directions, no_spacing("no 'spacings'"))
    stated = fields.get("space", "none")
    if stated.lower() in _NRRD_PATIENT_SPACES:
        return ()
    text = f"its space is '{stated}', not a patient's: {NO_DIRECTIONS}; {CHECK}"
    return (Doubt(text, Part.DIRECTIONS),)


def _meta_doubts(fields: dict[str, str]) -> tuple[Doubt, ...]:
    doubts = []
    if not fields.keys() & {"TransformMatrix", "Rotation", "Orientation"}:
        doubts.append(no_directions("no 'TransformMatrix'"))
    if not fields.keys() & {"ElementSpacing", "ElementSize"}:
        doubts.append(no_spacing("no 'ElementSpacing'"))
    return tuple(doubts)
