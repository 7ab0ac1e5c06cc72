"""The gland as evidence: its surface, centroid and volume, with their uncertainty."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage
from scipy.spatial import KDTree

from fusioninit.geometry import Grid
from fusioninit.registration.surface_extraction import level_crossings, soft_mask
from fusioninit.registration.surface_field import SurfaceField

FloatArray = NDArray[np.float64]

CENTROID_SD_MM = 1.4
"""SD per axis of a gland's centroid in one image: the length of the same gland differs by 14 %
(6 mm) between MR and US, mostly by where its ends were drawn, which moves the centroid by about
a third of that; shared by the two images, 6.2 / 3 / sqrt(2)."""

CUT_CENTROID_SD_MM = 4.0
"""The same where the gland runs out of the image: an unseen cap of 10 mm of a 45 mm gland moves
the centroid by about 4 mm."""

SURFACE_SD_MM = 1.5
"""SD of a drawn surface along its normal, beside deformation: one voxel of a coarse mask."""

SAMPLE_COUNT = 150
"""Surface points that represent a gland in a fit: 7 mm apart on 7000 mm^2, a third of the
deformation's correlation length, so more would repeat what these say."""


@dataclass(frozen=True, eq=False)
class GlandShape:
    """A gland's surface in one image's frame, LPS mm.

    Parameters
    ----------
    centroid_mm : (3,) array
    surface_mm : (N, 3) array
        Points on the surface, without those where the image cuts the gland.
    normals : (N, 3) array
        Unit, outward.
    volume_ml : float
    centroid_covariance_mm2 : (3, 3) array
    surface_sd_mm : float
        Of a surface point along its normal.
    is_cut : bool
        Whether the gland touches the border of its image.

    Raises
    ------
    ValueError
        Fewer than 20 surface points, or arrays that do not match or are not finite.
    """

    centroid_mm: FloatArray
    surface_mm: FloatArray = field(repr=False)
    normals: FloatArray = field(repr=False)
    volume_ml: float
    centroid_covariance_mm2: FloatArray = field(
        default_factory=lambda: np.eye(3) * CENTROID_SD_MM**2, repr=False
    )
    surface_sd_mm: float = SURFACE_SD_MM
    is_cut: bool = False

    def __post_init__(self) -> None:
        if self.surface_mm.shape != self.normals.shape or self.surface_mm.ndim != 2:
            raise ValueError(
                f"a gland's surface and normals are (N, 3) arrays, found "
                f"{self.surface_mm.shape} and {self.normals.shape}"
            )
        if len(self.surface_mm) < 20 or not np.isfinite(self.surface_mm).all():
            raise ValueError("a gland's surface needs at least 20 finite points")

    @classmethod
    def from_mask(
        cls,
        mask: ArrayLike,
        grid: Grid,
        *,
        surface_sd_mm: float = SURFACE_SD_MM,
        centroid_sd_mm: float = CENTROID_SD_MM,
    ) -> GlandShape:
        """The shape of the largest piece of a (k, j, i) mask (> 0.5 is gland) on its grid.

        The SDs suit a mask drawn by a person; give larger ones for a network's.

        Raises
        ------
        ValueError
            The mask does not match the grid, is empty, or is too small to have a surface.
        """
        inside = np.asarray(mask) > 0.5
        if inside.shape != grid.shape:
            raise ValueError(f"the mask {inside.shape} does not match its grid {grid.shape}")
        if not inside.any():
            raise ValueError("the gland mask is empty")
        inside = _largest_piece(inside)
        index = np.argwhere(inside)[:, ::-1]
        touches = bool((index.min(axis=0) == 0).any()) or bool(
            (index.max(axis=0) == grid.size_xyz - 1).any()
        )
        surface, normals = level_crossings(*soft_mask(inside, grid))
        sd = max(CUT_CENTROID_SD_MM, centroid_sd_mm) if touches else centroid_sd_mm
        return cls(
            centroid_mm=grid.to_world(index.mean(axis=0)),
            surface_mm=surface,
            normals=normals,
            volume_ml=float(len(index) * np.prod(grid.spacing_mm) / 1000),
            centroid_covariance_mm2=np.eye(3) * sd**2,
            surface_sd_mm=surface_sd_mm,
            is_cut=touches,
        )

    @cached_property
    def tree(self) -> KDTree:
        """Nearest surface point, for points of the same frame."""
        return KDTree(self.surface_mm)

    @cached_property
    def interior_mm(self) -> FloatArray:
        """(N, 3) points spread through the gland: shells of equal volume about the centroid."""
        shells = np.cbrt((np.arange(4) + 0.5) / 4)
        lever = self.surface_mm[self.sample] - self.centroid_mm
        return self.centroid_mm + (shells[:, None, None] * lever).reshape(-1, 3)

    @cached_property
    def surface_field(self) -> SurfaceField:
        """Gap to the surface and its normal at any point of the same frame."""
        return SurfaceField.of(self.surface_mm, self.normals)

    @cached_property
    def sample(self) -> NDArray[np.intp]:
        """(`SAMPLE_COUNT`,) indices of evenly spread surface points (farthest point first)."""
        points = self.surface_mm
        count = min(SAMPLE_COUNT, len(points))
        chosen = [int(np.argmin(points[:, 2]))]
        gap2 = ((points - points[chosen[0]]) ** 2).sum(axis=1)
        for _ in range(count - 1):
            chosen.append(int(np.argmax(gap2)))
            gap2 = np.minimum(gap2, ((points - points[chosen[-1]]) ** 2).sum(axis=1))
        return np.array(chosen)


def _largest_piece(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    labels, count = ndimage.label(inside)
    if count <= 1:
        return inside
    sizes = np.bincount(labels.ravel())[1:]
    piece: NDArray[np.bool_] = labels == 1 + int(np.argmax(sizes))
    return piece
