"""Regions drawn in an image (lesions, mostly): where each lies and how large it is.

From a label file (NIfTI, NRRD, MetaImage), an STL surface, a DICOM SEG or a DICOM RTSTRUCT; the
file's content decides. Points are LPS mm.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from fusioninit.errors import ReadError
from fusioninit.geometry import Grid
from fusioninit.imaging.formats import format_of
from fusioninit.imaging.region import Region
from fusioninit.imaging.stl_files import is_ras_stl, is_stl, read_stl

FloatArray = NDArray[np.float64]

MAX_REGIONS = 50
"""More labels, parts or contours than anyone would take cores from: not a file of targets."""

_SEGMENT = re.compile(r"^Segment(\d+)_(Name|LabelValue):=(.*)$", re.MULTILINE)


def regions_of(path: Path) -> tuple[Region, ...]:
    """All regions of a file, in its order.

    Raises
    ------
    ReadError
        One sentence: not such a file, nothing or far too much in it, and what to do.
    """
    if path.is_dir():
        raise ReadError(f"{path.name} is a folder; choose the file of targets in it")
    if path.is_file() and is_stl(path):
        return _counted(path, _surface_regions(path))
    format_name = format_of(path)
    if format_name == "dicom":
        from fusioninit.imaging.dicom_regions import dicom_regions

        return _counted(path, dicom_regions(path))
    from fusioninit.imaging.file_volumes import label_channels

    channels, grid = label_channels(path, format_name)
    if len(channels) > 1:
        return _counted(path, _channel_regions(path, channels, grid))
    return _counted(path, _label_regions(path, channels[0], grid))


def region_of_voxels(
    name: str, index_ijk: NDArray[np.int64], grid: Grid, frame_of_reference_uid: str = ""
) -> Region:
    """The region of `(N, 3)` voxel indices (i, j, k) of a grid."""
    voxel_ml = float(np.prod(grid.spacing_mm)) / 1000
    points = grid.to_world(index_ijk)
    # half a voxel more on either side, along whichever world axis it reaches
    half = np.abs(grid.direction) @ grid.spacing_mm / 2
    return Region(
        name,
        points.mean(axis=0),
        len(points) * voxel_ml,
        np.ptp(points, axis=0) + 2 * half,
        frame_of_reference_uid,
    )


def _counted(path: Path, regions: list[Region]) -> tuple[Region, ...]:
    if not regions:
        raise ReadError(f"{path.name} holds no region; choose a file in which targets are drawn")
    if len(regions) > MAX_REGIONS:
        raise ReadError(
            f"{path.name} holds {len(regions)} separate regions, more than the {MAX_REGIONS} that "
            "are read; choose a file of targets alone"
        )
    return tuple(regions)


def _channel_regions(path: Path, channels: list[NDArray[np.int32]], grid: Grid) -> list[Region]:
    """One region per channel of a 4D label file (the mu-RegPro layout), which may overlap."""
    return [
        region_of_voxels(f"{_stem(path)} {number}", np.argwhere(channel != 0)[:, ::-1], grid)
        for number, channel in enumerate(channels)
        if channel.any()
    ]


def _label_regions(path: Path, labels: NDArray[np.int32], grid: Grid) -> list[Region]:
    """One region per label; of a mask with one label, one per connected part."""
    values = [int(value) for value in np.unique(labels) if value != 0]
    if len(values) > MAX_REGIONS:
        raise ReadError(
            f"{path.name} holds {len(values)} different values, so it is an image and no mask; "
            "choose the mask of the targets"
        )
    names = _segment_names(path)
    if len(values) == 1:
        parts, count = ndimage.label(labels != 0, structure=np.ones((3, 3, 3)))
        if count > 1:
            return _numbered(path, parts, grid, range(1, min(count, MAX_REGIONS + 1) + 1), {})
        names = names or {values[0]: _stem(path)}
    return _numbered(path, labels, grid, values, names)


def _numbered(
    path: Path,
    labels: NDArray[np.int32],
    grid: Grid,
    values: list[int] | range,
    names: dict[int, str],
) -> list[Region]:
    return [
        region_of_voxels(
            names.get(value, f"{_stem(path)} {value}"), np.argwhere(labels == value)[:, ::-1], grid
        )
        for value in values
    ]


def _segment_names(path: Path) -> dict[int, str]:
    """Label values and names that a Slicer segmentation (`.seg.nrrd`) states in its header."""
    with path.open("rb") as stream:
        start = stream.read(64 * 1024)
    if not start.startswith(b"NRRD"):
        return {}
    header = start.partition(b"\n\n")[0].replace(b"\r", b"").decode("utf-8", "replace")
    found: dict[str, dict[str, str]] = {}
    for number, key, value in _SEGMENT.findall(header):
        found.setdefault(number, {})[key] = value.strip()
    return {
        int(entry["LabelValue"]): entry["Name"]
        for entry in found.values()
        if entry.get("LabelValue", "").isdigit() and entry.get("Name")
    }


def _stem(path: Path) -> str:
    return path.name.split(".")[0] or "region"


def _surface_regions(path: Path) -> list[Region]:
    """One region per connected surface; its volume is what it encloses."""
    triangles = read_stl(path) * ([-1, -1, 1] if is_ras_stl(path) else [1, 1, 1])
    corners, index = np.unique(triangles.reshape(-1, 3), axis=0, return_inverse=True)
    faces = index.reshape(-1, 3)
    starts, ends = faces[:, [0, 1]].ravel(), faces[:, [1, 2]].ravel()
    links = coo_array((np.ones(len(starts)), (starts, ends)), shape=(len(corners),) * 2)
    count, part = connected_components(links, directed=False)
    if count > MAX_REGIONS:
        raise ReadError(
            f"{path.name} holds {count} separate surfaces, more than the {MAX_REGIONS} that are "
            "read; choose the surface of one target"
        )
    names = _stem_names(path, count)
    return [
        _enclosed(name, triangles[part[faces[:, 0]] == number]) for number, name in enumerate(names)
    ]


def _stem_names(path: Path, count: int) -> list[str]:
    stem = _stem(path)
    return [stem] if count == 1 else [f"{stem} {number}" for number in range(1, count + 1)]


def _enclosed(name: str, triangles: FloatArray) -> Region:
    """Volume and centroid by the divergence theorem: signed tetrahedra from an inner point.

    An open surface encloses nothing; its centroid is that of its area.
    """
    points = triangles.reshape(-1, 3)
    middle = points.mean(axis=0)
    a, b, c = np.moveaxis(triangles - middle, 1, 0)
    cross = np.cross(b - a, c - a)
    sixfold = np.einsum("ni,ni->n", a, np.cross(b, c))
    area2 = np.linalg.norm(cross, axis=1)
    # the area vectors of a closed surface add up to nothing
    is_closed = np.linalg.norm(cross.sum(axis=0)) <= 1e-3 * area2.sum()
    if is_closed and abs(sixfold.sum()) > 1e-9:
        centroid = middle + ((a + b + c) * sixfold[:, None]).sum(axis=0) / (4 * sixfold.sum())
        volume_ml = abs(float(sixfold.sum())) / 6000
    else:
        centroid = middle + (a + b + c).T @ area2 / (3 * max(float(area2.sum()), 1e-12))
        volume_ml = 0.0
    return Region(name, centroid, volume_ml, np.ptp(points, axis=0))
