"""One patient in both images with the truth about it, and where such cases come from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fusioninit.geometry import RigidTransform, Space
from fusioninit.imaging.volume import Volume
from fusioninit.landmarks import LandmarkSet

FloatArray = NDArray[np.float64]


IMAGED = (Space.MR, Space.US)
"""The two spaces of a pair."""


def _no_points() -> FloatArray:
    return np.zeros((0, 3))


@dataclass(frozen=True, eq=False)
class PairCase:
    """A pair and what is known to be true of it. All points LPS mm of their own image.

    Where only one image is known, its space alone stands in the dictionaries.

    Parameters
    ----------
    name : str
        Recognises the case in tables: its seed or its file.
    number : int
        Seeds whatever is drawn for this case, such as an observer's error.
    landmarks : dict
        True landmarks by space.
    glands : dict
        True gland masks by space.
    images : dict
        Volumes by space; empty where nothing is to be detected.
    us_from_mr : RigidTransform or None
        The true rigid part; None where nobody knows it.
    targets_mr_mm, targets_us_mm : (N, 3) arrays
        The same N places in both images, none of them used for a fit.
    """

    name: str
    number: int
    landmarks: dict[Space, LandmarkSet]
    glands: dict[Space, Volume]
    images: dict[Space, Volume] = field(default_factory=dict)
    us_from_mr: RigidTransform | None = None
    targets_mr_mm: FloatArray = field(default_factory=_no_points)
    targets_us_mm: FloatArray = field(default_factory=_no_points)


class Source(Protocol):
    """A set of cases."""

    @property
    def name(self) -> str:
        """Short; names files and headings."""

    @property
    def description(self) -> str:
        """One sentence that stands above every table: what, seeds, and what it does not say."""

    @property
    def detects(self) -> bool:
        """Whether landmarks are to be detected; otherwise the true ones are given to the fit."""

    def __len__(self) -> int:
        """How many cases there are."""

    def case(self, number: int) -> PairCase:
        """The case of that number, from 0; InputError where it cannot be used."""
