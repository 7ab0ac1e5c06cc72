"""Single images of either modality, named by a manifest, each with points or a gland's mask.

So a network is measured where no pair is known: on a hospital's own scans, or on public ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fusioninit.errors import InputError
from fusioninit.geometry import Space
from fusioninit.landmarks import ALL_NAMES, Landmark, LandmarkSet
from fusioninit.training.datasets.labels import Labels
from fusioninit.training.datasets.listing import CaseFiles
from fusioninit.training.datasets.manifest import list_manifest
from fusioninit.training.datasets.prepare import read_case
from fusioninit.training.evaluation.config import ImagesSection
from fusioninit.training.evaluation.pair_cases import IMAGED, PairCase

LEAST_SD_MM = 0.1
"""Even a point stated without error needs a covariance that can be inverted."""


@dataclass(frozen=True)
class ImageList:
    """The images of a manifest; where lines are marked as test, only those."""

    section: ImagesSection

    @property
    def name(self) -> str:
        """As the configuration calls it."""
        return self.section.name

    @property
    def detects(self) -> bool:
        """Always: there is nothing else to measure on a single image."""
        return True

    @property
    def description(self) -> str:
        """What is scored, and what it does not say."""
        names = ", ".join(self.section.landmarks)
        note = f" {self.section.note}" if self.section.note else ""
        return (
            f"Images of '{self.name}'; scored: {names}. Points are the given ones where a line "
            "names them, else they follow by rule from the gland's mask, and such rules miss "
            f"experts' points by 4 to 8 mm on average.{note}"
        )

    def __len__(self) -> int:
        return len(self.entries)

    @cached_property
    def entries(self) -> list[tuple[Space, CaseFiles]]:
        """Lines of both modalities; InputError where one cannot be used or there is none."""
        found: list[tuple[Space, CaseFiles]] = []
        for space in IMAGED:
            listing = list_manifest(self.section.manifest, space)
            if listing.bad:
                raise InputError(f"{listing.bad[0]}; correct it")
            found += [(space, files) for files in listing.cases]
        tested = [entry for entry in found if entry[1].split == "test"]
        if not found:
            raise InputError(f"{self.section.manifest.name}: it names no image")
        return tested or found

    def case(self, number: int) -> PairCase:
        """Read one image with what is known of it; ReadError where it cannot be used."""
        space, files = self.entries[number]
        image, gland, labels = read_case(files, space)
        return PairCase(
            name=files.where,
            number=number,
            landmarks={space: _landmarks(space, labels, self.section.landmarks)},
            glands={} if gland is None else {space: gland},
            images={space: image},
        )


def _landmarks(space: Space, labels: Labels, wanted: tuple[str, ...]) -> LandmarkSet:
    marks = [
        Landmark(
            name,
            labels.position_mm[number],
            np.eye(3) * max(float(labels.sd_mm[number]), LEAST_SD_MM) ** 2,
        )
        for number, name in enumerate(ALL_NAMES)
        if name in wanted and labels.known[number]
    ]
    return LandmarkSet(space, tuple(marks))
