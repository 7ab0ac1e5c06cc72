"""The transform as a DICOM Spatial Registration (SOP class 66.1).

Two items: the US frame of reference with the identity, and the MR frame of reference with
`us_from_mr`; the registration's own frame of reference is that of the US (PS3.3 C.20.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import ArrayLike, NDArray
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import generate_uid
from pydicom.valuerep import DSfloat

from fusioninit.errors import ReadError
from fusioninit.exchange.dicom_header import ObjectKind, new_object
from fusioninit.exchange.frames import (
    MAX_RESIDUAL_MM,
    WrittenFileError,
    require_us_from_mr,
    residual_mm,
)
from fusioninit.exchange.placing import placed
from fusioninit.geometry import RigidTransform, Space
from fusioninit.imaging.dicom_series import Series
from fusioninit.imaging.volume import Volume

SPATIAL_REGISTRATION = "1.2.840.10008.5.1.4.1.1.66.1"
_IDENTITY = ("125021", "Frame of Reference Identity")
_FIDUCIALS = ("125022", "Fiducial Alignment")
"""Of context group 7100."""

_KIND = ObjectKind(SPATIAL_REGISTRATION, "REG", 9001, "MR to US registration (research use only)")


def us_frame_of_reference(us: Volume | None) -> str:
    """The US's DICOM frame of reference; for a US without, one minted from its voxels and place.

    The same US always gets the same one, so that all its exports belong together.
    """
    if us is None:
        return str(generate_uid())
    if us.source.frame_of_reference_uid:
        return us.source.frame_of_reference_uid
    place = us.grid.world_from_index.tobytes().hex()
    sample = np.ascontiguousarray(us.voxels[::7, ::7, ::7]).tobytes().hex()
    return str(generate_uid(entropy_srcs=["fusioninit US", place, sample]))


@dataclass(frozen=True)
class UsFrame:
    """The US's frame of reference, and the DICOM series in it, if there is one."""

    uid: str
    series: Series | None = None


def write_dicom_registration(
    path: Path,
    us_from_mr: RigidTransform,
    *,
    mr: Series,
    us: UsFrame,
    check_us_mm: ArrayLike | None = None,
    keep_identity: bool = False,
) -> Path:
    """Write a Spatial Registration in the study of the MR, and verify it.

    Unless `keep_identity`, the patient's attributes are empty: the study's UIDs tie the object
    to the patient in the archive that holds the study.
    """
    matrix = require_us_from_mr(us_from_mr).matrix
    data: Any = new_object(_KIND, mr, keep_identity=keep_identity)
    data.FrameOfReferenceUID = us.uid
    data.PositionReferenceIndicator = ""
    data.ContentLabel = "MR_TO_US"
    data.ContentDescription = "MR to US, rigid, from anatomical landmarks"
    data.ContentCreatorName = ""
    data.ReferencedSeriesSequence = Sequence(
        [_referenced_series(series) for series in (us.series, mr) if series is not None]
    )
    mr_frame = str(mr.first.get("FrameOfReferenceUID") or "")
    data.RegistrationSequence = Sequence(
        [
            _registration_item(us.uid, np.eye(4), us.series),
            _registration_item(mr_frame, matrix, mr),
        ]
    )
    with placed(path) as beside:
        data.save_as(beside, enforce_file_format=True)
        apart_mm = residual_mm(read_dicom_registration(beside), us_from_mr, check_us_mm)
        if not apart_mm <= MAX_RESIDUAL_MM:
            raise WrittenFileError(
                f"{path.name}: read back, a check point moved by {apart_mm:.2g} mm"
            )
    return path


def read_dicom_registration(path: Path) -> RigidTransform:
    """`us_from_mr` of a Spatial Registration whose own frame is the US's.

    Raises
    ------
    ReadError
        Not a Spatial Registration, or not one rigid matrix besides the identity.
    """
    try:
        data = pydicom.dcmread(path)
        items = {str(item.FrameOfReferenceUID): _matrix(item) for item in data.RegistrationSequence}
        own = items.pop(str(data.FrameOfReferenceUID))
        (other,) = items.values()
        return RigidTransform(Space.US, Space.MR, np.linalg.inv(own) @ other)
    except (pydicom.errors.InvalidDicomError, OSError, AttributeError, KeyError, ValueError) as bad:
        raise ReadError(
            f"{path.name} is no rigid DICOM Spatial Registration; choose another file"
        ) from bad


def _matrix(item: Dataset) -> NDArray[np.float64]:
    steps = item.MatrixRegistrationSequence[0].MatrixSequence
    matrix = np.eye(4)
    for step in steps:
        values = [float(value) for value in step.FrameOfReferenceTransformationMatrix]
        matrix = np.array(values).reshape(4, 4) @ matrix
    return matrix


def _referenced_series(series: Series) -> Dataset:
    item = Dataset()
    item.SeriesInstanceUID = series.uid
    item.ReferencedInstanceSequence = Sequence(_references(series))
    return item


def _references(series: Series) -> list[Dataset]:
    references = []
    for header in series.headers:
        item = Dataset()
        item.ReferencedSOPClassUID = header.SOPClassUID
        item.ReferencedSOPInstanceUID = header.SOPInstanceUID
        references.append(item)
    return references


def _registration_item(
    frame_uid: str, matrix: NDArray[np.float64], series: Series | None
) -> Dataset:
    is_own = np.array_equal(matrix, np.eye(4))
    step, registration, item = Dataset(), Dataset(), Dataset()
    step.FrameOfReferenceTransformationMatrixType = "RIGID"
    step.FrameOfReferenceTransformationMatrix = [_decimal(value) for value in matrix.ravel()]
    registration.MatrixSequence = Sequence([step])
    registration.RegistrationTypeCodeSequence = Sequence(
        [_code(*_IDENTITY if is_own else _FIDUCIALS)]
    )
    item.FrameOfReferenceUID = frame_uid
    if series is not None:
        item.ReferencedImageSequence = Sequence(_references(series))
    item.MatrixRegistrationSequence = Sequence([registration])
    return item


def _decimal(value: Any) -> DSfloat:
    # a decimal string holds 16 letters; the matrix is verified after reading it back
    return DSfloat(float(value), auto_format=True)


def _code(value: str, meaning: str) -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, "DCM", meaning
    return code
