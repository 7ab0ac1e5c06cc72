"""The US as a DICOM volume, where it came without a DICOM frame of reference.

A Spatial Registration speaks of frames of reference; a US from NIfTI, or a plain multi-frame US,
has none. It is exported with one of its own, so that an archive or viewer can join both ends.
Multi-frame Secondary Capture carries the geometry that its readers look for in functional groups;
no ultrasound class does in patient coordinates.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.valuerep import DSfloat

from fusioninit.exchange.dicom_header import ObjectKind, new_object
from fusioninit.exchange.frames import MAX_RESIDUAL_MM, WrittenFileError
from fusioninit.exchange.placing import placed
from fusioninit.imaging.dicom_series import Series
from fusioninit.imaging.reading import read_volume
from fusioninit.imaging.volume import Volume

BYTE = ObjectKind(
    "1.2.840.10008.5.1.4.1.1.7.2", "US", 9003, "3D US of the registration (research use only)"
)
WORD = ObjectKind("1.2.840.10008.5.1.4.1.1.7.3", "US", 9003, BYTE.description)

SCALED_TO = 4095
"""Intensities that are no whole numbers of at most 16 bits are scaled to 0 up to this."""

_PER_FRAME_GROUPS = 0x52009230


def write_us_volume(
    path: Path, us: Volume, *, study: Series, frame_uid: str, keep_identity: bool = False
) -> Path:
    """Write the US as one multi-frame object in the study of a series, and verify it.

    Every voxel stays where it is; whole intensities of 8 or 16 bits stay as they are, others
    are scaled.
    """
    stored = stored_pixels(us.voxels)
    data = new_object(BYTE if stored.itemsize == 1 else WORD, study, keep_identity=keep_identity)
    _describe_capture(data, stored)
    data.FrameOfReferenceUID = frame_uid
    data.PositionReferenceIndicator = ""
    data.SharedFunctionalGroupsSequence = Sequence([_shared_groups(us)])
    data.PerFrameFunctionalGroupsSequence = Sequence(
        [_frame_groups(us, number) for number in range(len(stored))]
    )
    data.PixelData = stored.tobytes() + b"\0" * (stored.nbytes % 2)
    with placed(path) as beside:
        data.save_as(beside, enforce_file_format=True)
        _verify(path, beside, us, stored)
    return path


def stored_pixels(voxels: NDArray[Any]) -> NDArray[Any]:
    """(k, j, i) unsigned values as they are stored: the same, or scaled where they do not fit."""
    low, high = float(voxels.min()), float(voxels.max())
    if low >= 0 and high <= 0xFFFF and bool((voxels == np.rint(voxels)).all()):
        return np.ascontiguousarray(voxels, dtype="u1" if high <= 0xFF else "<u2")
    scaled = (voxels.astype(np.float64) - low) * (SCALED_TO / max(high - low, 1e-9))
    return np.ascontiguousarray(np.rint(scaled), dtype="<u2")


def _describe_capture(data: Any, stored: NDArray[Any]) -> None:
    bits = 8 * stored.itemsize
    data.ConversionType = "WSD"
    data.BurnedInAnnotation = "NO"
    data.PatientOrientation = ""
    data.ImageType = ["DERIVED", "SECONDARY"]
    data.InstanceNumber = 1
    data.NumberOfFrames, data.Rows, data.Columns = stored.shape
    data.FrameIncrementPointer = _PER_FRAME_GROUPS
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit = bits, bits, bits - 1
    data.PixelRepresentation = 0
    data.PresentationLUTShape = "IDENTITY"
    data.RescaleIntercept, data.RescaleSlope, data.RescaleType = 0, 1, "US"


def _shared_groups(us: Volume) -> Dataset:
    measures, orientation, shared = Dataset(), Dataset(), Dataset()
    # DICOM states the distance between rows first
    measures.PixelSpacing = _decimals(us.grid.spacing_mm[[1, 0]])
    measures.SpacingBetweenSlices = measures.SliceThickness = _decimals(us.grid.spacing_mm[2:])[0]
    orientation.ImageOrientationPatient = _decimals(us.grid.direction[:, :2].T.ravel())
    shared.PixelMeasuresSequence = Sequence([measures])
    shared.PlaneOrientationSequence = Sequence([orientation])
    return shared


def _frame_groups(us: Volume, number: int) -> Dataset:
    position, item = Dataset(), Dataset()
    position.ImagePositionPatient = _decimals(us.grid.to_world([0, 0, number]))
    item.PlanePositionSequence = Sequence([position])
    return item


def _decimals(values: Any) -> list[DSfloat]:
    return [DSfloat(float(value), auto_format=True) for value in np.ravel(values)]


def _verify(path: Path, beside: Path, us: Volume, stored: NDArray[Any]) -> None:
    """Read it with our own reader: every corner and every voxel where it was."""
    back = read_volume(beside, space=us.space, isolated=False)
    index = np.rint(us.grid.to_index(back.grid.to_world(np.zeros(3)))).astype(int)
    # the reader may turn a left-handed stack round
    turned = bool(index[2] > 0)
    same = np.array_equal(back.voxels, stored[::-1] if turned else stored)
    ours, theirs = us.grid.corners_mm(), back.grid.corners_mm()
    apart_mm = np.linalg.norm(ours[:, None] - theirs, axis=-1).min(axis=1).max()
    if not (same and apart_mm <= MAX_RESIDUAL_MM):
        raise WrittenFileError(f"{path.name}: read back, its voxels are not where they were")
