"""Biopsy targets in US coordinates: as Slicer points and as a table."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np

from fusioninit.exchange.contents import Contents
from fusioninit.exchange.frames import MAX_RESIDUAL_MM, WrittenFileError
from fusioninit.exchange.markups import control_point, write_fiducials
from fusioninit.exchange.placing import placed

COLUMNS = (
    "name",
    "us_x_lps_mm",
    "us_y_lps_mm",
    "us_z_lps_mm",
    "mr_x_lps_mm",
    "mr_y_lps_mm",
    "mr_z_lps_mm",
    "radius_mm",
    "expected_error_mm",
    "error_bound_95_mm",
)


def write_target_table(path: Path, contents: Contents) -> Path:
    """Write all targets as CSV: US and MR position (LPS mm), radius, predicted error."""
    with placed(path) as beside:
        with beside.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream)
            writer.writerow(COLUMNS)
            errors = contents.predicted_error_mm([t.position_mr_mm for t in contents.targets])
            for number, target in enumerate(contents.targets):
                us = contents.us_from_mr.apply(target.position_mr_mm)
                error = ["", ""] if errors is None else errors[number].round(3).tolist()
                places = [*us.tolist(), *target.position_mr_mm.tolist()]
                writer.writerow([target.name, *places, target.radius_mm, *error])
        _verify_table(path, beside, contents)
    return path


def write_target_markups(path: Path, contents: Contents) -> Path:
    """Write all targets as a Slicer point list in US coordinates (LPS mm)."""
    points = [
        control_point(
            number,
            target.name,
            contents.us_from_mr.apply(target.position_mr_mm).tolist(),
            f"target; radius {target.radius_mm:.1f} mm",
        )
        for number, target in enumerate(contents.targets, start=1)
    ]
    with placed(path) as beside:
        write_fiducials(beside, points)
        _verify_markups(path, beside, contents)
    return path


def _verify_table(path: Path, beside: Path, contents: Contents) -> None:
    with beside.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    found = [(row["name"], [float(row[f"us_{axis}_lps_mm"]) for axis in "xyz"]) for row in rows]
    _verify(path, found, contents)


def _verify_markups(path: Path, beside: Path, contents: Contents) -> None:
    (markup,) = json.loads(beside.read_text(encoding="utf-8"))["markups"]
    found = [(point["label"], point["position"]) for point in markup["controlPoints"]]
    _verify(path, found, contents)


def _verify(path: Path, found: list[tuple[str, list[float]]], contents: Contents) -> None:
    if [name for name, _ in found] != [target.name for target in contents.targets]:
        raise WrittenFileError(f"{path.name}: read back, it does not hold the targets")
    for (name, us), target in zip(found, contents.targets, strict=True):
        wanted = contents.us_from_mr.apply(target.position_mr_mm)
        if not np.linalg.norm(np.array(us) - wanted) <= MAX_RESIDUAL_MM:
            raise WrittenFileError(f"{path.name}: read back, {name} differs")
