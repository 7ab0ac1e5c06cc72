"""The surface of a gland mask for the 3D view, taken once for each mask and on any thread."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np
from vtkmodules.util.numpy_support import numpy_to_vtk
from vtkmodules.vtkCommonDataModel import vtkImageData, vtkPolyData
from vtkmodules.vtkCommonTransforms import vtkTransform
from vtkmodules.vtkFiltersCore import (
    vtkFlyingEdges3D,
    vtkPolyDataNormals,
    vtkQuadricDecimation,
    vtkWindowedSincPolyDataFilter,
)
from vtkmodules.vtkFiltersGeneral import vtkTransformFilter

from fusioninit.geometry import Grid
from fusioninit.imaging.volume import Volume

SURFACE_VOXELS = 72
"""A gland is thinned to about so many voxels per axis before its surface is taken."""
MOST_TRIANGLES = 6000
"""A smooth gland needs no more; on the processor a picture of two is drawn 3 to 10 ms sooner."""

_surfaces: WeakKeyDictionary[Volume, dict[tuple[int, float], vtkPolyData]] = WeakKeyDictionary()


def gland_surface(
    gland: Volume, *, voxels: int = SURFACE_VOXELS, pass_band: float = 0.02
) -> vtkPolyData:
    """The smoothed surface of a gland mask with normals, LPS mm of its space; kept with the mask.

    A lower `pass_band` (share of the mesh's own finest detail that is kept) smooths more. The
    first call takes a tenth of a second or two; make it off the GUI thread.
    """
    known = _surfaces.setdefault(gland, {})
    if (voxels, pass_band) not in known:
        known[voxels, pass_band] = _extract(gland, voxels, pass_band)
    return known[voxels, pass_band]


def _extract(gland: Volume, voxels: int, pass_band: float) -> vtkPolyData:
    step = [max(1, size // voxels) for size in gland.grid.shape]
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
    placed.SetTransform(grid_transform(gland.grid))
    placed.SetInputConnection(surface.GetOutputPort())
    smooth = vtkWindowedSincPolyDataFilter()
    smooth.SetInputConnection(placed.GetOutputPort())
    smooth.SetNumberOfIterations(40)
    smooth.SetPassBand(pass_band)
    smooth.NormalizeCoordinatesOn()
    smooth.Update()
    triangles = smooth.GetOutput().GetNumberOfPolys()
    thinned = vtkQuadricDecimation()
    thinned.SetInputConnection(smooth.GetOutputPort())
    thinned.SetTargetReduction(max(0.0, 1.0 - MOST_TRIANGLES / max(triangles, 1)))
    thinned.VolumePreservationOn()
    normals = vtkPolyDataNormals()
    normals.SetInputConnection((thinned if triangles > MOST_TRIANGLES else smooth).GetOutputPort())
    normals.SplittingOff()
    normals.AutoOrientNormalsOn()
    normals.Update()
    return normals.GetOutput()


def grid_transform(grid: Grid, *, offset: float = 0.0) -> vtkTransform:
    """From indices of a grid to LPS mm, after a shift by `offset` voxels."""
    transform = vtkTransform()
    transform.SetMatrix(grid.world_from_index.ravel().tolist())
    transform.Translate(offset, offset, offset)
    return transform
