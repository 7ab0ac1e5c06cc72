"""Voxel size of a plain multi-frame US: the public elements, or the maker's private one.

Volumes of the Eigen Artemis (the collection Prostate-MRI-US-Biopsy) hold cubic voxels whose edge,
in mm, is the private element VoxelSize (1129,1016) of the maker's private dictionary.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusioninit.errors import VoxelSizeNeededError
from fusioninit.imaging.dicom_frames import numbers

CREATOR, VOXEL_SIZE = 0x11290010, 0x11291016
_MAKER = "eigen"

LARGEST_MM = 10.0
AGREEMENT = 0.01
"""Two statements of one size that differ by more than this part contradict each other."""

PRIVATE_USED = "its voxel size of {size:.3g} mm is from the maker's private element (1129,1016)"


@dataclass(frozen=True, eq=False)
class StatedSize:
    """Voxel size along i, j, k in mm, and a sentence where it is from a private element."""

    spacing_mm: NDArray[np.float64]
    warning: str = ""


def bare_size(name: str, header: Any) -> StatedSize | None:
    """What a header without positions states about its voxels; None where it is incomplete.

    Raises
    ------
    VoxelSizeNeededError
        Its public and private elements contradict each other.
    """
    pixel = numbers(header.get("PixelSpacing"), 2)
    between = _positive(header.get("SpacingBetweenSlices")) or _positive(
        header.get("SliceThickness")
    )
    stated = [] if pixel is None or pixel.min() <= 0 else pixel.tolist()
    stated += [] if between is None else [between]
    edge = _private_edge_mm(header)
    if edge is not None:
        for size in stated:
            if abs(size - edge) > AGREEMENT * edge:
                raise VoxelSizeNeededError(
                    f"{name} states two voxel sizes ({edge:.3g} mm in its private element, "
                    f"{size:.3g} mm publicly); state the right one"
                )
    if len(stated) == 3:
        return StatedSize(np.array([stated[1], stated[0], stated[2]]))
    if edge is not None:
        return StatedSize(np.full(3, edge), PRIVATE_USED.format(size=edge))
    return None


def _private_edge_mm(header: Any) -> float | None:
    """The edge of a cubic voxel by the maker's private element; None without a usable one."""
    creator = _text(header[CREATOR].value) if CREATOR in header else ""
    if _MAKER not in creator.lower() or VOXEL_SIZE not in header:
        return None
    edge = _positive(_text(header[VOXEL_SIZE].value))
    return edge if edge is not None and edge < LARGEST_MM else None


def _text(value: Any) -> str:
    """A value of unknown type (implicit files do not say it) as text."""
    if isinstance(value, bytes):
        return value.decode("ascii", "replace").strip("\0 ")
    return str(value).strip()


def _positive(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if np.isfinite(number) and number > 0 else None
