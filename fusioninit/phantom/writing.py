"""Writes synthetic pairs in the folder layout of the mu-RegPro data set, with their truth."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from fusioninit.geometry import Grid
from fusioninit.imaging.volume import Volume
from fusioninit.landmarks import READER_NAMES, LandmarkSet
from fusioninit.phantom.pairs import PhantomPair, draw_pair

POINT_RADIUS_MM = 3.0
"""Landmarks are written as balls of this radius, as in the data set."""


def write_pairs(*, count: int, seed: int, out: Path) -> list[Path]:
    """Write `count` pairs of seeds `seed`, `seed + 1`, ... below `out`.

    `mr_images`, `us_images`, `mr_labels`, `us_labels` hold `caseNNNNNN.nii.gz`; labels are 4D, the
    gland first, then the landmarks in the order of `READER_NAMES`. `truth/caseNNNNNN.json` holds
    `us_from_mr` (4x4) and `landmarks` (LPS mm).

    Returns
    -------
    list of Path
        The truth files, one a pair.
    """
    written = []
    for number in range(count):
        pair = draw_pair(seed=seed + number)
        written.append(_write_pair(pair, f"case{number + 1:06d}", out))
    return written


def write_volume(volume: Volume, path: Path) -> None:
    """Write a volume as NIfTI; a reader sees the old file or the whole new one."""
    _write_image(_image(volume.voxels, volume.grid), path)


def truth_of(pair: PhantomPair) -> dict[str, object]:
    """What `truth/caseNNNNNN.json` says about a pair."""
    return {
        "us_from_mr": pair.us_from_mr.matrix.tolist(),
        "landmarks": {
            marks.space.value: {name: marks[name].position_mm.tolist() for name in READER_NAMES}
            for marks in (pair.mr_landmarks, pair.us_landmarks)
        },
    }


def write_truth(pair: PhantomPair, path: Path) -> None:
    """Write `truth_of(pair)` as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.part")
    beside.write_text(json.dumps(truth_of(pair), indent=1) + "\n", encoding="utf-8")
    beside.replace(path)


def _write_pair(pair: PhantomPair, name: str, out: Path) -> Path:
    sides = (
        ("mr", pair.mr, pair.mr_gland, pair.mr_landmarks),
        ("us", pair.us, pair.us_gland, pair.us_landmarks),
    )
    for side, volume, gland, landmarks in sides:
        write_volume(volume, out / f"{side}_images" / f"{name}.nii.gz")
        channels = [gland.voxels, *_balls(gland.grid, landmarks)]
        images = [_image(channel, gland.grid) for channel in channels]
        _write_image(sitk.JoinSeries(images), out / f"{side}_labels" / f"{name}.nii.gz")
    truth = out / "truth" / f"{name}.json"
    write_truth(pair, truth)
    return truth


def _balls(grid: Grid, landmarks: LandmarkSet) -> Sequence[NDArray[np.uint8]]:
    points = grid.points_mm()
    return [
        (((points - landmarks[name].position_mm) ** 2).sum(-1) < POINT_RADIUS_MM**2).astype(
            np.uint8
        )
        for name in READER_NAMES
    ]


def _image(voxels: NDArray[np.generic], grid: Grid) -> sitk.Image:
    image = sitk.GetImageFromArray(np.ascontiguousarray(voxels))
    image.SetSpacing(grid.spacing_mm.tolist())
    image.SetOrigin(grid.origin_mm.tolist())
    image.SetDirection(grid.direction.ravel().tolist())
    return image


def _write_image(image: sitk.Image, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".part-{path.name}")
    sitk.WriteImage(image, str(beside), useCompression=True)
    beside.replace(path)
