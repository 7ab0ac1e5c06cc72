"""STL files: triangles in mm, binary or text. Points are taken as LPS."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fusioninit.errors import ReadError

FloatArray = NDArray[np.float64]

MAX_BYTES = 200 << 20
"""A gland's surface takes less than 1 MB."""

_BINARY = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])


def is_stl(path: Path) -> bool:
    """Whether a file is STL by its content: its size fits its count, or it is the text form."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        start = stream.read(1024)
    if start[:5].lower() == b"solid" and b"facet" in start:
        return True
    count = int.from_bytes(start[80:84], "little")
    return count > 0 and size == 84 + count * _BINARY.itemsize


def is_ras_stl(path: Path) -> bool:
    """Whether the file says that its coordinates are RAS, as 3D Slicer can write them."""
    with path.open("rb") as stream:
        return b"SPACE=RAS" in stream.read(200)


def read_stl(path: Path) -> FloatArray:
    """(N, 3, 3) corners of the triangles of a binary or text STL file, mm.

    Raises
    ------
    ReadError
        Not an STL file, empty, or with coordinates that are not numbers.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ReadError(f"{path.name} is too large for a gland's surface; choose another file")
        content = path.read_bytes()
    except OSError as error:
        raise ReadError(f"{path.name} cannot be read ({error.strerror})") from error
    triangles = _binary(content)
    if triangles is None:
        triangles = _text(content)
    if triangles is None or not len(triangles) or not np.isfinite(triangles).all():
        raise ReadError(f"{path.name} holds no triangles of an STL surface; save it again as STL")
    return triangles


def _binary(content: bytes) -> FloatArray | None:
    """None where the number of triangles does not fit the file's size, which tells text apart."""
    if len(content) < 84:
        return None
    count = int.from_bytes(content[80:84], "little")
    if len(content) != 84 + count * _BINARY.itemsize:
        return None
    return np.frombuffer(content, _BINARY, count, offset=84)["corners"].astype(np.float64)


def _text(content: bytes) -> FloatArray | None:
    words = content.split()
    at = [number + 1 for number, word in enumerate(words) if word == b"vertex"]
    if not at or len(at) % 3 or at[-1] + 3 > len(words):
        return None
    try:
        corners = [[float(word) for word in words[start : start + 3]] for start in at]
    except ValueError:
        return None
    return np.array(corners).reshape(-1, 3, 3)
