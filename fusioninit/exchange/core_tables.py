"""The needle plan in US coordinates: as Slicer lines and as a table."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np

from fusioninit.exchange.contents import Contents
from fusioninit.exchange.frames import MAX_RESIDUAL_MM, WrittenFileError
from fusioninit.exchange.markups import control_point, markup_of, write_markup_file
from fusioninit.exchange.placing import placed
from fusioninit.state import Core

COLUMNS = (
    "name",
    "kind",
    "target",
    "entry_us_x_lps_mm",
    "entry_us_y_lps_mm",
    "entry_us_z_lps_mm",
    "tip_us_x_lps_mm",
    "tip_us_y_lps_mm",
    "tip_us_z_lps_mm",
    "depth_mm",
    "sample_mm",
    "distance_to_target_mm",
)


def core_record(contents: Contents, core: Core) -> dict[str, Any]:
    """A core as JSON values: positions LPS mm in US, and how far it passes its target."""
    return {
        "name": core.name,
        "kind": core.kind.value,
        "target": core.target,
        "entry_us_lps_mm": core.entry_us_mm.tolist(),
        "tip_us_lps_mm": core.tip_us_mm.tolist(),
        "depth_mm": core.depth_mm,
        "sample_mm": core.sample_mm,
        "distance_to_target_mm": contents.target_distance_mm(core),
    }


def write_core_table(path: Path, contents: Contents) -> Path:
    """Write all cores as CSV, entry and tip in US (LPS mm), and verify it."""
    with placed(path) as beside:
        with beside.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream)
            writer.writerow(COLUMNS)
            for core in contents.cores:
                miss_mm = contents.target_distance_mm(core)
                writer.writerow(
                    [
                        core.name,
                        core.kind.value,
                        core.target or "",
                        *core.entry_us_mm.tolist(),
                        *core.tip_us_mm.tolist(),
                        round(core.depth_mm, 3),
                        core.sample_mm,
                        "" if miss_mm is None else round(miss_mm, 3),
                    ]
                )
        _verify_table(path, beside, contents.cores)
    return path


def write_core_markups(path: Path, contents: Contents) -> Path:
    """Write every core as a Slicer line from entry to tip (LPS mm of US), and verify it."""
    markups = [_line(core) for core in contents.cores]
    with placed(path) as beside:
        write_markup_file(beside, markups)
        _verify_markups(path, beside, contents.cores)
    return path


def _line(core: Core) -> dict[str, Any]:
    about = f"{core.kind.value} core; depth {core.depth_mm:.1f} mm; sample {core.sample_mm:.1f} mm"
    if core.target:
        about += f"; target {core.target}"
    ends = (("entry", core.entry_us_mm), ("tip", core.tip_us_mm))
    points = [
        control_point(number, f"{core.name}, {end}", position.tolist(), about)
        for number, (end, position) in enumerate(ends, start=1)
    ]
    return markup_of("Line", points) | {"name": core.name}


def _verify_table(path: Path, beside: Path, cores: tuple[Core, ...]) -> None:
    with beside.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    found = {
        row["name"]: [
            [float(row[f"{end}_us_{axis}_lps_mm"]) for axis in "xyz"] for end in ("entry", "tip")
        ]
        for row in rows
    }
    _verify(path, cores, found)


def _verify_markups(path: Path, beside: Path, cores: tuple[Core, ...]) -> None:
    markups = json.loads(beside.read_text(encoding="utf-8"))["markups"]
    found = {
        markup["name"]: [point["position"] for point in markup["controlPoints"]]
        for markup in markups
    }
    _verify(path, cores, found)


def _verify(path: Path, cores: tuple[Core, ...], found: dict[str, list[list[float]]]) -> None:
    if list(found) != [core.name for core in cores]:
        raise WrittenFileError(f"{path.name}: read back, it does not hold the cores of the plan")
    for core in cores:
        apart = np.array(found[core.name]) - [core.entry_us_mm, core.tip_us_mm]
        if not np.linalg.norm(apart, axis=-1).max() <= MAX_RESIDUAL_MM:
            raise WrittenFileError(f"{path.name}: read back, {core.name} differs")
