"""What is known of the same gland from the other image."""

from __future__ import annotations

from dataclasses import dataclass

from fusioninit.imaging.volume import Volume
from fusioninit.landmarks import LandmarkSet


@dataclass(frozen=True, eq=False)
class Counterpart:
    """Landmarks and gland in the other image, both in its own frame (LPS mm).

    Parameters
    ----------
    landmarks : LandmarkSet
        At least the three required ones.
    gland : Volume
        0 and 1.
    """

    landmarks: LandmarkSet
    gland: Volume
