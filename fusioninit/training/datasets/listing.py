"""What a data set names, before any image is read: files per case, and rows that cannot be used."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Split = Literal["train", "validation", "test", ""]
"""Whether a case is trained on, measured on while training, or never touched; "": not said."""

SPLIT_NAMES: dict[str, Split] = {
    "": "",
    "train": "train",
    "training": "train",
    "val": "validation",
    "validation": "validation",
    "test": "test",
}


@dataclass(frozen=True)
class CaseFiles:
    """One case in one space.

    Parameters
    ----------
    where : str
        What a refusal names: "cases.csv line 3", or a file within its set.
    patient : str
        Cases of one patient stay on one side of the split.
    image : Path
        A file, or a DICOM folder.
    landmarks, mask, surface : Path, optional
        Points (`.mrk.json` or plain JSON), a label file, an STL surface of the gland; one of them
        at least.
    series_uid : str
        DICOM series in a folder of several; "": the one that fits.
    mask_channel : int
        Channel of a 4D label file.
    point_sd_mm : float, optional
        SD per axis of the points, over what their file says; 0 for synthetic truth.
    axes_from_surface : bool
        The image file does not state its axes, which are to be found from the surface.
    """

    where: str
    patient: str
    image: Path
    split: Split = ""
    landmarks: Path | None = None
    mask: Path | None = None
    surface: Path | None = None
    series_uid: str = ""
    mask_channel: int = 0
    point_sd_mm: float | None = None
    axes_from_surface: bool = False

    @property
    def paths(self) -> tuple[Path, ...]:
        """All files and folders it names."""
        named = (self.image, self.landmarks, self.mask, self.surface)
        return tuple(path for path in named if path is not None)


@dataclass(frozen=True)
class BadRow:
    """A case that cannot be used, and why."""

    where: str
    reason: str

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}"


@dataclass(frozen=True)
class Listing:
    """What a data set holds for one space."""

    cases: tuple[CaseFiles, ...] = ()
    bad: tuple[BadRow, ...] = ()

    @classmethod
    def of(cls, entries: Iterable[CaseFiles | BadRow]) -> Listing:
        """Usable and unusable entries sorted apart, in their order."""
        entries = tuple(entries)
        return cls(
            tuple(entry for entry in entries if isinstance(entry, CaseFiles)),
            tuple(entry for entry in entries if isinstance(entry, BadRow)),
        )
