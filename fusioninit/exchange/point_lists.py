"""Points with free names from 3D Slicer: `.mrk.json`, and the older `.fcsv`. Given in LPS mm."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusioninit.errors import ReadError

NamedPoint = tuple[str, NDArray[np.float64]]

LARGEST_FILE_BYTES = 20_000_000

_TO_LPS = {"LPS": np.ones(3), "RAS": np.array([-1.0, -1.0, 1.0])}
_FCSV_SYSTEMS = {"0": "RAS", "1": "LPS"}
"""Old versions of Slicer write a number."""


def is_point_list(path: Path) -> bool:
    """Whether a file is JSON or a Slicer `.fcsv`, by its first characters or else its name."""
    if path.suffix.lower() in (".json", ".fcsv"):
        return True
    with path.open("rb") as stream:
        start = stream.read(256).lstrip(b"\xef\xbb\xbf \t\r\n")
    return start.startswith((b"{", b"[", b"# Markups fiducial file"))


def read_points(path: Path) -> list[NamedPoint]:
    """Every defined point of a point list: its name and position (LPS mm).

    Raises
    ------
    ReadError
        Not a point list, other coordinates than LPS or RAS, other units than mm, or a position
        that is not three finite numbers.
    """
    if path.stat().st_size > LARGEST_FILE_BYTES:
        raise ReadError(f"{path.name} is too large for a list of targets; choose a *.mrk.json file")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except ValueError as error:
        raise ReadError(f"{path.name} is not a Slicer point list; choose a *.mrk.json") from error
    if text.lstrip().startswith("#"):
        return _fcsv_points(path, text)
    return [point for markup in _markups(path, text) for point in _points_of_markup(path, markup)]


def _markups(path: Path, text: str) -> list[dict[str, Any]]:
    try:
        return [dict(markup) for markup in json.loads(text)["markups"]]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ReadError(f"{path.name} is not a Slicer point list; choose a *.mrk.json") from error


def _points_of_markup(path: Path, markup: dict[str, Any]) -> list[NamedPoint]:
    system = _known_system(path, str(markup.get("coordinateSystem", "LPS")))
    if markup.get("coordinateUnits", "mm") not in ("mm", ["mm", "UCUM", "millimeter"]):
        raise ReadError(f"{path.name} is not in mm; save it again in mm")
    points = []
    for number, point in enumerate(markup.get("controlPoints") or (), start=1):
        if not isinstance(point, dict):
            raise ReadError(f"{path.name} is a damaged point list; save it again from Slicer")
        if point.get("positionStatus", "defined") == "defined":
            name = str(point.get("label") or f"Target {number}")
            points.append((name, _position(path, name, point.get("position"), system)))
    return points


def _fcsv_points(path: Path, text: str) -> list[NamedPoint]:
    """`id,x,y,z,ow,ox,oy,oz,vis,sel,lock,label,...` after lines of comment."""
    lines = text.splitlines()
    stated = next((line for line in lines if "CoordinateSystem" in line), "= RAS")
    word = stated.partition("=")[2].strip()
    system = _known_system(path, _FCSV_SYSTEMS.get(word, word))
    rows = csv.reader(line for line in lines if line.strip() and not line.startswith("#"))
    points = []
    for number, row in enumerate(rows, start=1):
        name = row[11] if len(row) > 11 and row[11] else f"Target {number}"
        points.append((name, _position(path, name, row[1:4], system)))
    return points


def _known_system(path: Path, system: str) -> str:
    if system not in _TO_LPS:
        raise ReadError(f"{path.name} is in coordinates '{system}'; save it again in LPS")
    return system


def _position(path: Path, name: str, value: object, system: str) -> NDArray[np.float64]:
    try:
        position = np.array(value, dtype=np.float64)
    except (TypeError, ValueError):
        position = np.array([np.nan])
    if position.shape != (3,) or not np.isfinite(position).all():
        raise ReadError(f"{path.name}: {name} needs three finite numbers x, y, z in mm")
    turned: NDArray[np.float64] = position * _TO_LPS[system]
    return turned
