"""All cases of the configured sets: listed, split, prepared; unusable ones refused or left out."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm

from fusioninit.errors import InputError, ReadError
from fusioninit.geometry import Space
from fusioninit.training.datasets.folders import list_mu_regpro, list_phantom
from fusioninit.training.datasets.listing import BadRow, CaseFiles, Listing, Split
from fusioninit.training.datasets.manifest import list_manifest
from fusioninit.training.datasets.prepare import PreparedCase
from fusioninit.training.datasets.sections import DatasetsSection
from fusioninit.training.datasets.splitting import with_splits
from fusioninit.training.datasets.store import CaseStore, load
from fusioninit.training.datasets.tcia import list_tcia

LISTERS: dict[str, Callable[[Path, Space], Listing]] = {
    "manifest": list_manifest,
    "mu-regpro": list_mu_regpro,
    "phantom": list_phantom,
    "tcia": list_tcia,
}

SHOW_PROGRESS_FROM = 20
"""Fewer cases are read before anybody wonders."""

Kept = PreparedCase | Path

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Gathered:
    """Cases kept for training and validation, and what became of every row.

    Parameters
    ----------
    training, validation : tuple
        For `store.load`.
    sets : tuple of dict
        Per set: kind, path, and how many cases train and validate.
    bad : tuple of BadRow
        What was left out.
    doubts : tuple of str
        What is doubtful about the geometry of cases that are used.
    """

    training: tuple[Kept, ...]
    validation: tuple[Kept, ...]
    sets: tuple[dict[str, Any], ...]
    bad: tuple[BadRow, ...]
    doubts: tuple[str, ...]

    def report(self) -> dict[str, Any]:
        """The same as JSON values, without the cases."""
        return {
            "sets": list(self.sets),
            "left_out": [str(row) for row in self.bad],
            "doubtful": list(self.doubts),
        }


def gather(section: DatasetsSection, store: CaseStore) -> Gathered:
    """List, split and prepare the cases of every set.

    Raises
    ------
    InputError
        A set or, as the section asks, a case cannot be used; or too few cases are left.
    """
    listings = [LISTERS[one.kind](one.path, store.space) for one in section.sets]
    bad = tuple(row for listing in listings for row in listing.bad)
    _refuse_or_name(bad, section)
    cases = [with_splits(listing.cases, section.validation_fraction) for listing in listings]
    total = sum(len(one) for one in cases)
    with tqdm(total=total, desc="reading cases", disable=total < SHOW_PROGRESS_FROM) as bar:
        sets = [_prepare_set(one, store, section, bar) for one in cases]
    gathered = Gathered(
        training=tuple(kept for one in sets for kept in one.sides["train"]),
        validation=tuple(kept for one in sets for kept in one.sides["validation"]),
        sets=tuple(
            {"kind": named.kind, "path": str(named.path)}
            | {split: len(kept) for split, kept in one.sides.items()}
            for named, one in zip(section.sets, sets, strict=True)
        ),
        bad=(*bad, *(row for one in sets for row in one.bad)),
        doubts=tuple(text for one in sets for text in one.doubts),
    )
    _require_cases(gathered, section, store.space)
    return gathered


@dataclass
class _PreparedSet:
    sides: dict[Split, list[Kept]] = field(default_factory=lambda: {"train": [], "validation": []})
    bad: list[BadRow] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)


def _prepare_set(
    cases: tuple[CaseFiles, ...], store: CaseStore, section: DatasetsSection, bar: tqdm
) -> _PreparedSet:
    done = _PreparedSet()
    for case in cases:
        bar.update()
        # what a set keeps for testing is not even read
        if case.split not in done.sides:
            continue
        answer = _kept_or_bad(case, store)
        if isinstance(answer, BadRow):
            _refuse_or_name((answer,), section)
            done.bad.append(answer)
            continue
        done.sides[case.split].append(answer)
        done.doubts.extend(f"{case.where}: {text}" for text in load(answer).warnings)
    return done


def _kept_or_bad(case: CaseFiles, store: CaseStore) -> Kept | BadRow:
    try:
        return store.keep(case)
    except ReadError as error:
        return BadRow(case.where, str(error))


def _refuse_or_name(rows: tuple[BadRow, ...], section: DatasetsSection) -> None:
    if not rows:
        return
    if section.on_bad_row == "refuse":
        more = f" ({len(rows) - 1} more like it)" if len(rows) > 1 else ""
        raise InputError(f'{rows[0]}{more}; correct it, or set datasets.on_bad_row to "skip"')
    for row in rows:
        _log.warning("left out: %s", row)


def _require_cases(gathered: Gathered, section: DatasetsSection, space: Space) -> None:
    if not gathered.training:
        raise InputError(
            f"datasets.sets hold no {space.upper()} case to train on; name images of that modality"
        )
    if not gathered.validation and section.validation_fraction > 0:
        raise InputError(
            "datasets.sets leave no case for validation; add patients, name some in the split, or "
            "set datasets.validation_fraction to 0 to validate on synthetic cases"
        )
