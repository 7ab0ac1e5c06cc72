"""From a case's files to one resampled case, once; and from that to training samples, often.

The case is kept on a grid somewhat larger than the network's, centred on the gland. A sample is a
window of it whose place is drawn, as the network must cope with glands off the middle.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from fusioninit.detection.normalise import InputGrid, resample
from fusioninit.errors import ReadError
from fusioninit.geometry import Grid, Space
from fusioninit.imaging.doubts import Part
from fusioninit.imaging.reading import read_mask, read_volume
from fusioninit.imaging.stated_geometry import StatedGeometry
from fusioninit.imaging.stl_files import read_stl
from fusioninit.imaging.surfaces import mask_centroid_mm
from fusioninit.imaging.volume import Volume
from fusioninit.training.augment import Sample
from fusioninit.training.datasets.labels import (
    Labels,
    expert_labels,
    mask_labels,
    require_plausible,
    weights,
)
from fusioninit.training.datasets.listing import CaseFiles
from fusioninit.training.datasets.stl_surface import enclosed
from fusioninit.training.datasets.us_axes import header_spacing_mm, with_axes_of_surface

FloatArray = NDArray[np.float64]

MARGIN_VOXELS = 8
"""The kept grid reaches this far beyond the network's on each side."""

SHIFT_SD_VOXELS = 3.0
"""How far windows are moved: about 5 mm per axis."""

UNKNOWN_MM = 10_000.0
"""Where unknown landmarks are put: outside every grid, hence in no loss and no measure."""

LEAST_INSIDE = 0.5
"""Share of the gland that must lie in the image."""


@dataclass(frozen=True)
class PreparedCase:
    """A case on the grid of the network, enlarged by the margin.

    Parameters
    ----------
    image : (D, H, W) float16 array
        At most 1 in size; exactly 0 outside the field of view.
    gland : (D, H, W) uint8 array
        0 to 255.
    position_mm : (5, 3) array
        x y z in LPS mm from the grid's centre; NaN where unknown.
    sd_mm : (5,) array
        Infinite where unknown.
    visible : (5,) array of bool
        In the image's field of view.
    gland_known : bool
    warnings : tuple of str
        What was doubtful about the image's geometry.
    """

    image: NDArray[np.float16]
    gland: NDArray[np.uint8]
    position_mm: FloatArray
    sd_mm: FloatArray
    visible: NDArray[np.bool_]
    gland_known: bool
    warnings: tuple[str, ...] = ()

    def window(
        self, shift_voxels: NDArray[np.int_], *, spacing_mm: float, reference_sd_mm: float
    ) -> Sample:
        """The sample whose middle lies `shift_voxels` (x, y, z) from the kept grid's."""
        x, y, z = (int(step) + MARGIN_VOXELS for step in shift_voxels)
        sizes = [size - 2 * MARGIN_VOXELS for size in self.image.shape]
        cut = tuple(slice(a, a + n) for a, n in zip((z, y, x), sizes, strict=True))
        known = np.isfinite(self.sd_mm)
        position = np.where(
            known[:, None], self.position_mm - spacing_mm * np.asarray(shift_voxels), UNKNOWN_MM
        )
        return Sample(
            torch.from_numpy(self.image[cut].astype(np.float32)),
            torch.from_numpy(self.gland[cut].astype(np.float32) / 255),
            torch.from_numpy(position).float(),
            torch.from_numpy(self.visible & known),
            torch.from_numpy(weights(self.sd_mm, reference_sd_mm)).float(),
            self.gland_known,
        )


def draw_shift(random: np.random.Generator) -> NDArray[np.int_]:
    """(3,) whole voxels x, y, z by which a window is moved."""
    drawn = np.round(random.normal(0.0, SHIFT_SD_VOXELS, 3)).astype(int)
    return np.asarray(np.clip(drawn, -MARGIN_VOXELS, MARGIN_VOXELS))


def prepare(
    files: CaseFiles, space: Space, input_grid: InputGrid, *, isolated: bool = True
) -> PreparedCase:
    """Read, check and resample one case.

    Raises
    ------
    ReadError
        One sentence: why the case cannot be used.
    """
    image, gland, labels = read_case(files, space, isolated=isolated)
    center_mm = _center_mm(gland, labels)
    shape = np.array(input_grid.shape) + 2 * MARGIN_VOXELS
    grid = Grid.centred(shape, input_grid.spacing_mm, center_mm)
    return PreparedCase(
        image=_scaled(image, grid),
        gland=_soft_gland(gland, grid),
        position_mm=labels.position_mm - center_mm,
        sd_mm=labels.sd_mm,
        visible=image.grid.contains(np.nan_to_num(labels.position_mm, nan=1e9)),
        gland_known=gland is not None,
        warnings=image.source.warnings,
    )


def read_case(
    files: CaseFiles, space: Space, *, isolated: bool = True
) -> tuple[Volume, Volume | None, Labels]:
    """Read and check one case: its image, its gland's mask if there is one, its landmarks.

    Raises
    ------
    ReadError
        One sentence: why the case cannot be used.
    """
    image = _image(files, space, isolated=isolated)
    gland, image = _gland(files, image, isolated=isolated)
    return image, gland, _labels(files, image, gland)


def _image(files: CaseFiles, space: Space, *, isolated: bool) -> Volume:
    stated = None
    if files.axes_from_surface and files.image.is_file():
        spacing_mm = header_spacing_mm(files.image)
        stated = None if spacing_mm is None else StatedGeometry(spacing_mm)
    return read_volume(
        files.image,
        space=space,
        series_uid=files.series_uid or None,
        isolated=isolated,
        stated=stated,
    )


def _gland(files: CaseFiles, image: Volume, *, isolated: bool) -> tuple[Volume | None, Volume]:
    """The gland's mask, if there is one, and the image with the axes that fit it."""
    if files.surface is not None:
        triangles = read_stl(files.surface)
        if files.axes_from_surface and Part.DIRECTIONS in image.source.unstated:
            image = with_axes_of_surface(image, triangles)
        gland = _enclosed(files.surface, triangles, image.space)
    elif files.mask is not None:
        gland = read_mask(
            files.mask, space=image.space, channel=files.mask_channel, isolated=isolated
        )
    else:
        return None, image
    _require_overlap(gland, image.grid)
    return gland, image


def _enclosed(path: Path, triangles: FloatArray, space: Space) -> Volume:
    try:
        return enclosed(triangles, space)
    except ValueError as error:
        raise ReadError(f"{path.name}: {error}") from error


def _require_overlap(gland: Volume, image: Grid) -> None:
    points = gland.grid.to_world(np.argwhere(gland.voxels)[:, ::-1])
    inside = float(image.contains(points).mean())
    if inside < LEAST_INSIDE:
        raise ReadError(
            f"{1 - inside:.0%} of the gland lies outside the image; check that both are in one "
            "frame"
        )


def _labels(files: CaseFiles, image: Volume, gland: Volume | None) -> Labels:
    rule = None if gland is None else mask_labels(gland, image.grid)
    if files.landmarks is None:
        return rule or Labels.unknown()
    experts = expert_labels(files.landmarks, image.space, files.point_sd_mm)
    if files.point_sd_mm != 0:
        require_plausible(experts, rule, image.grid)
    return experts if rule is None else experts.over(rule)


def _center_mm(gland: Volume | None, labels: Labels) -> FloatArray:
    if gland is not None:
        return mask_centroid_mm(gland.voxels, gland.grid)
    center: FloatArray = labels.position_mm[labels.known].mean(axis=0)
    return center


def _scaled(image: Volume, grid: Grid) -> NDArray[np.float16]:
    voxels = resample(image, grid).numpy()
    if not voxels.any():
        raise ReadError("the image is 0 all around the gland; check that both are in one frame")
    return np.asarray(voxels / np.abs(voxels).max(), dtype=np.float16)


def _soft_gland(gland: Volume | None, grid: Grid) -> NDArray[np.uint8]:
    if gland is None:
        return np.zeros(grid.shape, np.uint8)
    soft = resample(replace(gland, voxels=gland.voxels.astype(np.float32)), grid)
    return np.asarray((soft.numpy() * 255).round(), dtype=np.uint8)
