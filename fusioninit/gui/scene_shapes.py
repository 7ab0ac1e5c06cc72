"""Shapes of the 3D scene as VTK actors: spheres, cubes, lines, a volume's edges, a gland."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PySide6.QtGui import QColor
from vtkmodules.vtkCommonCore import vtkPoints
from vtkmodules.vtkCommonDataModel import vtkPolyData
from vtkmodules.vtkCommonTransforms import vtkTransform
from vtkmodules.vtkFiltersCore import vtkTubeFilter
from vtkmodules.vtkFiltersGeneral import vtkTransformFilter
from vtkmodules.vtkFiltersModeling import vtkOutlineFilter
from vtkmodules.vtkFiltersSources import (
    vtkCubeSource,
    vtkLineSource,
    vtkPlatonicSolidSource,
    vtkSphereSource,
)
from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper

from fusioninit.geometry import Grid, Space
from fusioninit.gui.gland_surface import gland_surface, grid_transform
from fusioninit.gui.theme import SPACE_COLOUR
from fusioninit.imaging.volume import Volume

MARK_MM = 2.2
"""Radius of a landmark's sphere; its cube's edge is 1.7 times that."""
DIAMOND_MM = 2.6
"""From the middle of a second network's diamond to its corners."""
BOX_COLOUR = QColor("#5b6773")


def mark_actor(space: Space) -> vtkActor:
    """A landmark about the origin: a sphere for US, a cube for MR."""
    if space is Space.US:
        return sphere_actor(MARK_MM, SPACE_COLOUR[space])
    source = vtkCubeSource()
    for edge in (source.SetXLength, source.SetYLength, source.SetZLength):
        edge(1.7 * MARK_MM)
    return _actor(source, SPACE_COLOUR[space])


def sphere_actor(radius_mm: float, colour: QColor, *, opacity: float = 1.0) -> vtkActor:
    """A sphere about the origin."""
    source = _sphere()
    source.SetRadius(radius_mm)
    actor = _actor(source, colour)
    actor.GetProperty().SetOpacity(opacity)
    return actor


def diamond_actor(space: Space) -> vtkActor:
    """The edges of an octahedron about the origin, never in the way of the pointer."""
    source = vtkPlatonicSolidSource()
    source.SetSolidTypeToOctahedron()  # its corners lie 1 from its middle
    actor = _actor(source, SPACE_COLOUR[space])
    actor.SetScale(DIAMOND_MM)
    actor.GetProperty().SetRepresentationToWireframe()
    _as_lines(actor)
    return actor


def thin_line_actor(ends: vtkLineSource, space: Space) -> vtkActor:
    """A line of constant width on the screen that follows its source."""
    actor = _actor(ends, SPACE_COLOUR[space])
    _as_lines(actor)
    return actor


def _as_lines(actor: vtkActor) -> None:
    actor.GetProperty().SetLineWidth(2.0)
    actor.GetProperty().LightingOff()
    actor.PickableOff()


def region_actor(region_from_unit_mm: NDArray[np.float64], colour: QColor) -> vtkActor:
    """An ellipsoid about the origin: the unit sphere's image under a (3, 3) matrix."""
    matrix = np.eye(4)
    matrix[:3, :3] = region_from_unit_mm
    shape = vtkTransform()
    shape.SetMatrix(matrix.ravel().tolist())
    source = _sphere()
    source.SetRadius(1.0)
    formed = vtkTransformFilter()
    formed.SetTransform(shape)
    formed.SetInputConnection(source.GetOutputPort())
    actor = _actor(formed, colour)
    as_halo(actor)
    return actor


def as_halo(actor: vtkActor) -> None:
    """See-through, without shading, and never in the way of the pointer."""
    actor.GetProperty().SetOpacity(0.16)
    actor.GetProperty().LightingOff()
    actor.PickableOff()


def line_actor(
    from_mm: ArrayLike, to_mm: ArrayLike, *, radius_mm: float, colour: QColor
) -> vtkActor:
    """A tube between two points."""
    line = vtkLineSource()
    line.SetPoint1(*np.asarray(from_mm, dtype=float).tolist())
    line.SetPoint2(*np.asarray(to_mm, dtype=float).tolist())
    tube = vtkTubeFilter()
    tube.SetInputConnection(line.GetOutputPort())
    tube.SetRadius(radius_mm)
    tube.SetNumberOfSides(10)
    tube.CappingOn()
    return _actor(tube, colour)


def box_actor(grid: Grid) -> vtkActor:
    """The outer edges of a volume."""
    cloud = vtkPolyData()
    points = vtkPoints()
    for corner in ((0, 0, 0), grid.size_xyz):
        points.InsertNextPoint(*corner)
    cloud.SetPoints(points)
    outline = vtkOutlineFilter()
    outline.SetInputData(cloud)
    moved = vtkTransformFilter()
    moved.SetTransform(grid_transform(grid, offset=-0.5))
    moved.SetInputConnection(outline.GetOutputPort())
    actor = _actor(moved, BOX_COLOUR)
    actor.GetProperty().LightingOff()
    return actor


def gland_actor(gland: Volume) -> vtkActor:
    """The smoothed surface of a gland mask, see-through, in its space's colour."""
    mapper = vtkPolyDataMapper()
    mapper.SetInputData(gland_surface(gland))
    mapper.ScalarVisibilityOff()
    actor = _coloured(mapper, SPACE_COLOUR[gland.space])
    actor.GetProperty().SetOpacity(0.35)
    return actor


def _sphere() -> vtkSphereSource:
    source = vtkSphereSource()
    source.SetThetaResolution(24)
    source.SetPhiResolution(16)
    return source


def _actor(source: Any, colour: QColor) -> vtkActor:
    mapper = vtkPolyDataMapper()
    mapper.SetInputConnection(source.GetOutputPort())
    mapper.ScalarVisibilityOff()
    return _coloured(mapper, colour)


def _coloured(mapper: vtkPolyDataMapper, colour: QColor) -> vtkActor:
    actor = vtkActor()
    actor.SetMapper(mapper)
    actor.GetProperty().SetColor(colour.redF(), colour.greenF(), colour.blueF())
    return actor
