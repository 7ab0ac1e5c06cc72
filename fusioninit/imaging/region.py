"""`Region`: something drawn in an image, as its centroid and size. LPS mm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Region:
    """One region.

    Parameters
    ----------
    name : str
        As the file calls it; a number where it does not.
    centroid_mm : (3,) array
        Centre of volume, LPS mm.
    volume_ml : float
        0 for a single point.
    extent_mm : (3,) array
        Size along left, posterior and superior.
    frame_of_reference_uid : str
        The DICOM frame the region was drawn in; empty where the file states none.
    """

    name: str
    centroid_mm: FloatArray
    volume_ml: float
    extent_mm: FloatArray
    frame_of_reference_uid: str = ""


def region_to_record(region: Region) -> dict[str, Any]:
    """JSON-ready form."""
    return {
        "name": region.name,
        "centroid_lps_mm": region.centroid_mm.tolist(),
        "volume_ml": region.volume_ml,
        "extent_mm": region.extent_mm.tolist(),
        "frame_of_reference_uid": region.frame_of_reference_uid,
    }


def region_from_record(record: dict[str, Any]) -> Region:
    """What `region_to_record` wrote."""
    return Region(
        record["name"],
        np.array(record["centroid_lps_mm"], dtype=np.float64),
        record["volume_ml"],
        np.array(record["extent_mm"], dtype=np.float64),
        record["frame_of_reference_uid"],
    )
