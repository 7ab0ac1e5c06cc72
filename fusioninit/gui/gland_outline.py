"""The outline of a gland mask on a view's plane, as polygons for Qt to draw."""

from __future__ import annotations

from itertools import pairwise
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF
from PySide6.QtGui import QPolygonF
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonDataModel import vtkImageData
from vtkmodules.vtkFiltersCore import vtkFlyingEdges2D, vtkStripper
from vtkmodules.vtkImagingGeneral import vtkImageGaussianSmooth

from fusioninit.geometry import Grid, PixelFrame, RigidTransform
from fusioninit.gui.slice_image import sampler_for
from fusioninit.imaging.volume import Volume

_INSIDE = 1000
_COARSENESS_PX = 5.0
"""Pixels between cuts of the mask: between them the line runs straight, off a round gland's by a
twentieth of a pixel."""
SMOOTH_MM = 1.0
COARSE_MM = 1.0
_RIM = 3


_graded_masks: WeakKeyDictionary[Volume, Volume] = WeakKeyDictionary()


class GlandOutline:
    """Cuts one gland mask, and keeps the last outline."""

    def __init__(self) -> None:
        self._contours = _Contours()
        self._key: object = None
        self._polygons: list[QPolygonF] = []

    def polygons(
        self, gland: Volume, frame: PixelFrame, grid_from_plane: RigidTransform | None = None
    ) -> list[QPolygonF]:
        """Outlines in continuous pixel coordinates of `frame` (0 at its left and upper edge)."""
        matrix = b"" if grid_from_plane is None else grid_from_plane.matrix.tobytes()
        key = (gland, frame.size_px, frame.world_from_pixel.tobytes(), matrix)
        if key != self._key:
            self._key = key
            coarse = frame.finer(1 / _COARSENESS_PX)
            cut = sampler_for(graded_mask(gland)).sample(coarse, grid_from_plane)
            self._polygons = self._contours.of(cut, frame.span_px(coarse))
        return self._polygons


def graded_mask(gland: Volume) -> Volume:
    """The gland's surroundings as levels 0 to `_INSIDE` on about `COARSE_MM`, smoothed a little.

    Interpolated levels have room in between there. Made once for each mask and kept with it; the
    first call is best made off the GUI thread.
    """
    graded = _graded_masks.get(gland)
    if graded is None:
        graded = _graded_masks[gland] = _grade(gland)
    return graded


def _grade(gland: Volume) -> Volume:
    grid = gland.grid
    step = np.maximum(1, np.rint(COARSE_MM / grid.spacing_mm[::-1])).astype(int)
    thin = np.asarray(gland.voxels[:: step[0], :: step[1], :: step[2]]) > 0.5
    start, stop = _bounds(thin)
    inside = tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
    levels = np.pad(thin[inside], _RIM).astype(np.float32) * _INSIDE
    place = Grid(
        levels.shape,
        grid.spacing_mm * step[::-1],
        grid.to_world(((start - _RIM) * step)[::-1]),
        grid.direction,
    )
    image = vtkImageData()
    image.SetDimensions(*levels.shape[::-1])
    image.GetPointData().SetScalars(numpy_to_vtk(levels.reshape(-1)))
    smooth = vtkImageGaussianSmooth()
    smooth.SetInputData(image)
    smooth.SetStandardDeviations(*(SMOOTH_MM / place.spacing_mm))
    smooth.SetRadiusFactors(2.0, 2.0, 2.0)
    smooth.Update()
    flat = vtk_to_numpy(smooth.GetOutput().GetPointData().GetScalars())
    return Volume(flat.reshape(levels.shape).astype(np.int16), place, gland.space)


def _bounds(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
    """First and one past the last index of true voxels, per axis; all of it where none is."""
    ends = []
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        hits = np.flatnonzero(mask.any(axis=others))
        ends.append((hits[0], hits[-1] + 1) if len(hits) else (0, mask.shape[axis]))
    start, stop = np.array(ends).T
    return start, stop


class _Contours:
    """The pipeline from a cut to lines, made once: making it costs more than running it."""

    def __init__(self) -> None:
        self._image = vtkImageData()
        self._edges = vtkFlyingEdges2D()
        self._edges.SetInputData(self._image)
        self._edges.SetValue(0, _INSIDE / 2)
        self._strips = vtkStripper()
        self._strips.SetInputConnection(self._edges.GetOutputPort())
        self._strips.JoinContiguousSegmentsOn()
        self._strips.SetMaximumLength(100_000)

    def of(
        self, cut: NDArray[np.int16], span_px: tuple[float, float, float, float]
    ) -> list[QPolygonF]:
        """The lines at half of `_INSIDE`, on the rectangle (left, top, width, height)."""
        height, width = cut.shape
        levels = np.maximum(cut, 0)
        if levels.max() < _INSIDE / 2:
            return []
        self._image.SetDimensions(width, height, 1)
        self._image.GetPointData().SetScalars(numpy_to_vtk(levels.reshape(-1)))
        self._image.Modified()
        self._strips.Update()
        lines = self._strips.GetOutput()
        if lines.GetNumberOfLines() == 0:
            return []
        left, top, across, down = span_px
        scale = across / width, down / height
        points = (vtk_to_numpy(lines.GetPoints().GetData())[:, :2] + 0.5) * scale + (left, top)
        ends = vtk_to_numpy(lines.GetLines().GetOffsetsArray())
        order = vtk_to_numpy(lines.GetLines().GetConnectivityArray())
        return [
            QPolygonF([QPointF(x, y) for x, y in points[order[a:b]].tolist()])
            for a, b in pairwise(ends.tolist())
        ]
