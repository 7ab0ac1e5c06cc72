"""DICOM series, and the choice of the one that is meant among those of a study.

For MR the axial T2 is wanted; the choice is made from headers alone and put into words, with
every other series and why it was not taken.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from fusioninit.errors import ReadError
from fusioninit.geometry import Space
from fusioninit.imaging.dicom_frames import (
    ENHANCED_US,
    Frame,
    frames_of,
    modality_of,
    patient_key,
)

_SECONDARY = ("SECONDARY", "SCREEN SAVE", "REPORT")

_T2_WORDS = re.compile(r"(?<![a-z0-9])t2(?![0-9*])|t2w|t2[_ -]?(tse|fse|spc|frfse|blade|cube)")
_NOT_T2_WORDS = re.compile(
    r"adc|dwi|diff|bval|b[-_ ]?value|trace|dce|dyn|perf|flash|vibe|t1|pd[ _-]|proton|t2\*|"
    r"t2[ _-]?star|medic|haste|subtract|ktrans|mra"
)
_LOCALIZER_WORDS = re.compile(r"locali[sz]|scout|survey|(?<![a-z])loc(?![a-z])|3[- ]?plane")
_FAT_SATURATED = re.compile(r"(?<![a-z])(fs|stir|spair|spir|fatsat|tirm|flair)(?![a-z])")


@dataclass(frozen=True, eq=False)
class Series:
    """Files of one SeriesInstanceUID."""

    uid: str
    headers: tuple[Dataset, ...]
    paths: tuple[Path, ...]

    @cached_property
    def frames(self) -> tuple[Frame, ...]:
        """All slices of all files."""
        return tuple(
            frame
            for header, path in zip(self.headers, self.paths, strict=True)
            for frame in frames_of(header, path)
        )

    @property
    def first(self) -> Dataset:
        """The header of its first file."""
        return self.headers[0]

    @property
    def description(self) -> str:
        """The series description, else the protocol's name; one line of at most 60 letters."""
        text = str(self.first.get("SeriesDescription") or self.first.get("ProtocolName") or "")
        return " ".join(text.split())[:60]

    @property
    def name(self) -> str:
        """What a person knows it by: number and description."""
        number = self.first.get("SeriesNumber")
        words = "series" if number is None else f"series {number}"
        return f"{words} '{self.description}'" if self.description else words

    @property
    def study_date(self) -> str:
        """YYYYMMDD, "" where unknown."""
        return str(self.first.get("StudyDate") or "")

    @property
    def pixel_mm(self) -> float:
        """Size of its pixels; 99 where it states none."""
        sizes = (frame.spacing_mm for frame in self.frames if frame.spacing_mm is not None)
        return max((float(size.max()) for size in sizes), default=99.0)

    @property
    def modality(self) -> str:
        """The DICOM modality code."""
        return modality_of(self.first)

    @property
    def orientation_word(self) -> str:
        """axial, sagittal or coronal by the normal of its first slice, "" where unknown."""
        orientation = self.frames[0].orientation if self.frames else None
        if orientation is None:
            return ""
        normal = np.abs(np.cross(*orientation))
        return ("sagittal", "coronal", "axial")[int(np.argmax(normal))]

    def one_line(self) -> str:
        """Name, modality, size and orientation, for a list."""
        words = (self.modality, f"{len(self.frames)} slices", self.orientation_word)
        return f"{self.name}: {', '.join(word for word in words if word)}"


@dataclass(frozen=True)
class Choice:
    """The series taken, why, and what else there was."""

    series: Series
    reason: str
    others: tuple[str, ...] = ()
    warnings: tuple[str, ...] = field(default=())


def choose(
    name: str, found: Sequence[Series], *, space: Space, series_uid: str | None
) -> list[Choice]:
    """Series in the order in which they should be tried, each with its reason.

    Raises
    ------
    ReadError
        `series_uid` is not among them, or none is given and there are several patients.
    """
    if series_uid:
        asked = [series for series in found if series.uid == series_uid]
        if not asked:
            raise ReadError(
                f"{name} holds no series {series_uid}; choose one of "
                f"{', '.join(series.name for series in found)}"
            )
        others = tuple(series.one_line() for series in found if series is not asked[0])
        return [Choice(asked[0], "the series asked for", others)]
    _require_one_patient(name, found)
    rank = rank_as_mr if space is Space.MR else rank_as_us
    ordered = sorted(found, key=rank, reverse=True)
    return [_choice(series, ordered, space) for series in ordered]


def rank_as_mr(series: Series) -> tuple[Any, ...]:
    """How well a series answers "the axial T2 of the prostate"; larger is better."""
    return (
        series.modality == "MR",
        not is_localizer(series),
        is_t2(series),
        series.orientation_word == "axial",
        not is_derived(series),
        not _FAT_SATURATED.search(series.description.lower()),
        len(series.frames) >= 10,
        series.study_date,
        -round(series.pixel_mm, 2),
        len(series.frames),
        -float(series.first.get("SeriesNumber") or 0),
    )


def rank_as_us(series: Series) -> tuple[Any, ...]:
    """How well a series answers "the 3D ultrasound"; larger is better."""
    if series.modality != "US":
        # an MR folder opened as US gives the series it gives as MR, so that the mistake is seen
        return (0, 0, 0, *rank_as_mr(series))
    enhanced = str(series.first.get("SOPClassUID", "")) == ENHANCED_US
    return (1, enhanced, series.study_date, len(series.frames))


def is_t2(series: Series) -> bool:
    """T2-weighted by its name, else by a long echo of a spin-echo sequence."""
    text = f"{series.description} {series.first.get('ProtocolName') or ''}".lower()
    kinds = {str(kind).upper() for kind in series.first.get("ImageType") or ()}
    if kinds & {"ADC", "DIFFUSION", "TRACEW", "SUBTRACTION"} or _NOT_T2_WORDS.search(text):
        return False
    if _T2_WORDS.search(text):
        return True
    echo_ms = float(series.first.get("EchoTime") or 0)
    repetition_ms = float(series.first.get("RepetitionTime") or 0)
    sequence = str(series.first.get("ScanningSequence") or "")
    return echo_ms >= 60 and repetition_ms >= 1500 and "EP" not in sequence


def is_localizer(series: Series) -> bool:
    """A localizer by name, by image type, or by slices in several directions."""
    kinds = {str(kind).upper() for kind in series.first.get("ImageType") or ()}
    if "LOCALIZER" in kinds or _LOCALIZER_WORDS.search(series.description.lower()):
        return True
    normals = {
        tuple(np.abs(np.cross(*frame.orientation)).round(1).tolist())
        for frame in series.frames
        if frame.orientation is not None
    }
    return len(normals) > 1


def is_derived(series: Series) -> bool:
    """Computed or captured rather than measured."""
    kinds = [str(kind).upper() for kind in series.first.get("ImageType") or ()]
    return any(kind in ("DERIVED", *_SECONDARY) for kind in kinds)


def _choice(series: Series, found: Sequence[Series], space: Space) -> Choice:
    others = tuple(other.one_line() for other in found if other is not series)
    if space is Space.US:
        reason = "the largest ultrasound series" if series.modality == "US" else "no ultrasound"
        return Choice(series, reason, others, tuple(_dates(series, found)))
    fits = is_t2(series) and series.orientation_word == "axial"
    reason = "the axial T2" if fits else "no axial T2 in the folder; the nearest to it"
    warnings = _dates(series, found)
    if not fits:
        warnings.append(
            f"no axial T2 series was found: {series.name} was taken; "
            "choose another series if it is not the one you mean"
        )
    equals = [o for o in found if o is not series and fits and _equal_rank(o, series)]
    if equals:
        names = ", ".join(other.name for other in equals)
        warnings.append(
            f"{series.name} was taken, and {names} would serve as well; "
            "choose by series if you mean another"
        )
    return Choice(series, reason, others, tuple(warnings))


def _equal_rank(first: Series, second: Series) -> bool:
    alike = rank_as_mr(first)[:8] == rank_as_mr(second)[:8]
    return (
        alike and first.pixel_mm < 1.3 * second.pixel_mm and second.pixel_mm < 1.3 * first.pixel_mm
    )


def _dates(series: Series, found: Sequence[Series]) -> list[str]:
    """A warning where the folder holds studies of several dates."""
    others = sorted({other.study_date for other in found} - {series.study_date, ""})
    if not others or not series.study_date:
        return []
    return [f"taken from the study of {series.study_date}; others are of {', '.join(others)}"]


def _require_one_patient(name: str, found: Sequence[Series]) -> None:
    keys = {patient_key(series.first) for series in found} - {""}
    if len(keys) > 1:
        raise ReadError(
            f"{name} holds images of {len(keys)} patients; choose the folder of one patient"
        )
