"""What can be said about a volume before detection, and about the answer after it.

The thresholds are wide: they mark volumes and answers unlike anything the networks were made for.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusioninit.errors import InputError
from fusioninit.geometry import Space
from fusioninit.imaging.volume import Volume
from fusioninit.landmarks import READER_NAMES, REQUIRED_NAMES, LandmarkSet
from fusioninit.registration.disagreement import compare_answers

SMALLEST_EXTENT_MM = 20.0
"""No gland fits in a thinner volume (the smallest of 75 measured is above 25 mm)."""

SMALL_EXTENT_MM = 50.0
"""A typical gland is 45 to 57 mm: thinner volumes cut it."""

LARGE_EXTENT_MM = 420.0
"""Larger volumes show more than a pelvis."""

APEX_NECK_MM = (18.0, 80.0)
"""Plausible distance from apex to bladder neck: 41 (SD 4) measured, cranio-caudal size to 77."""

GLAND_ML = (8.0, 220.0)
"""Volumes outside are beyond the cohorts' range of 12 to 200 ml."""

MIRROR_MM = 6.0
"""Answers for an image and its mirror image should agree better than this."""

SD_MM = 6.0
"""A landmark with a larger standard deviation per axis is named as uncertain."""

ONE_NETWORK = "only one network looked, so no second answer tells which landmark to doubt"

DARK_FRACTION = 0.85
"""A volume with more voxels than this at its minimum shows little."""


def check_volume(volume: Volume, space: Space) -> None:
    """Refuse what cannot be looked at.

    Raises
    ------
    InputError
        Other space, too thin, empty, constant or not finite; one sentence with the remedy.
    """
    name = volume.source.path.name if volume.source.path else f"{volume.space.upper()} volume"
    if volume.space != space:
        raise InputError(
            f"{name}: this network reads {space.upper()}, the volume is {volume.space.upper()}; "
            "choose the other modality"
        )
    extent_mm = volume.grid.extent_mm
    if extent_mm.min() < SMALLEST_EXTENT_MM:
        sizes = " x ".join(f"{size:.0f}" for size in extent_mm)
        raise InputError(
            f"{name}: the volume is {sizes} mm, too thin to hold a prostate (at least "
            f"{SMALLEST_EXTENT_MM:.0f} mm a side); open the whole series"
        )
    low, high = float(np.min(volume.voxels)), float(np.max(volume.voxels))
    if not np.isfinite([low, high]).all():
        raise InputError(f"{name}: the volume holds values that are not numbers; convert it again")
    if high <= low:
        raise InputError(f"{name}: every voxel has the value {low:g}; open another volume")


def judge(
    volume: Volume,
    landmarks: LandmarkSet,
    gland: Volume | None,
    mirror_difference_mm: NDArray[np.float64],
    second: LandmarkSet | None = None,
) -> dict[str, Any]:
    """Figures about volume and answer, and a sentence for each that is out of the ordinary.

    What a second network's landmarks say of the first one's is a warning where they lie far apart,
    and a note else. That only one network looked is a note too.
    """
    figures: dict[str, Any] = {
        "apex_to_neck_mm": round(
            float(np.linalg.norm(np.subtract(*landmarks.positions_mm(REQUIRED_NAMES[:2])))), 1
        ),
        "gland_ml": _millilitres(gland),
        "mirror_difference_mm": round(float(mirror_difference_mm[:3].max()), 1),
        "largest_sd_mm": round(max(landmarks[name].sd_mm for name in REQUIRED_NAMES), 1),
        "dark_fraction": _dark_fraction(volume),
    }
    warnings = [
        *_about_volume(volume, figures["dark_fraction"]),
        *_about_landmarks(volume, landmarks, figures),
        *_about_gland(volume, gland, figures["gland_ml"]),
    ]
    apart = None if second is None else compare_answers(landmarks, second)
    sentence = ONE_NETWORK if apart is None else apart.sentence()
    is_doubtful = apart is not None and bool(apart.doubtful)
    if is_doubtful:
        warnings.append(sentence)
    return {
        "ok": not warnings,
        "warnings": warnings,
        "notes": [] if is_doubtful else [sentence],
        **figures,
        "models_apart_mm": None if apart is None else apart.rounded_mm(),
    }


def _about_volume(volume: Volume, dark_fraction: float) -> list[str]:
    warnings = []
    smallest, largest = volume.grid.extent_mm.min(), volume.grid.extent_mm.max()
    if smallest < SMALL_EXTENT_MM:
        warnings.append(f"the volume is only {smallest:.0f} mm thick: the gland may be cut")
    if largest > LARGE_EXTENT_MM:
        warnings.append(f"the volume is {largest:.0f} mm long: only its middle was searched")
    if dark_fraction > DARK_FRACTION:
        warnings.append(f"{dark_fraction:.0%} of the volume is black: little can be seen")
    return warnings


def _about_landmarks(volume: Volume, landmarks: LandmarkSet, figures: dict[str, Any]) -> list[str]:
    warnings = []
    # an ultrasound sweep often ends before the front and the ends of the gland's sides
    seen = [name for name in READER_NAMES if name in landmarks]
    outside = [n for n in seen if not volume.grid.contains(landmarks[n].position_mm)]
    if outside:
        warnings.append(f"outside the volume: {', '.join(outside)}")
    vague = [name for name in REQUIRED_NAMES if landmarks[name].sd_mm > SD_MM]
    if vague:
        warnings.append(f"uncertain by more than {SD_MM:.0f} mm: {', '.join(vague)}")
    low, high = APEX_NECK_MM
    if not low <= figures["apex_to_neck_mm"] <= high:
        warnings.append(
            f"apex and bladder neck are {figures['apex_to_neck_mm']:.0f} mm apart "
            f"(usual: {low:.0f} to {high:.0f})"
        )
    apex, neck = landmarks.positions_mm(REQUIRED_NAMES[:2])
    if volume.space is Space.MR and apex[2] >= neck[2]:
        warnings.append("the apex lies above the bladder neck")
    if figures["mirror_difference_mm"] > MIRROR_MM:
        warnings.append(
            "the answers for the image and its mirror image are "
            f"{figures['mirror_difference_mm']:.0f} mm apart"
        )
    return warnings


def _about_gland(volume: Volume, gland: Volume | None, millilitres: float | None) -> list[str]:
    if gland is None or millilitres is None:
        return []
    low, high = GLAND_ML
    if not low <= millilitres <= high:
        return [f"the gland found is {millilitres:.0f} ml (usual: {low:.0f} to {high:.0f})"]
    edge_mm = np.argwhere(gland.voxels > 0)[:, ::-1]
    index = volume.grid.to_index(gland.grid.to_world(edge_mm))
    margin = gland.grid.spacing_mm.max() / volume.grid.spacing_mm
    near = (index < margin - 0.5) | (index > volume.grid.size_xyz - 0.5 - margin)
    if near.any(axis=1).mean() > 0.02:
        return ["the gland touches the border of the volume: a partial view"]
    return []


def _millilitres(gland: Volume | None) -> float | None:
    if gland is None:
        return None
    return round(float(np.count_nonzero(gland.voxels) * np.prod(gland.grid.spacing_mm) / 1000), 1)


def _dark_fraction(volume: Volume) -> float:
    step = tuple(slice(None, None, max(1, size // 64)) for size in volume.voxels.shape)
    sample = volume.voxels[step]
    return round(float(np.mean(sample <= sample.min())), 3)
