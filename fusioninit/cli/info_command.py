"""`fusioninit info VOLUME`: what would be read, and what is doubtful about it."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from fusioninit.cli.output import Status, answer, answer_json
from fusioninit.cli.stated import stated_geometry
from fusioninit.geometry import Space, orientation_letters
from fusioninit.imaging import Volume
from fusioninit.imaging.reading import read_volume


def run(options: Namespace) -> int:
    """Print geometry, the series chosen, and warnings."""
    space = Space(options.modality)
    stated = stated_geometry(options.spacing, options.orientation)
    volume = read_volume(options.volume, space=space, series_uid=options.series, stated=stated)
    record = describe(volume)
    if options.json:
        answer_json(record)
    else:
        for name, value in record.items():
            _print_entry(name.replace("_", " "), value)
    return Status.DONE


def describe(volume: Volume) -> dict[str, Any]:
    """The facts of a volume as JSON values; lengths in mm, directions as columns in LPS."""
    grid, source = volume.grid, volume.source
    low, high = volume.percentiles(0, 100)
    return {
        "format": source.format,
        "description": source.description,
        "series_uid": source.series_uid,
        "size_ijk": list(grid.shape[::-1]),
        "spacing_mm": grid.spacing_mm.tolist(),
        "extent_mm": grid.extent_mm.tolist(),
        "origin_lps_mm": grid.origin_mm.tolist(),
        "direction_columns_lps": grid.direction.T.tolist(),
        "axes_point_to": [orientation_letters(column) for column in grid.direction.T],
        "left_handed": grid.is_left_handed,
        "intensity_range": [low, high],
        "warnings": list(source.warnings),
        **{name: value for name, value in source.details.items() if value},
    }


def _print_entry(name: str, value: Any) -> None:
    if isinstance(value, list) and value and isinstance(value[0], str) and len(value[0]) > 4:
        answer(f"{name}:")
        for line in value:
            answer(f"  {line}")
    elif isinstance(value, list) and value and isinstance(value[0], float):
        answer(f"{name}: " + " ".join(f"{number:.3f}" for number in value))
    elif value not in ("", []):
        answer(f"{name}: {value}")
