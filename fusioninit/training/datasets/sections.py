"""The `[datasets]` table of a training's configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from fusioninit.training.sections import Section


class DatasetSection(Section):
    """One `[[datasets.sets]]`: a layout and where it lies."""

    kind: Literal["manifest", "mu-regpro", "phantom", "tcia"]
    """"manifest": a CSV file; "mu-regpro": a folder of that data set's layout; "phantom": a folder
    written by `fusioninit phantom`; "tcia": DICOM folders and STL surfaces as in the collection
    Prostate-MRI-US-Biopsy."""
    path: Path
    """The CSV file, or the folder."""


class DatasetsSection(Section):
    """Cases from files, and how they are mixed with synthetic ones. No sets: synthetic only."""

    sets: tuple[DatasetSection, ...] = ()
    phantom_fraction: float = Field(default=0.5, ge=0, lt=1)
    """Share of new cases that are synthetic."""
    on_bad_row: Literal["refuse", "skip"] = "refuse"
    """A case that cannot be used stops the training, or is left out and named in the log."""
    validation_fraction: float = Field(default=0.2, ge=0, lt=1)
    """Share of patients kept for validation in sets that name none for it; 0: none is kept."""
    reference_sd_mm: float = Field(default=3.0, gt=0)
    """r in the weight r^2 / (r^2 + sd^2) of a landmark whose own SD per axis is sd: about what the
    network will miss by on a perfect label."""
    cache: Path | None = None
    """Folder for resampled cases (they show patients: keep it as safe as the images); none: they
    are kept in memory and read anew by each training."""
    isolated: bool = True
    """Read each file in a child process with limits, so that a damaged one ends nothing else."""

    @model_validator(mode="after")
    def _distinct(self) -> DatasetsSection:
        paths = [section.path for section in self.sets]
        for path in paths:
            if paths.count(path) > 1:
                raise ValueError(f"datasets.sets names '{path}' twice")
        return self

    def relative_to(self, folder: Path) -> DatasetsSection:
        """The same with relative paths taken as relative to `folder`."""
        sets = tuple(
            section.model_copy(update={"path": folder / section.path}) for section in self.sets
        )
        cache = None if self.cache is None else folder / self.cache
        return self.model_copy(update={"sets": sets, "cache": cache})
