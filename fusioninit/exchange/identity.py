"""The patient's identity: left out of everything exported, or kept where a person asks for it.

Left out means: patient and order attributes of DICOM objects are empty, and every free text that
leaves (warnings, names, provenance) is searched for the patient's name and numbers and for the
names of the files that were opened. UIDs stay: without them a DICOM object belongs nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from pydicom.dataset import Dataset

from fusioninit.exchange.contents import Contents
from fusioninit.exchange.dicom_sources import full_header
from fusioninit.imaging.dicom_series import Series
from fusioninit.imaging.volume import Volume
from fusioninit.landmarks import LandmarkSet

PATIENT = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex")
ORDER = ("AccessionNumber", "StudyID", "ReferringPhysicianName")
"""Attributes of the study that lead to the patient in a hospital's records. DICOM wants them
present and allows them to be empty (type 2), as it does the patient's."""

REMOVED = "[removed]"

_SHORTEST = 3
"""Shorter pieces of a name or number occur in any text."""

_GENERIC = {
    "mr", "us", "nii", "gz", "dcm", "dicom", "image", "images", "volume", "study", "series", "t2",
    "scan", "prostate", "case", "demo", "data",
}  # fmt: skip


@dataclass(frozen=True)
class Identity:
    """What the images say about who the patient is: DICOM keyword and value, where stated."""

    elements: dict[str, str] = field(default_factory=dict)
    file_names: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """Every word that names the patient or a file, longest first."""
        named = (*PATIENT[:3], *ORDER)
        texts = [self.elements.get(name, "") for name in named]
        parts = [part for text in texts for part in re.split(r"[\^=,;/\\\s]+", text)]
        found = {word for word in (*texts, *parts, *self.file_names) if len(word) >= _SHORTEST}
        kept = {word for word in found if word.lower() not in _GENERIC}
        return tuple(sorted(kept, key=lambda word: (-len(word), word)))

    def describe(self) -> str:
        """One line for a report, of what is stated."""
        titles = ("name", "ID", "born", "sex")
        stated = [
            f"{title} {self.elements[keyword].replace('^', ' ').strip()}"
            for title, keyword in zip(titles, PATIENT, strict=True)
            if self.elements.get(keyword)
        ]
        return ", ".join(stated)


def identity_of(contents: Contents) -> Identity:
    """What the DICOM headers and the file names of both images say about the patient."""
    elements: dict[str, str] = {}
    names: list[str] = []
    for volume in (contents.us, contents.mr):
        if volume is None:
            continue
        header = full_header(volume)
        if header is not None:
            stated = {name: str(header.get(name) or "") for name in (*PATIENT, *ORDER)}
            elements |= {name: value for name, value in stated.items() if value}
        names += _file_names(volume)
    return Identity(elements, tuple(dict.fromkeys(names)))


def as_asked(contents: Contents) -> Contents:
    """Contents with the patient stated where the identity is kept, and nowhere otherwise."""
    identity = identity_of(contents)
    if contents.keep_identity:
        return replace(contents, patient=identity.describe())
    return nameless(replace(contents, patient=""), identity)


def set_identity(data: Dataset, series: Series, *, keep: bool) -> None:
    """Fill the patient's and the order's attributes from a series, or leave them empty."""
    source: Any = full_header(series) if keep else None
    for name in (*PATIENT, *ORDER):
        value = "" if source is None else source.get(name)
        setattr(data, name, "" if value is None else value)


def nameless(contents: Contents, identity: Identity) -> Contents:
    """The same contents with the identity's words struck out of every free text."""
    if not identity.words:
        return contents

    def clean(text: str) -> str:
        return strike_out(text, identity.words)

    decision = contents.decision
    return replace(
        contents,
        us_landmarks=_clean_marks(contents.us_landmarks, identity),
        mr_landmarks=_clean_marks(contents.mr_landmarks, identity),
        us=_clean_volume(contents.us, identity),
        mr=_clean_volume(contents.mr, identity),
        targets=tuple(replace(t, name=clean(t.name)) for t in contents.targets),
        cores=tuple(
            replace(core, name=clean(core.name), target=core.target and clean(core.target))
            for core in contents.cores
        ),
        warnings=tuple(clean(text) for text in contents.warnings),
        decision=decision and replace(decision, reason=clean(decision.reason)),
    )


def strike_out(text: str, words: Iterable[str]) -> str:
    """`text` with each of `words`, whole and in any case, replaced.

    >>> strike_out("doe_john.nii is odd; done", ["doe_john.nii", "Doe"])
    '[removed] is odd; done'
    """
    for word in words:
        whole = rf"(?<![^\W_]){re.escape(word)}(?![^\W_])"
        text = re.sub(whole, REMOVED, text, flags=re.IGNORECASE)
    return text


def _file_names(volume: Volume) -> list[str]:
    path = volume.source.path
    if path is None:
        return []
    stem = path.name.split(".")[0]
    return [path.name, *([] if stem == path.name else [stem])]


def _clean_marks(marks: LandmarkSet, identity: Identity) -> LandmarkSet:
    cleaned = tuple(
        replace(mark, provenance=strike_out(mark.provenance, identity.words))
        for mark in marks.landmarks
    )
    return replace(marks, landmarks=cleaned)


def _clean_volume(volume: Volume | None, identity: Identity) -> Volume | None:
    if volume is None:
        return None
    return volume.with_source(
        warnings=tuple(strike_out(text, identity.words) for text in volume.source.warnings)
    )
