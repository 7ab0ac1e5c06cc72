"""The things a 3D scene is made of, each a VTK actor built from values of the case."""

from __future__ import annotations

from typing import Any

import numpy as np
import shiboken6
import vtkmodules.qt
import vtkmodules.vtkRenderingFreeType
import vtkmodules.vtkRenderingOpenGL2  # noqa: F401
from numpy.typing import NDArray
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidget
from vtkmodules.qt.QVTKRenderWindowInteractor import QVTKRenderWindowInteractor
from vtkmodules.util.numpy_support import numpy_to_vtk
from vtkmodules.vtkCommonCore import vtkPoints
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkImageData, vtkPolyData
from vtkmodules.vtkCommonTransforms import vtkTransform
from vtkmodules.vtkFiltersCore import (
    vtkFlyingEdges3D,
    vtkPolyDataNormals,
    vtkWindowedSincPolyDataFilter,
)
from vtkmodules.vtkFiltersGeneral import vtkTransformFilter
from vtkmodules.vtkFiltersModeling import vtkOutlineFilter
from vtkmodules.vtkFiltersSources import vtkCubeSource, vtkSphereSource
from vtkmodules.vtkInteractionStyle import vtkInteractorStyleTrackballCamera
from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper, vtkRenderer, vtkTexture

from fusioninit.geometry import Grid, Orientation, PixelFrame, Space, slice_plane
from fusioninit.gui.slice_image import sampler_for
from fusioninit.gui.theme import SPACE_COLOUR
from fusioninit.imaging.volume import Volume
from fusioninit.state import Target

MARK_MM = 2.2
"""Radius of a landmark's sphere, half edge of its cube."""
PICTURE_PX = 192
"""Edge of a slice plane's texture."""
SURFACE_VOXELS = 72
"""A gland is thinned to about so many voxels per axis before its surface is taken."""


def make_interactor(parent: QWidget, renderer: vtkRenderer, above: vtkRenderer) -> Any:
    """A Qt widget that shows `renderer`, and `above` in front of it from the same camera.

    What is in `above` (landmarks, targets) is never hidden behind a slice.
    """
    widget = QVTKRenderWindowInteractor(parent)
    renderer.SetBackground(0.03, 0.035, 0.045)
    renderer.SetBackground2(0.10, 0.12, 0.15)
    renderer.GradientBackgroundOn()
    window = widget.GetRenderWindow()
    window.SetMultiSamples(0)
    window.SetNumberOfLayers(2)
    window.AddRenderer(renderer)
    above.SetLayer(1)
    above.InteractiveOff()
    above.SetActiveCamera(renderer.GetActiveCamera())
    window.AddRenderer(above)
    widget.SetInteractorStyle(vtkInteractorStyleTrackballCamera())
    widget.Initialize()
    return widget


def close_interactor(widget: Any) -> None:
    """Give back OpenGL and VTK's own connection to the display.

    The widget refers to itself, so its interactor would outlive it: it is taken away by hand.
    """
    widget.close()
    widget.setParent(None)
    window, interactor = widget._RenderWindow, widget._Iren
    while window.GetRenderers().GetNumberOfItems():
        window.RemoveRenderer(window.GetRenderers().GetFirstRenderer())
    interactor.SetInteractorStyle(None)
    interactor.RemoveAllObservers()
    interactor.SetRenderWindow(None)
    window.SetInteractor(None)
    shiboken6.delete(widget)
    widget._RenderWindow = widget._Iren = None


class SlicePicture:
    """A slice of a volume as a textured rectangle."""

    def __init__(self, renderer: vtkRenderer) -> None:
        self._quad = vtkPolyData()
        cells = vtkCellArray()
        cells.InsertNextCell(4, (0, 1, 2, 3))
        self._quad.SetPolys(cells)
        corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], dtype=np.float32)
        self._corners = corners
        self._quad.GetPointData().SetTCoords(numpy_to_vtk(corners, deep=True))
        self._texture = vtkTexture()
        self._texture.InterpolateOn()
        self._pixels: NDArray[np.uint8] | None = None
        mapper = vtkPolyDataMapper()
        mapper.SetInputData(self._quad)
        self.actor = vtkActor()
        self.actor.SetMapper(mapper)
        self.actor.SetTexture(self._texture)
        self.actor.GetProperty().LightingOff()
        self.actor.SetVisibility(False)
        renderer.AddActor(self.actor)

    def hide(self) -> None:
        """Show nothing."""
        self.actor.SetVisibility(False)

    def show(
        self,
        volume: Volume,
        orientation: Orientation,
        through_mm: NDArray[np.float64],
        *,
        window: tuple[float, float],
    ) -> None:
        """The slice of `volume` through a point, where it lies."""
        base = slice_plane(orientation, volume.grid.center_mm)
        plane = base.moved(float(base.distance_mm(through_mm)))
        corners = plane.to_screen(volume.grid.corners_mm())
        low, high = corners.min(axis=0), corners.max(axis=0)
        mm_per_px = float((high - low).max()) / PICTURE_PX
        width, height = (max(1, round(float(span) / mm_per_px)) for span in high - low)
        frame = PixelFrame(plane, (width, height), mm_per_px, (low + high) / 2)
        sampler = sampler_for(volume)
        colours = sampler.colours(window, "Grey")[sampler.sample(frame).view(np.uint16)]
        self._place(frame)
        self._paint(colours)
        self.actor.SetVisibility(True)

    def _place(self, frame: PixelFrame) -> None:
        ends = self._corners * np.array(frame.size_px) - 0.5
        points = vtkPoints()
        points.SetData(numpy_to_vtk(frame.to_world(ends), deep=True))
        self._quad.SetPoints(points)

    def _paint(self, colours: NDArray[np.uint32]) -> None:
        height, width = colours.shape
        # 0xAARRGGBB in memory is B, G, R, A on the little-endian machines VTK and Qt run on.
        bgra = colours.view(np.uint8).reshape(-1, 4)
        self._pixels = np.ascontiguousarray(bgra[:, [2, 1, 0]])
        image = vtkImageData()
        image.SetDimensions(width, height, 1)
        image.GetPointData().SetScalars(numpy_to_vtk(self._pixels))
        self._texture.SetInputData(image)


def mark_actor(space: Space) -> vtkActor:
    """A landmark about the origin: a sphere for US, a cube for MR."""
    if space is Space.US:
        source: Any = vtkSphereSource()
        source.SetRadius(MARK_MM)
        source.SetThetaResolution(24)
        source.SetPhiResolution(16)
    else:
        source = vtkCubeSource()
        for edge in (source.SetXLength, source.SetYLength, source.SetZLength):
            edge(1.7 * MARK_MM)
    return _actor(source, SPACE_COLOUR[space])


def target_actor(target: Target) -> vtkActor:
    """A target of the MR as a sphere of its radius."""
    source = vtkSphereSource()
    source.SetCenter(*target.position_mr_mm)
    source.SetRadius(target.radius_mm)
    source.SetThetaResolution(24)
    source.SetPhiResolution(16)
    actor = _actor(source, QColor("#e75480"))
    actor.GetProperty().SetOpacity(0.75)
    return actor


def box_actor(grid: Grid) -> vtkActor:
    """The outer edges of a volume."""
    cloud = vtkPolyData()
    points = vtkPoints()
    for corner in ((0, 0, 0), grid.size_xyz):
        points.InsertNextPoint(*corner)
    cloud.SetPoints(points)
    outline = vtkOutlineFilter()
    outline.SetInputData(cloud)
    transform = _grid_transform(grid, offset=-0.5)
    moved = vtkTransformFilter()
    moved.SetTransform(transform)
    moved.SetInputConnection(outline.GetOutputPort())
    actor = _actor(moved, QColor("#5b6773"))
    actor.GetProperty().LightingOff()
    return actor


def gland_actor(gland: Volume) -> vtkActor:
    """The smoothed surface of a gland mask, see-through, in its space's colour."""
    step = [max(1, size // SURFACE_VOXELS) for size in gland.grid.shape]
    mask = gland.voxels[:: step[0], :: step[1], :: step[2]] > 0.5
    padded = np.pad(mask, 1).astype(np.uint8)
    image = vtkImageData()
    image.SetDimensions(*padded.shape[::-1])
    image.SetSpacing(*step[::-1])
    image.SetOrigin(*(-size for size in step[::-1]))
    image.GetPointData().SetScalars(numpy_to_vtk(padded.reshape(-1), deep=True))
    surface = vtkFlyingEdges3D()
    surface.SetInputData(image)
    surface.SetValue(0, 0.5)
    placed = vtkTransformFilter()
    placed.SetTransform(_grid_transform(gland.grid))
    placed.SetInputConnection(surface.GetOutputPort())
    smooth = vtkWindowedSincPolyDataFilter()
    smooth.SetInputConnection(placed.GetOutputPort())
    smooth.SetNumberOfIterations(25)
    smooth.SetPassBand(0.02)
    smooth.NormalizeCoordinatesOn()
    normals = vtkPolyDataNormals()
    normals.SetInputConnection(smooth.GetOutputPort())
    normals.SplittingOff()
    actor = _actor(normals, SPACE_COLOUR[gland.space])
    actor.GetProperty().SetOpacity(0.35)
    return actor


def look_from_front(renderer: vtkRenderer) -> None:
    """The camera anterior of the patient, a little from the left and above; superior is up."""
    camera = renderer.GetActiveCamera()
    camera.SetFocalPoint(0, 0, 0)
    camera.SetPosition(0.55, -1.0, 0.45)
    camera.SetViewUp(0, 0, 1)
    renderer.ResetCamera()
    camera.Zoom(1.35)
    renderer.ResetCameraClippingRange()


def _grid_transform(grid: Grid, *, offset: float = 0.0) -> vtkTransform:
    transform = vtkTransform()
    transform.SetMatrix(grid.world_from_index.ravel().tolist())
    transform.Translate(offset, offset, offset)
    return transform


def _actor(source: Any, colour: QColor) -> vtkActor:
    mapper = vtkPolyDataMapper()
    mapper.SetInputConnection(source.GetOutputPort())
    mapper.ScalarVisibilityOff()
    actor = vtkActor()
    actor.SetMapper(mapper)
    actor.GetProperty().SetColor(colour.redF(), colour.greenF(), colour.blueF())
    return actor
