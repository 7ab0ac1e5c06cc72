"""Landmarks as a DICOM Structured Report (TID 1500): 3D points in an image's frame of reference."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import highdicom
import numpy as np
import pydicom
from highdicom.sr.coding import CodedConcept
from numpy.typing import NDArray
from pydicom.sr.codedict import codes
from pydicom.uid import generate_uid

import fusioninit
from fusioninit.errors import ReadError
from fusioninit.exchange.frames import MAX_RESIDUAL_MM, WrittenFileError
from fusioninit.exchange.identity import set_identity
from fusioninit.exchange.placing import placed
from fusioninit.imaging.dicom_series import Series
from fusioninit.landmarks import LABELS, READER_NAMES, LandmarkSet

_SCHEME = "99FUSIONINIT"
_PROCEDURE = {"MR": codes.LN.MRIUnspecifiedBodyRegion}


_COPIED_BY_HIGHDICOM = ("StudyDate", "StudyTime")
"""It takes these from the images, which may lack them."""


def write_landmark_report(
    path: Path, landmarks: LandmarkSet, series: Series, *, keep_identity: bool = False
) -> Path:
    """Write landmarks of one image (LPS mm) as a Comprehensive 3D SR, and verify it.

    Those that no reader would place are left out.

    `series` is the DICOM series they were placed in. Unless `keep_identity`, the patient's name
    and numbers are empty; the study's UIDs tie the report to the patient in the archive that
    holds the study.
    """
    known = [name for name in landmarks if name in READER_NAMES]
    frame_uid = str(series.first.get("FrameOfReferenceUID") or "")
    report = highdicom.sr.MeasurementReport(
        observation_context=highdicom.sr.ObservationContext(
            observer_device_context=highdicom.sr.ObserverContext(
                observer_type=codes.DCM.Device,
                observer_identifying_attributes=highdicom.sr.DeviceObserverIdentifyingAttributes(
                    uid=generate_uid(entropy_srcs=["fusioninit", fusioninit.__version__]),
                    name="fusioninit",
                    model_name="fusioninit",
                ),
            )
        ),
        procedure_reported=_PROCEDURE.get(
            series.modality, CodedConcept("imaging", _SCHEME, "Imaging of the prostate")
        ),
        imaging_measurements=[
            _group(name, landmarks[name].position_mm, frame_uid) for name in known
        ],
        title=codes.DCM.ImagingMeasurementReport,
    )
    evidence = [pydicom.dcmread(file, stop_before_pixels=True) for file in series.paths]
    for item in evidence:
        set_identity(item, series, keep=keep_identity)
        for name in _COPIED_BY_HIGHDICOM:
            if name not in item:
                setattr(item, name, "")
    document = highdicom.sr.Comprehensive3DSR(
        evidence=evidence,
        content=report,
        series_instance_uid=generate_uid(),
        series_number=9002,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer="fusioninit",
        series_description="Landmarks (research use only)",
    )
    with placed(path) as beside:
        document.save_as(beside, enforce_file_format=True)
        _verify(path, beside, landmarks)
    return path


def read_landmark_report(path: Path) -> dict[str, NDArray[np.float64]]:
    """Positions (LPS mm) by landmark name of a report written here.

    Raises
    ------
    ReadError
        Not such a report.
    """
    try:
        report = highdicom.sr.srread(path)
        content: Any = report.content
        groups = content.get_planar_roi_measurement_groups()
        return {
            str(group.tracking_identifier): np.asarray(group.roi.value).reshape(3)
            for group in groups
        }
    except (pydicom.errors.InvalidDicomError, AttributeError, ValueError, KeyError) as error:
        raise ReadError(f"{path.name} is no landmark report of fusioninit") from error


def _group(
    name: str, position_mm: NDArray[np.float64], frame_uid: str
) -> highdicom.sr.PlanarROIMeasurementsAndQualitativeEvaluations:
    return highdicom.sr.PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=highdicom.sr.TrackingIdentifier(uid=generate_uid(), identifier=name),
        referenced_region=highdicom.sr.ImageRegion3D(
            graphic_type=highdicom.sr.GraphicTypeValues3D.POINT,
            graphic_data=position_mm[None],
            frame_of_reference_uid=frame_uid,
        ),
        finding_type=CodedConcept(name, _SCHEME, LABELS[name]),
        finding_sites=[highdicom.sr.FindingSite(anatomic_location=codes.SCT.Prostate)],
    )


def _verify(path: Path, beside: Path, landmarks: LandmarkSet) -> None:
    back = read_landmark_report(beside)
    for name in (name for name in READER_NAMES if name in landmarks):
        position = landmarks[name].position_mm
        # 3D coordinates of a report are float32
        if name not in back or not np.abs(back[name] - position).max() <= MAX_RESIDUAL_MM:
            raise WrittenFileError(f"{path.name}: read back, {LABELS[name]} differs")
