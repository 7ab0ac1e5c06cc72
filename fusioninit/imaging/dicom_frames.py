"""DICOM headers as plain values: one `Frame` per slice, however the file packs them.

Classic files hold one slice; enhanced MR and US volumes hold many, each with its place in
functional groups; a plain multi-frame US holds many without any place.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag, Tag

FloatArray = NDArray[np.float64]

ENHANCED_US = "1.2.840.10008.5.1.4.1.1.6.2"
US_MULTIFRAME = "1.2.840.10008.5.1.4.1.1.3.1"

PYDICOM_ERRORS = (
    pydicom.errors.BytesLengthException,
    pydicom.errors.InvalidDicomError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    StopIteration,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
"""What pydicom and its decoders raise on a damaged file: they name no class of their own, and let
through what their converters meet. Running out of memory is not among them."""

_TAGS = [Tag(name) for name in (
    "SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "Modality",
    "SeriesDescription", "SeriesNumber", "ProtocolName", "SequenceName", "ImageType",
    "EchoTime", "EffectiveEchoTime", "RepetitionTime", "ScanningSequence", "AcquisitionNumber",
    "EchoNumbers", "TemporalPositionIdentifier", "DiffusionBValue", "ContentQualification",
    "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness",
    "SpacingBetweenSlices", "FrameOfReferenceUID", "Rows", "Columns", "NumberOfFrames",
    "SamplesPerPixel", "BitsAllocated", "PhotometricInterpretation", "InstanceNumber",
    "PatientID", "PatientName", "StudyDate", "WindowCenter", "WindowWidth", "FrameTime",
    "FrameTimeVector", "FrameIncrementPointer", "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence", "VolumeFrameOfReferenceUID", "TriggerTime",
    "RescaleSlope", "RescaleIntercept", "ImagesInAcquisition", "SequenceOfUltrasoundRegions",
    0x11290010, 0x11291016,
)]  # fmt: skip

_NUMBERS = {
    "SeriesNumber", "EchoTime", "EffectiveEchoTime", "RepetitionTime", "SliceThickness",
    "SpacingBetweenSlices", "Rows", "Columns", "NumberOfFrames", "SamplesPerPixel",
    "BitsAllocated", "InstanceNumber", "ImagesInAcquisition",
}  # fmt: skip
_SEQUENCES = {"SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"}

_LONGEST_CODE = 16
"""Letters of a code string, by the standard."""

SPLITTING = (
    "AcquisitionNumber",
    "EchoTime",
    "DiffusionBValue",
    "TemporalPositionIdentifier",
    "EchoNumbers",
    "ImageType",
    "StackID",
    "TriggerTime",
    "SequenceName",
)
"""Attributes that tell apart several volumes within one series, most telling first."""


@dataclass(frozen=True, eq=False)
class Frame:
    """One slice.

    Parameters
    ----------
    path : Path
    number : int
        Index of the frame within its file.
    position_mm : (3,) array or None
        LPS position of the centre of the first pixel.
    orientation : (2, 3) array or None
        Unit directions along a row (to the right) and along a column (down).
    spacing_mm : (2,) array or None
        Pixel size along a row, then along a column.
    traits : dict
        Values of `SPLITTING` attributes, as text.
    """

    path: Path
    number: int
    position_mm: FloatArray | None
    orientation: FloatArray | None
    spacing_mm: FloatArray | None
    size: tuple[int, int]
    frame_of_reference: str
    traits: dict[str, str] = field(default_factory=dict)


def read_header(path: Path, *, force: bool = False) -> Dataset:
    """The header elements that are used, without pixels. Raises what pydicom raises.

    Elements whose text is not what their type demands ("1A" as a number) are left out.
    """
    header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=_TAGS, force=force)
    for tag in list(header.keys()):
        if not _is_sound(header, tag):
            del header[tag]
    return header


def _is_sound(header: Dataset, tag: BaseTag) -> bool:
    try:
        # pydicom converts on access, and raises only then, whatever its converters meet
        element = header[tag]
        if element.keyword in _NUMBERS:
            return bool(np.isfinite(float(element.value)))
        if element.keyword in _SEQUENCES:
            return all(isinstance(item, Dataset) for item in element.value)
    except PYDICOM_ERRORS:
        return False
    return True


def frames_of(header: Dataset, path: Path) -> Iterator[Frame]:
    """The frames of one file, in the file's order."""
    if "PerFrameFunctionalGroupsSequence" in header:
        yield from _enhanced_frames(header, path)
        return
    for number in range(int(header.get("NumberOfFrames") or 1)):
        yield _frame(header, path, number, _flat(header))


def patient_key(header: Dataset) -> str:
    """A short one-way mark of the patient's identity, equal for equal patients; "" if none."""
    identity = f"{header.get('PatientID', '')}\0{header.get('PatientName', '')}"
    if identity == "\0":
        return ""
    return hashlib.sha256(identity.upper().encode()).hexdigest()[:12]


def modality_of(header: Dataset) -> str:
    """The DICOM modality code; "" where it is none or damaged."""
    code = str(header.get("Modality") or "").strip()
    return code if code.isalnum() and len(code) <= _LONGEST_CODE else ""


def numbers(value: Any, count: int) -> FloatArray | None:
    """`count` finite floats of a DICOM value, or None."""
    if value is None or isinstance(value, str | float | int):
        return None
    try:
        array = np.array([float(item) for item in value])
    except (TypeError, ValueError):
        return None
    return array if array.shape == (count,) and np.isfinite(array).all() else None


def _flat(header: Dataset) -> dict[str, Any]:
    names = ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", *SPLITTING)
    single = int(header.get("NumberOfFrames") or 1) == 1
    return {name: header.get(name) for name in names if single or name == "PixelSpacing"}


def _enhanced_frames(header: Dataset, path: Path) -> Iterator[Frame]:
    shared = group_values(header.get("SharedFunctionalGroupsSequence") or ())
    for number, item in enumerate(header.PerFrameFunctionalGroupsSequence):
        yield _frame(header, path, number, shared | group_values([item]))


def group_values(items: Any) -> dict[str, Any]:
    """Elements of all macros of a functional group item, one level down, by keyword."""
    values: dict[str, Any] = {}
    for item in items:
        for macro in item:
            if macro.VR == "SQ" and macro.value:
                for element in macro.value[0]:
                    values[element.keyword] = element.value
    return values


def _frame(header: Dataset, path: Path, number: int, values: dict[str, Any]) -> Frame:
    position = numbers(values.get("ImagePositionPatient"), 3)
    orientation = numbers(values.get("ImageOrientationPatient"), 6)
    if position is None:
        position = numbers(values.get("ImagePositionVolume"), 3)
        orientation = numbers(values.get("ImageOrientationVolume"), 6)
    spacing = numbers(values.get("PixelSpacing"), 2)
    reference = header.get("FrameOfReferenceUID") or header.get("VolumeFrameOfReferenceUID") or ""
    traits = {
        name: str(value)
        for name in SPLITTING
        if (value := values.get(name, values.get(_ENHANCED_NAME.get(name, "")))) is not None
    }
    return Frame(
        path=path,
        number=number,
        position_mm=position,
        orientation=None if orientation is None else orientation.reshape(2, 3),
        # DICOM states the distance between rows first; a row runs along the column spacing
        spacing_mm=None if spacing is None else spacing[::-1].copy(),
        size=(int(header.get("Columns") or 0), int(header.get("Rows") or 0)),
        frame_of_reference=str(reference),
        traits=traits,
    )


_ENHANCED_NAME = {
    "AcquisitionNumber": "FrameAcquisitionNumber",
    "EchoTime": "EffectiveEchoTime",
    "TemporalPositionIdentifier": "TemporalPositionIndex",
    "ImageType": "FrameType",
}
