"""Which format a file is in, by its content; the name decides only where content cannot."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path

from fusioninit.errors import ReadError

KNOWN = "NIfTI (.nii, .nii.gz), NRRD (.nrrd), MetaImage (.mha, .mhd) or DICOM"


def format_of(path: Path) -> str:
    """One of "nifti", "nrrd", "metaimage", "dicom" (a DICOM file, or any folder).

    Raises
    ------
    ReadError
        No such file or folder, an empty file, or a format that is not read.
    """
    if path.is_dir():
        return "dicom"
    if not path.exists():
        raise ReadError(f"{path.name}: no such file or folder; choose an existing image")
    if not path.is_file():
        raise ReadError(f"{path.name} is neither a file nor a folder; choose an image")
    start = _first_bytes(path)
    for name, fits in (("nrrd", _is_nrrd), ("nifti", _is_nifti), ("dicom", _is_dicom)):
        if fits(start):
            return name
    if _is_metaimage(start):
        return "metaimage"
    if path.suffix.lower() in (".dcm", ".ima") and start:
        return "dicom"
    raise ReadError(_unknown(path, start))


def _first_bytes(path: Path, count: int = 1024) -> bytes:
    try:
        with path.open("rb") as stream:
            start = stream.read(count)
        if start[:2] != b"\x1f\x8b":
            return start
        with gzip.open(path, "rb") as packed:
            return packed.read(count)
    except PermissionError as error:
        raise ReadError(f"{path.name} may not be read; change its permissions") from error
    except (OSError, EOFError, zlib.error) as error:
        raise ReadError(f"{path.name} is damaged (not whole gzip); copy it again") from error


def _is_nrrd(start: bytes) -> bool:
    return start.startswith(b"NRRD0")


def _is_nifti(start: bytes) -> bool:
    if len(start) < 348:
        return False
    return start[344:347] in (b"n+1", b"ni1") or start[4:7] in (b"n+2", b"ni2")


def _is_dicom(start: bytes) -> bool:
    return start[128:132] == b"DICM"


def _is_metaimage(start: bytes) -> bool:
    return any(key in start for key in (b"ObjectType", b"NDims")) and b"=" in start


def _unknown(path: Path, start: bytes) -> str:
    if not start:
        return f"{path.name} is empty; copy it again or choose another file"
    if len(start) >= 348 and 348 in struct.unpack("<i", start[:4]) + struct.unpack(">i", start[:4]):
        return (
            f"{path.name} is in Analyze 7.5, which does not state patient directions; "
            "convert it to NIfTI with known orientation"
        )
    return f"{path.name} is not a {KNOWN} image, whatever its name; choose another file"
