"""The layout of the TCIA collection Prostate-MRI-US-Biopsy: DICOM folders and STL surfaces.

One folder per series, anywhere below the root, as the collection's download makes them; surfaces
named `Prostate-MRI-US-Biopsy-<patient>-ProstateSurface-seriesUID-<UID>.STL`, anywhere below it too.
The surface names its series, so the series need not be guessed. Surfaces of targets are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pydicom
from pydicom.errors import InvalidDicomError

from fusioninit.errors import InputError
from fusioninit.geometry import Space
from fusioninit.training.datasets.listing import BadRow, CaseFiles, Listing

SURFACE_NAME = re.compile(
    r"(?P<patient>.+)-ProstateSurface-seriesUID-(?P<uid>[0-9.]+)\.stl", re.IGNORECASE
)

HEADER_TAGS = ["SeriesInstanceUID", "Modality"]


def list_tcia(folder: Path, space: Space) -> Listing:
    """Series of one space that have a surface of the gland.

    Raises
    ------
    InputError
        No such folder, or no surface of the gland in it.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; datasets.sets names it as tcia")
    surfaces = sorted(path for path in folder.rglob("*") if SURFACE_NAME.fullmatch(path.name))
    if not surfaces:
        raise InputError(
            f"{folder}: no file *-ProstateSurface-seriesUID-<UID>.STL there, so not the tcia "
            "layout; unpack the collection's STL files below it"
        )
    series = dict(_series(folder))
    entries = (_entry(folder, path, series, space) for path in surfaces)
    return Listing.of(entry for entry in entries if entry is not None)


def _entry(
    root: Path, surface: Path, series: dict[str, tuple[str, Path]], space: Space
) -> CaseFiles | BadRow | None:
    named = SURFACE_NAME.fullmatch(surface.name)
    assert named is not None
    where = surface.relative_to(root).as_posix()
    if named["uid"] not in series:
        return BadRow(where, "no DICOM file of its series below the folder; download the series")
    modality, image = series[named["uid"]]
    if modality != space.value.upper():
        return None
    return CaseFiles(
        where=where,
        patient=named["patient"],
        image=image,
        surface=surface,
        series_uid=named["uid"],
        axes_from_surface=space is Space.US,
    )


def _series(root: Path) -> Iterator[tuple[str, tuple[str, Path]]]:
    """(series UID, (modality, file or folder)) of each folder's series.

    A folder's first readable file speaks for it: the collection keeps series in folders of their
    own. A series of one file is named by the file.
    """
    for folder in sorted({path.parent for path in root.rglob("*.dcm")}):
        files = sorted(folder.glob("*.dcm"))
        for path in files:
            try:
                header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=HEADER_TAGS)
            except (InvalidDicomError, OSError):
                continue
            uid, modality = header.get("SeriesInstanceUID"), header.get("Modality")
            yield str(uid or ""), (str(modality or ""), path if len(files) == 1 else folder)
            break
