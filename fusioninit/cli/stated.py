"""Geometry that a person states for a file that states none: `--spacing` and `--orientation`."""

from __future__ import annotations

from fusioninit.errors import InputError
from fusioninit.imaging.stated_geometry import StatedGeometry


def stated_geometry(spacing: str | None, orientation: str) -> StatedGeometry | None:
    """What was stated, or None. InputError where it is not three sizes or not an orientation."""
    if spacing is None and not orientation:
        return None
    return StatedGeometry(_sizes_mm(spacing), orientation)


def _sizes_mm(text: str | None) -> tuple[float, float, float] | None:
    if text is None:
        return None
    try:
        i, j, k = (float(size) for size in text.split(","))
    except ValueError as error:
        raise InputError(f"--spacing {text}: give three sizes in mm, such as 0.5,0.5,3") from error
    return i, j, k
