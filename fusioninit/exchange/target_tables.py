"""Biopsy targets in US coordinates: as Slicer points and as a table."""

from __future__ import annotations

import csv
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
        _verify(path, beside, contents)
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
    return path


def _verify(path: Path, beside: Path, contents: Contents) -> None:
    with beside.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    for row, target in zip(rows, contents.targets, strict=True):
        us = np.array([float(row[f"us_{axis}_lps_mm"]) for axis in "xyz"])
        wanted = contents.us_from_mr.apply(target.position_mr_mm)
        if not np.linalg.norm(us - wanted) <= MAX_RESIDUAL_MM:
            raise WrittenFileError(f"{path.name}: read back, {target.name} differs")
