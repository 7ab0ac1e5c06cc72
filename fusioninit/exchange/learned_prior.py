"""A prior on the pose, learned from registrations that a person accepted and exported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fusioninit.errors import InputError, ReadError
from fusioninit.exchange.sidecar import SCHEMA, SIDECAR_NAME, read_sidecar_transform
from fusioninit.geometry import Grid, RigidTransform
from fusioninit.landmarks import REQUIRED_NAMES
from fusioninit.registration import CenterPrior, RotationPrior
from fusioninit.registration.rotation_prior import MIN_SAMPLES
from fusioninit.state.pose_prior import PosePrior

MAX_BYTES = 8 << 20
"""A sidecar holds some 20 kB; a far larger file of that name is something else."""


class _Accepted(NamedTuple):
    """One accepted registration."""

    images: tuple[str, str]
    written: str
    us_from_mr: RigidTransform
    place_mm: NDArray[np.float64] | None
    """Where the mean of the three MR landmarks fell, from the middle of the US image."""


def learn_prior(folder: Path) -> PosePrior:
    """The prior that the exports anywhere below `folder` give.

    Only those that a person accepted count, and of several of one pair of images the latest. The
    translation is learned where enough of them hold the US image's geometry and the landmarks.

    Raises
    ------
    InputError
        No such folder, or fewer than `MIN_SAMPLES` accepted registrations in it.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; choose the one that your exports are in")
    latest: dict[tuple[str, str], _Accepted] = {}
    others = 0
    for path in sorted(folder.rglob(SIDECAR_NAME)):
        one = _accepted(path)
        if one is None:
            others += 1
        elif one.images not in latest or latest[one.images].written <= one.written:
            latest[one.images] = one
    found = list(latest.values())
    if len(found) < MIN_SAMPLES:
        raise InputError(
            f"{folder}: {len(found)} accepted registrations of different patients found ({others} "
            f"others were not accepted or cannot be read); learning a prior needs {MIN_SAMPLES}: "
            f"accept alignments in the review, and export them"
        )
    name = f"learned from {len(found)} accepted registrations"
    rotation = RotationPrior.learned([one.us_from_mr.rotation for one in found], name=name)
    places = [one.place_mm for one in found if one.place_mm is not None]
    enough = len(places) >= MIN_SAMPLES
    return PosePrior(rotation, CenterPrior.learned(places) if enough else None)


def _accepted(path: Path) -> _Accepted | None:
    """The registration of a sidecar; None where it was not accepted or is none."""
    try:
        if path.stat().st_size > MAX_BYTES:
            return None
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["schema"] != SCHEMA or not record["decision"]["accepted"]:
            return None
        transform = read_sidecar_transform(path)
        return _Accepted(
            _images_of(record, path), record["written_utc"], transform, _place_mm(record, transform)
        )
    except (OSError, ValueError, KeyError, TypeError, ReadError):
        return None


def _images_of(record: dict[str, Any], path: Path) -> tuple[str, str]:
    """What tells one pair of images from another; the file itself where the images are unknown."""
    images = record["images"]
    us, mr = (images.get(space, {}).get("sha256", "") for space in ("us", "mr"))
    return (us, mr) if us and mr else (str(path), "")


def _place_mm(record: dict[str, Any], us_from_mr: RigidTransform) -> NDArray[np.float64] | None:
    image, marks = record["images"].get("us"), record["landmarks"]["mr"]
    points = {mark["name"]: mark["position_lps_mm"] for mark in marks}
    if image is None or not set(REQUIRED_NAMES) <= set(points):
        return None
    i, j, k = image["size_ijk"]
    grid = Grid(
        (k, j, i),
        np.array(image["spacing_mm"]),
        np.array(image["origin_lps_mm"]),
        np.array(image["direction_columns_lps"]).T,
    )
    mean = np.array([points[name] for name in REQUIRED_NAMES]).mean(axis=0)
    return us_from_mr.apply(mean) - grid.center_mm
