"""Slice planes: the flat pixel frame in which a view shows a volume, and its orientation letters.

Display is radiological: the patient's right is on the left of the screen in axial and coronal
views, anterior is on the left in sagittal ones, and superior is up.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from math import ceil

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fusioninit.geometry.grids import Grid
from fusioninit.geometry.transforms import RigidTransform

FloatArray = NDArray[np.float64]


class Orientation(StrEnum):
    """The three orthogonal views."""

    AXIAL = "axial"
    SAGITTAL = "sagittal"
    CORONAL = "coronal"


# screen-right and screen-down, in LPS
_AXES: dict[Orientation, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    Orientation.AXIAL: ((1, 0, 0), (0, 1, 0)),
    Orientation.SAGITTAL: ((0, 1, 0), (0, 0, -1)),
    Orientation.CORONAL: ((1, 0, 0), (0, 0, -1)),
}

# pairs of corners of a box, as `Grid.corners_mm` orders them, that differ along one axis
_EDGES = [(low, low | bit) for bit in (1, 2, 4) for low in range(8) if not low & bit]


@dataclass(frozen=True)
class SlicePlane:
    """A plane in a patient frame with screen axes.

    Parameters
    ----------
    origin_mm : (3,) array
        A world point on the plane, at screen coordinates (0, 0).
    right, down : (3,) arrays
        Orthogonal unit world directions of screen right and screen down.
    """

    origin_mm: FloatArray = field(repr=False)
    right: FloatArray
    down: FloatArray

    @cached_property
    def normal(self) -> FloatArray:
        """(3,) unit normal, right x down: points away from the viewer."""
        return np.cross(self.right, self.down).astype(np.float64)

    def to_world(self, screen_mm: ArrayLike) -> FloatArray:
        """World points of `(..., 2)` screen coordinates (right, down) in mm."""
        screen = np.asarray(screen_mm, dtype=np.float64)
        return self.origin_mm + screen[..., :1] * self.right + screen[..., 1:2] * self.down

    def to_screen(self, points_mm: ArrayLike) -> FloatArray:
        """`(..., 2)` screen coordinates (right, down) in mm of world points, projected."""
        offset = np.asarray(points_mm, dtype=np.float64) - self.origin_mm
        return np.stack([offset @ self.right, offset @ self.down], axis=-1)

    def distance_mm(self, points_mm: ArrayLike) -> FloatArray:
        """Signed distance of `(..., 3)` world points along the normal."""
        return (np.asarray(points_mm, dtype=np.float64) - self.origin_mm) @ self.normal

    def moved(self, distance_mm: float) -> SlicePlane:
        """The parallel plane `distance_mm` further along the normal."""
        return SlicePlane(self.origin_mm + distance_mm * self.normal, self.right, self.down)


@dataclass(frozen=True)
class PixelFrame:
    """The pixels through which a view sees a plane. Pixel (0, 0) is the upper left one's CENTRE.

    Parameters
    ----------
    plane : SlicePlane
    size_px : (width, height)
    mm_per_px : float
    center_mm : (2,) array
        Screen coordinates (right, down) of the plane shown in the middle of the picture.
    """

    plane: SlicePlane
    size_px: tuple[int, int]
    mm_per_px: float
    center_mm: FloatArray = field(default_factory=lambda: np.zeros(2))

    @cached_property
    def _corner_mm(self) -> FloatArray:
        half: FloatArray = (np.array(self.size_px) - 1) / 2 * self.mm_per_px
        return self.center_mm - half

    @cached_property
    def world_from_pixel(self) -> FloatArray:
        """(4, 4) from homogeneous (column, row, 0) to LPS mm."""
        matrix = np.eye(4)
        matrix[:3, 0] = self.plane.right * self.mm_per_px
        matrix[:3, 1] = self.plane.down * self.mm_per_px
        matrix[:3, 2] = self.plane.normal * self.mm_per_px
        matrix[:3, 3] = self.plane.to_world(self._corner_mm)
        return matrix

    def to_pixel(self, points_mm: ArrayLike) -> FloatArray:
        """`(..., 2)` column and row of `(..., 3)` world points, projected onto the plane."""
        pixel: FloatArray = (self.plane.to_screen(points_mm) - self._corner_mm) / self.mm_per_px
        return pixel

    def to_world(self, pixels: ArrayLike) -> FloatArray:
        """`(..., 3)` world points of `(..., 2)` columns and rows, on the plane."""
        return self.plane.to_world(
            np.asarray(pixels, dtype=np.float64) * self.mm_per_px + self._corner_mm
        )

    def finer(self, factor: float) -> PixelFrame:
        """The same picture with `factor` times as many pixels each way, about the same centre.

        Above 1 for a HiDPI screen, below 1 to sample no finer than the voxels. Rounded up, so
        that it covers the picture; `span_px` says where its pixels lie.
        """
        width, height = (max(1, ceil(size * factor - 1e-9)) for size in self.size_px)
        return PixelFrame(self.plane, (width, height), self.mm_per_px / factor, self.center_mm)

    def span_px(self, other: PixelFrame) -> tuple[float, float, float, float]:
        """(left, top, width, height) of `other`, made by `finer`, in pixels of this picture.

        Counted from the upper left corner of the upper left pixel, not from its centre.
        """
        scale = other.mm_per_px / self.mm_per_px
        width, height = (size * scale for size in other.size_px)
        return (self.size_px[0] - width) / 2, (self.size_px[1] - height) / 2, width, height


def index_from_pixel(
    grid: Grid, frame: PixelFrame, grid_from_plane: RigidTransform | None = None
) -> FloatArray:
    """(4, 4) from (column, row, 0) of a view to the voxel index (i, j, k) of a grid.

    `grid_from_plane` takes points of the plane's space to the grid's; None where they are one.
    """
    world = frame.world_from_pixel
    if grid_from_plane is not None:
        world = grid_from_plane.matrix @ world
    matrix: FloatArray = grid.index_from_world @ world
    return matrix


def section_mm(grid: Grid, plane: SlicePlane) -> FloatArray:
    """(n, 2) screen coordinates (right, down) of the polygon in which a plane cuts a volume's box.

    In order round it, n from 3 to 6; n is 0 where the plane misses the box.
    """
    corners = grid.corners_mm()
    off = plane.distance_mm(corners)
    begin, end = (np.array(index) for index in zip(*_EDGES, strict=True))
    cut = (off[begin] < 0) != (off[end] < 0)
    begin, end = begin[cut], end[cut]
    share = (off[begin] / (off[begin] - off[end]))[:, None]
    points: FloatArray = plane.to_screen(corners[begin] + share * (corners[end] - corners[begin]))
    if len(points) == 0:
        return points
    across, down = (points - points.mean(axis=0)).T
    return points[np.argsort(np.arctan2(down, across))]


def slice_plane(
    orientation: Orientation, through_mm: ArrayLike, *, rotation: ArrayLike | None = None
) -> SlicePlane:
    """The view plane of `orientation` through a world point.

    `rotation` (3, 3) turns the anatomical axes first, for oblique views (its columns are where
    L, P and S go).
    """
    turn = np.eye(3) if rotation is None else np.asarray(rotation, dtype=np.float64)
    right, down = (turn @ np.asarray(axis, dtype=np.float64) for axis in _AXES[orientation])
    return SlicePlane(np.asarray(through_mm, dtype=np.float64), right, down)


def orientation_letters(direction: ArrayLike, *, obliquity_cosine: float = 0.35) -> str:
    """Letters of the patient directions a world direction (3,) points to, strongest first.

    >>> orientation_letters([1, 0, 0]), orientation_letters([0, -0.9, 0.43])
    ('L', 'AS')
    """
    vector = np.asarray(direction, dtype=np.float64)
    vector = vector / np.linalg.norm(vector)
    order = np.argsort(-np.abs(vector), kind="stable")
    pairs = ("RL", "AP", "IS")
    return "".join(
        pairs[axis][int(vector[axis] > 0)] for axis in order if abs(vector[axis]) > obliquity_cosine
    )
