"""Checks on a pair of volumes before anything is computed from them.

A wrong pair is the error that no registration can show: it must be caught here.
"""

from __future__ import annotations

from datetime import date, datetime

import numpy as np

from fusioninit.errors import InputError
from fusioninit.imaging.volume import Volume

IMPLAUSIBLE_DAYS = 365
"""MR and US of one biopsy are weeks apart; a year is beyond any planning interval."""


def require_two_images(*, mr: Volume, us: Volume) -> None:
    """Refuse one image given as both MR and US.

    Raises
    ------
    InputError
        Same file, same DICOM series, or the same voxels on the same grid.
    """
    same_file = mr.source.path is not None and mr.source.path == us.source.path
    same_series = mr.source.series_uid == us.source.series_uid
    same_voxels = mr.grid == us.grid and np.array_equal(mr.voxels, us.voxels)
    if (same_file and same_series) or same_voxels:
        name = us.source.path.name if us.source.path is not None else "one image"
        raise InputError(f"{name} was given as both MR and US; choose the other image of the pair")


def pair_warnings(*, mr: Volume, us: Volume) -> tuple[str, ...]:
    """What speaks against these volumes being one patient's: a sentence each, or nothing.

    Only DICOM states a patient and a date; other formats give no warning and no reassurance.
    """
    warnings = []
    keys = {mr.source.patient_key, us.source.patient_key}
    if len(keys) == 2 and "" not in keys:
        warnings.append(
            "MR and US name different patients in their headers; check that both belong to this one"
        )
    days = _days_between(mr.source.study_date, us.source.study_date)
    if days is not None and days > IMPLAUSIBLE_DAYS:
        warnings.append(
            f"MR and US were taken {days} days apart; check that this is the intended examination"
        )
    return tuple(warnings)


def _days_between(first: str, second: str) -> int | None:
    dates = [_dicom_date(text) for text in (first, second)]
    return None if dates[0] is None or dates[1] is None else abs((dates[0] - dates[1]).days)


def _dicom_date(text: str) -> date | None:
    try:
        return datetime.strptime(text, "%Y%m%d").date()
    except ValueError:
        return None
