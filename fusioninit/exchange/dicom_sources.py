"""The DICOM series that an exported volume was read from, if its files are still there."""

from __future__ import annotations

import pydicom
from pydicom.dataset import Dataset

from fusioninit.errors import ReadError
from fusioninit.imaging.dicom_frames import PYDICOM_ERRORS
from fusioninit.imaging.dicom_series import Series
from fusioninit.imaging.dicom_study import study_in
from fusioninit.imaging.volume import Volume


def dicom_series_of(volume: Volume | None) -> Series | None:
    """The series of a volume; None where it is not DICOM or its files are gone."""
    if volume is None or volume.source.format != "dicom" or volume.source.path is None:
        return None
    try:
        found = study_in(volume.source.path).series
    except (ReadError, OSError):
        return None
    return next((series for series in found if series.uid == volume.source.series_uid), None)


def full_header(source: Volume | Series) -> Dataset | None:
    """All of the first file's header; None where there is no DICOM file or it cannot be read."""
    series = source if isinstance(source, Series) else dicom_series_of(source)
    if series is None:
        return None
    try:
        return pydicom.dcmread(series.paths[0], stop_before_pixels=True, force=True)
    except PYDICOM_ERRORS:
        return None
