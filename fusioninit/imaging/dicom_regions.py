"""Regions of a DICOM SEG (segments) or a DICOM RTSTRUCT (contours), LPS mm.

Each frame or contour is summed where its own header puts it, so neither needs to form a regular
volume with the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from fusioninit.errors import ReadError
from fusioninit.imaging.contours import Contour, region_of_contours
from fusioninit.imaging.dicom_frames import (
    PYDICOM_ERRORS,
    Frame,
    frames_of,
    group_values,
    modality_of,
    numbers,
)
from fusioninit.imaging.region import Region

FloatArray = NDArray[np.float64]

_HALF = 0.5
"""Fraction of a voxel above which a fractional segmentation counts it as inside."""


def dicom_regions(path: Path) -> list[Region]:
    """The regions of a SEG or RTSTRUCT file.

    Raises
    ------
    ReadError
        Damaged, another kind of DICOM object, or geometry missing from it.
    """
    try:
        data = pydicom.dcmread(path, force=True)
        kind = modality_of(data)
        if kind == "SEG":
            return _segments(path, data)
        if kind == "RTSTRUCT":
            return _structures(path, data)
    except ReadError:
        raise
    except PYDICOM_ERRORS as error:
        raise ReadError(f"{path.name} is a damaged DICOM file; export it again") from error
    raise ReadError(
        f"{path.name} is DICOM {kind or 'of unknown kind'}, in which no targets are drawn; "
        "choose a SEG or RTSTRUCT file"
    )


def _segments(path: Path, data: Dataset) -> list[Region]:
    names = {
        int(item.SegmentNumber): str(item.get("SegmentLabel") or f"Segment {item.SegmentNumber}")
        for item in data.SegmentSequence
    }
    sums = {number: _Sum() for number in names}
    for frame, inside, thickness_mm in _segment_frames(path, data):
        for number, pixels in inside:
            if number in sums:
                sums[number].add(path, frame, pixels, thickness_mm)
    uid = str(data.get("FrameOfReferenceUID") or "")
    return [total.region(names[number], uid) for number, total in sums.items() if total.count]


def _segment_frames(
    path: Path, data: Dataset
) -> Iterator[tuple[Frame, list[tuple[int, NDArray[np.bool_]]], float]]:
    """Every frame with the segments in it as masks, and its thickness in mm."""
    stored = data.pixel_array
    stored = stored if stored.ndim == 3 else stored[None]
    fraction = float(data.get("MaximumFractionalValue") or 1)
    shared = group_values(data.get("SharedFunctionalGroupsSequence") or ())
    items = data.PerFrameFunctionalGroupsSequence
    for frame, item, pixels in zip(frames_of(data, path), items, stored, strict=True):
        values = shared | group_values([item])
        thickness = values.get("SpacingBetweenSlices") or values.get("SliceThickness")
        if thickness is None:
            raise ReadError(f"{path.name} states no slice thickness; export the SEG again")
        if str(data.get("SegmentationType")) == "LABELMAP":
            inside = [(int(v), pixels == v) for v in np.unique(pixels) if v]
        else:
            inside = [(int(values["ReferencedSegmentNumber"]), pixels > _HALF * fraction)]
        yield frame, inside, float(thickness)


class _Sum:
    """Voxels of one segment, added up frame by frame."""

    def __init__(self) -> None:
        self.count = 0
        self._total_mm = np.zeros(3)
        self._volume_mm3 = 0.0
        self._low_mm, self._high_mm = np.full(3, np.inf), np.full(3, -np.inf)

    def add(self, path: Path, frame: Frame, inside: NDArray[np.bool_], thickness_mm: float) -> None:
        """Add the pixels of one frame that are `inside` (rows, columns)."""
        rows, columns = np.nonzero(inside)
        if not len(rows):
            return
        if frame.position_mm is None or frame.orientation is None or frame.spacing_mm is None:
            raise ReadError(f"{path.name}: a frame states no place in the patient; export it again")
        steps = frame.orientation * frame.spacing_mm[:, None]
        points = frame.position_mm + columns[:, None] * steps[0] + rows[:, None] * steps[1]
        normal = np.cross(*frame.orientation) * thickness_mm
        half = np.abs(np.stack([*steps, normal])).sum(axis=0) / 2
        self.count += len(points)
        self._total_mm += points.sum(axis=0)
        self._volume_mm3 += len(points) * float(np.prod(frame.spacing_mm)) * thickness_mm
        self._low_mm = np.minimum(self._low_mm, points.min(axis=0) - half)
        self._high_mm = np.maximum(self._high_mm, points.max(axis=0) + half)

    def region(self, name: str, uid: str) -> Region:
        """What was added."""
        centroid = self._total_mm / self.count
        return Region(name, centroid, self._volume_mm3 / 1000, self._high_mm - self._low_mm, uid)


def _structures(path: Path, data: Dataset) -> list[Region]:
    rois = {int(item.ROINumber): item for item in data.StructureSetROISequence}
    frames = [
        item.FrameOfReferenceUID for item in data.get("ReferencedFrameOfReferenceSequence", ())
    ]
    regions = []
    for item in data.get("ROIContourSequence") or ():
        roi = rois.get(int(item.ReferencedROINumber))
        contours = [_contour(path, entry) for entry in item.get("ContourSequence") or ()]
        if roi is None or not contours:
            continue
        uid = str(roi.get("ReferencedFrameOfReferenceUID") or (frames[0] if frames else ""))
        name = str(roi.get("ROIName") or f"ROI {roi.ROINumber}")
        regions.append(region_of_contours(name, contours, uid))
    return regions


def _contour(path: Path, entry: Any) -> Contour:
    kind = str(entry.ContourGeometricType)
    values = numbers(entry.ContourData, 3 * int(entry.get("NumberOfContourPoints") or 0))
    if values is None or not len(values):
        values = numbers(entry.ContourData, len(entry.ContourData))
    if values is None or not len(values) or len(values) % 3:
        raise ReadError(f"{path.name}: a contour's points are damaged; export the RTSTRUCT again")
    return Contour(values.reshape(-1, 3), kind)
