"""The outline of a gland mask on a view's plane, as polygons for Qt to draw."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF
from PySide6.QtGui import QPolygonF
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonDataModel import vtkImageData
from vtkmodules.vtkFiltersCore import vtkFlyingEdges2D, vtkStripper
from vtkmodules.vtkImagingGeneral import vtkImageGaussianSmooth

from fusioninit.geometry import PixelFrame, RigidTransform
from fusioninit.gui.slice_image import sampler_for
from fusioninit.imaging.volume import Volume

_INSIDE = 1000
_COARSENESS_PX = 2.0
SMOOTH_MM = 1.0


class GlandOutline:
    """Cuts one gland mask; keeps the last outline and the mask's 16-bit copy."""

    def __init__(self) -> None:
        self._gland: Volume | None = None
        self._graded: Volume | None = None
        self._key: object = None
        self._polygons: list[QPolygonF] = []

    def polygons(
        self, gland: Volume, frame: PixelFrame, grid_from_plane: RigidTransform | None = None
    ) -> list[QPolygonF]:
        """Outlines in continuous pixel coordinates of `frame` (0 at its left and upper edge)."""
        matrix = b"" if grid_from_plane is None else grid_from_plane.matrix.tobytes()
        key = (id(gland), frame.size_px, frame.world_from_pixel.tobytes(), matrix)
        if key != self._key:
            self._key = key
            coarse = frame.finer(1 / _COARSENESS_PX)
            cut = sampler_for(self._grade(gland)).sample(coarse, grid_from_plane)
            scale = frame.size_px[0] / coarse.size_px[0], frame.size_px[1] / coarse.size_px[1]
            self._polygons = _contours(cut, scale)
        return self._polygons

    def _grade(self, gland: Volume) -> Volume:
        """The mask with 0 and `_INSIDE`, so that interpolated levels have room in between."""
        if self._graded is None or gland is not self._gland:
            self._gland, self._graded = gland, Volume(_soft(gland), gland.grid, gland.space)
        return self._graded


def _soft(gland: Volume) -> NDArray[np.int16]:
    """The mask as levels 0 to `_INSIDE`, smoothed by a voxel or so, so that no stairs show."""
    levels = (gland.voxels > 0.5).astype(np.float32) * _INSIDE
    image = vtkImageData()
    image.SetDimensions(*levels.shape[::-1])
    image.GetPointData().SetScalars(numpy_to_vtk(levels.reshape(-1)))
    smooth = vtkImageGaussianSmooth()
    smooth.SetInputData(image)
    smooth.SetStandardDeviations(*(SMOOTH_MM / gland.grid.spacing_mm))
    smooth.SetRadiusFactors(2.0, 2.0, 2.0)
    smooth.Update()
    flat = vtk_to_numpy(smooth.GetOutput().GetPointData().GetScalars())
    return flat.reshape(levels.shape).astype(np.int16)


def _contours(cut: NDArray[np.int16], scale: tuple[float, float]) -> list[QPolygonF]:
    height, width = cut.shape
    levels = np.ascontiguousarray(np.maximum(cut, 0)).reshape(-1)
    image = vtkImageData()
    image.SetDimensions(width, height, 1)
    image.GetPointData().SetScalars(numpy_to_vtk(levels))
    edges = vtkFlyingEdges2D()
    edges.SetInputData(image)
    edges.SetValue(0, _INSIDE / 2)
    strips = vtkStripper()
    strips.SetInputConnection(edges.GetOutputPort())
    strips.JoinContiguousSegmentsOn()
    strips.SetMaximumLength(100_000)
    strips.Update()
    lines = strips.GetOutput()
    if lines.GetNumberOfLines() == 0:
        return []
    points = (vtk_to_numpy(lines.GetPoints().GetData())[:, :2] + 0.5) * scale
    ends = vtk_to_numpy(lines.GetLines().GetOffsetsArray())
    order = vtk_to_numpy(lines.GetLines().GetConnectivityArray())
    return [
        QPolygonF([QPointF(x, y) for x, y in points[order[a:b]].tolist()])
        for a, b in pairwise(ends)
    ]
