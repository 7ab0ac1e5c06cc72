"""Targets from a 3D Slicer point list (`.mrk.json`): points of the MR with free names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from fusioninit.errors import ReadError
from fusioninit.state import Target

_TO_LPS = {"LPS": np.ones(3), "RAS": np.array([-1.0, -1.0, 1.0])}
_LARGEST_FILE_BYTES = 20_000_000


def read_targets(path: Path | str) -> tuple[Target, ...]:
    """Every defined point of the file as a target of the MR (LPS mm).

    Raises
    ------
    ReadError
        No such file, not a markups file, other coordinates than LPS or RAS, other units than mm,
        no point, or a position that is not three finite numbers.
    """
    path = Path(path)
    targets = [target for markup in _markups(path) for target in _targets_of_markup(path, markup)]
    if not targets:
        raise ReadError(f"{path.name} holds no points; save the targets as a Slicer point list")
    return tuple(targets)


def _markups(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        raise ReadError(f"{path.name}: no such file; choose targets (*.mrk.json)")
    if path.stat().st_size > _LARGEST_FILE_BYTES:
        raise ReadError(f"{path.name} is too large for a list of targets; choose a *.mrk.json file")
    try:
        markups = json.loads(path.read_text(encoding="utf-8"))["markups"]
        return [dict(markup) for markup in markups]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ReadError(f"{path.name} is not a Slicer point list; choose a *.mrk.json") from error


def _targets_of_markup(path: Path, markup: dict[str, Any]) -> list[Target]:
    system = str(markup.get("coordinateSystem", "LPS"))
    if system not in _TO_LPS:
        raise ReadError(f"{path.name} is in coordinates '{system}'; save it again in LPS")
    if markup.get("coordinateUnits", "mm") not in ("mm", ["mm", "UCUM", "millimeter"]):
        raise ReadError(f"{path.name} is not in mm; save it again in mm")
    found = []
    for number, point in enumerate(markup.get("controlPoints", ()), start=1):
        if point.get("positionStatus", "defined") != "defined":
            continue
        name = str(point.get("label") or f"Target {number}")
        try:
            position = np.array(point["position"], dtype=np.float64) * _TO_LPS[system]
            found.append(Target(name, position))
        except (KeyError, TypeError, ValueError) as error:
            raise ReadError(
                f"{path.name}: {name} needs three finite numbers x, y, z in mm"
            ) from error
    return found
