"""Biopsy targets of the MR from whatever they were drawn in; the file's content decides.

A 3D Slicer point list (`.mrk.json`, `.fcsv`), a mask (NIfTI, NRRD, MetaImage: one target per
label or connected part), a surface (STL, mm in MR space), a DICOM SEG or a DICOM RTSTRUCT.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from fusioninit.errors import ReadError
from fusioninit.exchange.point_lists import is_point_list, read_points
from fusioninit.imaging.reading import read_regions
from fusioninit.imaging.region import Region
from fusioninit.imaging.volume import Volume
from fusioninit.state import Target

SMALLEST_RADIUS_MM = 1.0
POINT_RADIUS_MM = 3.0
"""Radius of a target that is given as a point alone."""


def read_targets(
    path: Path | str,
    *,
    mr: Volume | None = None,
    isolated: bool = True,
    cancelled: Callable[[], bool] | None = None,
) -> tuple[Target, ...]:
    """Every target of a file, at its centroid (LPS mm in MR space), each with a name of its own.

    A region's radius is that of the ball of its volume; a point's is `POINT_RADIUS_MM`.

    Parameters
    ----------
    mr : Volume, optional
        The MR the targets belong to: with it, targets drawn in another DICOM frame of reference
        or wholly outside the image are refused.
    isolated : bool
        Read masks, surfaces and DICOM in a child process (the default).
    cancelled : callable, optional
        Polled while the child reads; true stops it.

    Raises
    ------
    ReadError
        One sentence: no such file, nothing in it, a form that is not read, or another image's.
    """
    path = Path(path)
    if not path.exists():
        raise ReadError(f"{path.name}: no such file; choose targets (*.mrk.json, mask, STL, DICOM)")
    try:
        is_points = path.is_file() and is_point_list(path)
    except OSError as error:
        raise ReadError(f"{path.name} cannot be read ({error.strerror}); copy it again") from error
    if is_points:
        targets = [Target(name, position, POINT_RADIUS_MM) for name, position in read_points(path)]
    else:
        regions = read_regions(path, isolated=isolated, cancelled=cancelled)
        _require_same_frame(path, regions, mr)
        targets = [_target(region) for region in regions]
    if not targets:
        raise ReadError(f"{path.name} holds no points; save the targets as a Slicer point list")
    _require_inside(path, targets, mr)
    return _named_apart(targets)


def _target(region: Region) -> Target:
    if region.volume_ml <= 0:
        return Target(region.name, region.centroid_mm, POINT_RADIUS_MM)
    radius_mm = float(np.cbrt(3 * 1000 * region.volume_ml / (4 * np.pi)))
    return Target(region.name, region.centroid_mm, max(radius_mm, SMALLEST_RADIUS_MM))


def _require_same_frame(path: Path, regions: tuple[Region, ...], mr: Volume | None) -> None:
    wanted = "" if mr is None else mr.source.frame_of_reference_uid
    found = {region.frame_of_reference_uid for region in regions} - {""}
    if wanted and found and wanted not in found:
        raise ReadError(
            f"{path.name} was drawn on another image than this MR (its DICOM frame of reference "
            "differs); choose the targets of this examination"
        )


def _require_inside(path: Path, targets: list[Target], mr: Volume | None) -> None:
    if mr is not None and not mr.grid.contains([t.position_mr_mm for t in targets]).any():
        raise ReadError(
            f"{path.name}: no target lies within the MR; choose targets drawn on this image, "
            "saved in its coordinates (LPS mm)"
        )


def _named_apart(targets: list[Target]) -> tuple[Target, ...]:
    taken: set[str] = set()
    named = []
    for target in targets:
        base = target.name.strip() or "Target"
        name, number = base, 2
        while name in taken:
            name, number = f"{base} ({number})", number + 1
        taken.add(name)
        named.append(Target(name, target.position_mr_mm, target.radius_mm))
    return tuple(named)
