"""Pairs in the folder layout of the mu-RegPro data set, or as `fusioninit phantom` writes them.

`mr_labels/caseNNNNNN.nii.gz` and `us_labels/...` are 4D: the gland first, then point-like
landmarks that correspond by channel. Without a `truth` file the first two count as apex and
bladder neck where they look like it, the posterior median follows from the gland by rule, and the
other channels are targets.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fusioninit.errors import InputError
from fusioninit.geometry import RigidTransform, Space
from fusioninit.imaging.nifti_header import nifti_header
from fusioninit.imaging.nifti_volumes import nifti_grid, nifti_voxels
from fusioninit.imaging.reading import read_volume
from fusioninit.imaging.surfaces import mask_centroid_mm
from fusioninit.imaging.volume import Volume
from fusioninit.landmarks import LandmarkSet
from fusioninit.training.evaluation.config import PairsSection
from fusioninit.training.evaluation.pair_cases import IMAGED, PairCase

FloatArray = NDArray[np.float64]

LEAST_LENGTH_MM = 15.0
"""Two points nearer than this are not apex and bladder neck (readers: 41 mm, SD 4)."""

LAYER_MM = 0.76
"""Half a voxel of 1.5 mm: which voxels count as lying at a height, or in the midline."""


class UnusableCaseError(InputError):
    """The labels do not tell where apex and bladder neck are."""


@dataclass(frozen=True)
class LabelFolder:
    """The usable pairs of a folder."""

    section: PairsSection

    @property
    def name(self) -> str:
        """As the configuration calls it."""
        return self.section.name

    @property
    def detects(self) -> bool:
        """Whether networks are asked about the images."""
        return self.section.detect

    @property
    def description(self) -> str:
        """What is scored, and what it does not say."""
        if self.detects:
            return (
                f"Landmarks detected on the images of '{self.name}'. Images published with this "
                "layout are blurred on purpose: these figures say nothing about clinical images."
            )
        return (
            f"Landmarks and gland masks given with '{self.name}', nothing detected: channels 1 "
            "and 2 as apex and bladder neck, the posterior median by rule from the gland, the "
            "other channels as targets."
        )

    def __len__(self) -> int:
        return len(self.files)

    @cached_property
    def files(self) -> list[str]:
        """Names of the cases that both label folders hold; InputError where there is none."""
        folder = self.section.folder
        both = [
            {path.name for path in (folder / f"{space}_labels").glob("*.nii.gz")}
            for space in IMAGED
        ]
        names = sorted(set.intersection(*both))
        if not names:
            raise InputError(
                f"{folder}: no pair of label files; mr_labels and us_labels must hold files of "
                "the same names ending in .nii.gz"
            )
        return names[: self.section.count]

    def case(self, number: int) -> PairCase:
        """Read one case; UnusableCaseError where its labels do not serve."""
        file = self.files[number]
        folder = self.section.folder
        labels = {space: _read_labels(folder / f"{space}_labels" / file, space) for space in IMAGED}
        glands = {space: gland for space, (gland, _) in labels.items()}
        points = {space: marked for space, (_, marked) in labels.items()}
        images = {
            space: read_volume(folder / f"{space}_images" / file, space=space, isolated=False)
            for space in (IMAGED if self.detects else ())
        }
        name = file.removesuffix(".nii.gz")
        truth = folder / "truth" / f"{name}.json"
        if truth.is_file():
            landmarks, us_from_mr = _read_truth(truth)
            return PairCase(name, number, landmarks, glands, images, us_from_mr)
        landmarks = {
            space: landmarks_from_labels(space, points[space], glands[space]) for space in IMAGED
        }
        _refuse_other_points(name, landmarks[Space.MR])
        pairs = zip(points[Space.MR][2:], points[Space.US][2:], strict=False)
        targets = [(mr, us) for mr, us in pairs if mr is not None and us is not None]
        moving, fixed = np.array(targets).reshape(-1, 2, 3).transpose(1, 0, 2)
        return PairCase(name, number, landmarks, glands, images, None, moving, fixed)


def landmarks_from_labels(
    space: Space, points_mm: list[FloatArray | None], gland: Volume
) -> LandmarkSet:
    """Apex and bladder neck from the first two points, the posterior median from the gland."""
    if len(points_mm) < 2 or points_mm[0] is None or points_mm[1] is None:
        raise UnusableCaseError(f"{space.upper()}: channels 1 and 2 hold no points")
    return LandmarkSet.from_positions(
        space,
        {
            "apex": points_mm[0],
            "bladder_neck": points_mm[1],
            "posterior_median": posterior_median_mm(gland),
        },
        provenance="label file",
    )


def posterior_median_mm(gland: Volume) -> FloatArray:
    """(3,) hindmost voxel of the gland in the midline at half its height, LPS mm."""
    voxels = gland.grid.to_world(np.argwhere(gland.voxels > 0)[:, ::-1])
    height = (voxels[:, 2].min() + voxels[:, 2].max()) / 2
    layer = voxels[np.abs(voxels[:, 2] - height) <= _reach_mm(gland, 2)]
    middle = float(np.median(layer[:, 0]))
    line = layer[np.abs(layer[:, 0] - middle) <= _reach_mm(gland, 0)]
    return np.array([middle, line[:, 1].max(), height])


def _reach_mm(gland: Volume, axis: int) -> float:
    return max(LAYER_MM, 0.51 * gland.grid.step_mm(np.eye(3)[axis]))


def _refuse_other_points(name: str, mr: LandmarkSet) -> None:
    apex, neck = mr["apex"].position_mm, mr["bladder_neck"].position_mm
    if np.linalg.norm(apex - neck) < LEAST_LENGTH_MM or apex[2] > neck[2]:
        raise UnusableCaseError(f"{name}: channels 1 and 2 do not look like apex and bladder neck")


def _read_labels(path: Path, space: Space) -> tuple[Volume, list[FloatArray | None]]:
    """The gland, and the centroid of each further channel, None where it is empty."""
    header = nifti_header(path)
    grid, _ = nifti_grid(path, header)
    channels = nifti_voxels(path, header).reshape(-1, *grid.shape) > 0.5
    if not channels[0].any():
        raise UnusableCaseError(f"{path.name}: the gland's channel is empty")
    gland = Volume(channels[0].astype(np.uint8), grid, space)
    points = [mask_centroid_mm(mask, grid) if mask.any() else None for mask in channels[1:]]
    return gland, points


def _read_truth(path: Path) -> tuple[dict[Space, LandmarkSet], RigidTransform]:
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        landmarks = {
            space: LandmarkSet.from_positions(space, table["landmarks"][str(space)])
            for space in IMAGED
        }
        return landmarks, RigidTransform(Space.US, Space.MR, table["us_from_mr"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path.name}: not a truth file ({error}); write it again") from error
