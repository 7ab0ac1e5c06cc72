"""Which cases train and which validate. Nothing of a patient is on both sides."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from fusioninit.errors import InputError
from fusioninit.training.datasets.listing import CaseFiles


def with_splits(cases: tuple[CaseFiles, ...], fraction: float) -> tuple[CaseFiles, ...]:
    """The cases of one set, each with a split.

    A set that names cases for validation is taken at its word, blanks being "train". In others a
    patient's hash decides, so that further patients leave the earlier ones where they were; at
    least one of several patients validates, and one trains. Test cases stay what they are.

    Raises
    ------
    InputError
        The set puts a patient on two sides.
    """
    named = tuple(replace(case, split=case.split or "train") for case in cases)
    _require_one_side(named)
    if any(case.split == "validation" for case in named):
        return named
    chosen = _validating({case.patient for case in named if case.split == "train"}, fraction)
    return tuple(
        replace(case, split="validation") if case.patient in chosen else case for case in named
    )


def _validating(patients: set[str], fraction: float) -> set[str]:
    ranked = sorted(patients, key=_hash_fraction)
    if fraction == 0 or len(ranked) < 2:
        return set()
    below = sum(_hash_fraction(patient) < fraction for patient in ranked)
    return set(ranked[: min(max(below, 1), len(ranked) - 1)])


def _require_one_side(cases: tuple[CaseFiles, ...]) -> None:
    first: dict[str, CaseFiles] = {}
    for case in cases:
        other = first.setdefault(case.patient, case)
        if other.split != case.split:
            raise InputError(
                f"{case.where}: the patient is in {case.split} here and in {other.split} at "
                f"{other.where}; put all images of a patient into one split"
            )


def _hash_fraction(patient: str) -> float:
    """0 to 1, the same for the same name everywhere."""
    return int.from_bytes(hashlib.sha256(patient.encode()).digest()[:6], "big") / 2**48
