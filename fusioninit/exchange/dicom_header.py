"""What every DICOM object written here has in common: study, patient, series and equipment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

import fusioninit
from fusioninit.exchange.dicom_sources import full_header
from fusioninit.exchange.identity import set_identity
from fusioninit.imaging.dicom_series import Series

_COPIED_STUDY = ("StudyInstanceUID", "StudyDate", "StudyTime")


@dataclass(frozen=True)
class ObjectKind:
    """SOP class, modality, and the series that objects of this kind go into."""

    sop_class: str
    modality: str
    series_number: int
    description: str


def new_object(kind: ObjectKind, study: Series, *, keep_identity: bool) -> Dataset:
    """A fresh object in the study of a series; its patient is that series' or left empty."""
    now = datetime.now(UTC)
    data: Any = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = kind.sop_class
    data.SOPClassUID = kind.sop_class
    data.SOPInstanceUID = generate_uid()
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    source = full_header(study) or Dataset()
    # kept names are in the character set they came in, read by pydicom and written in this one
    data.SpecificCharacterSet = "ISO_IR 192"
    for name in _COPIED_STUDY:
        setattr(data, name, source.get(name, ""))
    set_identity(data, study, keep=keep_identity)
    data.Modality = kind.modality
    # an unpaired body part is what excuses Laterality
    data.BodyPartExamined = "PROSTATE"
    data.SeriesInstanceUID = generate_uid()
    data.SeriesNumber = kind.series_number
    data.InstanceNumber = 1
    data.ContentDate = data.SeriesDate = now.strftime("%Y%m%d")
    data.ContentTime = data.SeriesTime = now.strftime("%H%M%S")
    data.SeriesDescription = kind.description
    data.Manufacturer = "fusioninit"
    data.ManufacturerModelName = "fusioninit"
    data.DeviceSerialNumber = "0"
    data.SoftwareVersions = fusioninit.__version__
    return data
