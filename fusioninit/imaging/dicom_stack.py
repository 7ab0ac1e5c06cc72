"""From slices to a regular grid, or a refusal that says which rule they break.

A volume is a stack of equal slices at equal distances along their common normal. Everything else
(missing slices, tilt, several acquisitions, localizers) is refused: reading it as a regular grid
would put points millimetres off without a word.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from fusioninit.errors import ReadError
from fusioninit.geometry import Grid
from fusioninit.imaging.dicom_frames import SPLITTING, Frame

FloatArray = NDArray[np.float64]

POSITION_TOLERANCE_MM = 0.1
"""A slice further than this from where a regular stack has it is out of place."""

FARTHEST_MM = 1e5
"""No scanner's frame of reference reaches so far; damaged numbers do."""

MIN_SLICES = 3
"""With fewer, equal distances prove nothing."""

_PARALLEL = 1e-4
_SAME_PLACE_MM = 0.01
_LABELS = {
    "AcquisitionNumber": "acquisition number",
    "EchoTime": "echo time",
    "DiffusionBValue": "b-value",
    "TemporalPositionIdentifier": "time point",
    "EchoNumbers": "echo number",
    "ImageType": "image type",
    "StackID": "stack",
    "TriggerTime": "trigger time",
    "SequenceName": "sequence name",
}


@dataclass(frozen=True, eq=False)
class Stack:
    """Frames in order along the normal, the grid they make, and what is odd about them."""

    frames: tuple[Frame, ...]
    grid: Grid
    doubts: tuple[str, ...] = ()


def stack_of(name: str, frames: Sequence[Frame]) -> Stack:
    """The regular stack that `frames` form.

    Raises
    ------
    ReadError
        They form none; the sentence says why, and what to do. `name` is what it speaks of.
    """
    orientation, spacing = _common_plane(name, frames)
    row, column = orientation
    normal = np.cross(row, column)
    positions = np.array([frame.position_mm for frame in frames])
    heights = positions @ normal
    order = np.argsort(heights, kind="stable")
    _require_distinct(name, [frames[at] for at in order], heights[order])
    step = _regular_step(name, positions[order], normal)
    doubts = _acquisition_doubts(name, [frames[at] for at in order])
    columns, rows = frames[0].size
    grid = Grid(
        (len(frames), rows, columns),
        np.array([*spacing, step]),
        positions[order[0]],
        np.stack([row, column, normal], axis=1),
    )
    return Stack(tuple(frames[at] for at in order), grid, doubts)


def _common_plane(name: str, frames: Sequence[Frame]) -> tuple[FloatArray, FloatArray]:
    """(2, 3) row and column directions and (2,) spacing that all frames share."""
    placed = [f for f in frames if f.position_mm is not None and f.orientation is not None]
    if len(placed) < len(frames):
        raise ReadError(
            f"{name}: {len(frames) - len(placed)} of {len(frames)} slices state no position or "
            "orientation; export the original series from the scanner or archive"
        )
    if len(frames) < MIN_SLICES:
        raise ReadError(
            f"{name} has {len(frames)} of the at least {MIN_SLICES} slices of a volume; "
            "choose the folder with the whole series"
        )
    if np.abs(np.array([frame.position_mm for frame in placed])).max(initial=0) > FARTHEST_MM:
        raise ReadError(f"{name}: its slices lie at impossible positions; export it again")
    sizes = {frame.size for frame in frames}
    if len(sizes) > 1:
        raise ReadError(f"{name}: its slices differ in size; keep one series of equal slices")
    if len({frame.frame_of_reference for frame in frames}) > 1:
        raise ReadError(f"{name}: its slices lie in several frames of reference; keep one of them")
    orientations = np.array([frame.orientation for frame in frames])
    if np.abs(orientations - orientations[0]).max() > _PARALLEL:
        directions = len(np.unique(orientations.round(2), axis=0))
        raise ReadError(
            f"{name}: its slices lie in {max(directions, 2)} orientations (a localizer?); "
            "choose a series of parallel slices"
        )
    return _orthonormal(name, orientations[0]), _common_spacing(name, frames)


def _common_spacing(name: str, frames: Sequence[Frame]) -> FloatArray:
    spacings = [frame.spacing_mm for frame in frames if frame.spacing_mm is not None]
    if len(spacings) < len(frames) or min(spacing.min() for spacing in spacings) <= 0:
        raise ReadError(f"{name}: its pixel size is missing or zero; state the voxel size")
    stacked = np.array(spacings)
    if np.abs(stacked - stacked[0]).max() > 1e-3 * stacked[0].min():
        raise ReadError(f"{name}: its slices differ in pixel size; keep slices of one size")
    return stacked[0]


def _orthonormal(name: str, orientation: FloatArray) -> FloatArray:
    row, column = orientation
    lengths = np.linalg.norm(orientation, axis=1)
    if np.abs(lengths - 1).max() > 1e-3 or abs(row @ column) > 1e-3:
        raise ReadError(f"{name}: its stated orientation is not two perpendicular directions")
    row = row / lengths[0]
    column = column - (column @ row) * row
    return np.stack([row, column / np.linalg.norm(column)])


def _require_distinct(name: str, frames: Sequence[Frame], heights: FloatArray) -> None:
    places = 1 + int(np.count_nonzero(np.diff(heights) > _SAME_PLACE_MM))
    if places == len(frames):
        return
    reason = _what_splits(frames)
    raise ReadError(
        f"{name}: {len(frames)} slices share {places} positions, so it holds several volumes"
        f"{reason}; export one of them as its own series"
    )


def _what_splits(frames: Sequence[Frame]) -> str:
    for trait in SPLITTING:
        values = sorted({frame.traits.get(trait, "") for frame in frames} - {""})
        if 1 < len(values) <= max(2, len(frames) // 2):
            shown = ", ".join(values[:4]) + (" ..." if len(values) > 4 else "")
            return f" ({_LABELS[trait]} {shown})"
    return ""


def _regular_step(name: str, positions: FloatArray, normal: FloatArray) -> float:
    count = len(positions)
    whole = positions[-1] - positions[0]
    steps = np.diff(positions @ normal)
    expected = positions[0] + np.outer(np.arange(count), whole / (count - 1))
    along = (positions - expected) @ normal
    if np.abs(along).max() > POSITION_TOLERANCE_MM:
        raise ReadError(_uneven(name, steps))
    sideways = whole - (whole @ normal) * normal
    if np.linalg.norm(sideways) > POSITION_TOLERANCE_MM:
        angle = np.degrees(np.arctan2(np.linalg.norm(sideways), whole @ normal))
        raise ReadError(
            f"{name}: its slices are shifted sideways (gantry tilt or shear, {angle:.1f} degrees); "
            "resample it to a regular grid first"
        )
    across = positions - expected - np.outer(along, normal)
    if np.linalg.norm(across, axis=1).max() > POSITION_TOLERANCE_MM:
        raise ReadError(f"{name}: some slices are shifted sideways; export the original series")
    return float(whole @ normal / (count - 1))


def _uneven(name: str, steps: FloatArray) -> str:
    usual = float(np.median(steps))
    gaps = np.flatnonzero(steps > 1.5 * usual)
    multiples = steps[gaps] / usual
    if len(gaps) and np.abs(multiples - multiples.round()).max() < 0.1:
        missing = int((multiples.round() - 1).sum())
        return (
            f"{name}: {missing} of {len(steps) + 1 + missing} slices are missing (first gap after "
            f"slice {gaps[0] + 1}); copy the whole series"
        )
    return (
        f"{name}: its slices are unevenly spaced ({steps.min():.2f} to {steps.max():.2f} mm), so "
        "slices are missing or several acquisitions are mixed; export one regular series"
    )


def _acquisition_doubts(name: str, frames: Sequence[Frame]) -> tuple[str, ...]:
    """Refuse two interleaved acquisitions, between which a patient may have moved.

    Of blocks one after the other a sentence is returned; scanners that number every slice are left
    alone.
    """
    values = [frame.traits.get("AcquisitionNumber", "") for frame in frames]
    kinds = sorted(set(values))
    if not 2 <= len(kinds) <= 4 or min(values.count(kind) for kind in kinds) < 3:
        return ()
    changes = sum(first != second for first, second in pairwise(values))
    if changes > len(kinds) - 1:
        raise ReadError(
            f"{name}: slices of {len(kinds)} acquisitions alternate (acquisition number "
            f"{', '.join(kinds)}); export one acquisition as its own series"
        )
    return (
        f"its slices come from {len(kinds)} acquisitions one after the other (acquisition number "
        f"{', '.join(kinds)}); check that the patient did not move where they meet",
    )
