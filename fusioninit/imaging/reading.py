"""Reading volumes and masks: the one entry for every format.

Files come from outside, so the work is done in a child process with limits on time and memory
(`fusioninit.imaging.isolation`); the parent receives plain arrays and text. All geometry that
leaves here is LPS mm.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from fusioninit.geometry import Space
from fusioninit.imaging.isolation import Request, read_isolated, read_regions_isolated
from fusioninit.imaging.region import Region
from fusioninit.imaging.stated_geometry import StatedGeometry
from fusioninit.imaging.volume import Volume

Cancelled = Callable[[], bool]


def read_volume(
    path: Path | str,
    *,
    space: Space,
    series_uid: str | None = None,
    isolated: bool = True,
    cancelled: Cancelled | None = None,
    stated: StatedGeometry | None = None,
) -> Volume:
    """Read one scalar 3D volume: NIfTI, NRRD, MetaImage, a DICOM file or a DICOM folder.

    Of a folder, the series that fits `space` is chosen (for MR the axial T2) and named in
    `volume.source`; `series_uid` chooses another. What is doubtful about the geometry is in
    `volume.source.warnings`, a sentence each.

    Parameters
    ----------
    isolated : bool
        Read in a child process (the default). False reads in this one.
    cancelled : callable, optional
        Polled while the child reads; true stops it.
    stated : StatedGeometry, optional
        Voxel size and directions where the file states none or wrong ones.

    Raises
    ------
    ReadError
        One sentence: what cannot be used, in which file, and what to do.
    """
    request = Request(
        path=Path(path),
        space=space,
        series_uid=series_uid or "",
        stated=stated or StatedGeometry(),
    )
    return _read(request, isolated, cancelled)


def read_mask(
    path: Path | str,
    *,
    space: Space,
    channel: int = 0,
    isolated: bool = True,
    cancelled: Cancelled | None = None,
) -> Volume:
    """Read a mask: voxels are 1 where the file's label exceeds 0.5, else 0 (uint8).

    Of a 4D label file (the mu-RegPro layout), `channel` is taken; 0 is the gland.

    Raises
    ------
    ReadError
        One sentence: what cannot be used, in which file, and what to do.
    """
    request = Request(path=Path(path), space=space, mask_channel=channel)
    return _read(request, isolated, cancelled)


def read_regions(
    path: Path | str, *, isolated: bool = True, cancelled: Cancelled | None = None
) -> tuple[Region, ...]:
    """What is drawn in a label file, an STL surface, a DICOM SEG or a DICOM RTSTRUCT.

    Raises
    ------
    ReadError
        One sentence: what cannot be used, in which file, and what to do.
    """
    request = Request(path=Path(path).absolute(), space=Space.MR)
    if isolated:
        return read_regions_isolated(request, cancelled=cancelled)
    from fusioninit.imaging.regions import regions_of

    return regions_of(request.path)


def _read(request: Request, isolated: bool, cancelled: Cancelled | None) -> Volume:
    request = replace(request, path=request.path.absolute())
    if isolated:
        return read_isolated(request, cancelled=cancelled)
    from fusioninit.imaging.child import read_request

    return read_request(request)
