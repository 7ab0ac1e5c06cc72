"""Volume rendering of US and MR: on the graphics card, or coarsely on the processor without one.

The voxels are copied once, on a coarse grid, when a volume is first shown so. Window and colours
are transfer functions, and the MR moves by its matrix: neither touches the voxels again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import vtkmodules.vtkRenderingVolumeOpenGL2  # noqa: F401
from numpy.typing import NDArray
from vtkmodules.util.numpy_support import numpy_to_vtk
from vtkmodules.vtkCommonDataModel import vtkImageData, vtkPiecewiseFunction
from vtkmodules.vtkCommonTransforms import vtkMatrixToLinearTransform, vtkTransform
from vtkmodules.vtkRenderingCore import vtkColorTransferFunction, vtkVolume
from vtkmodules.vtkRenderingVolume import vtkFixedPointVolumeRayCastMapper
from vtkmodules.vtkRenderingVolumeOpenGL2 import vtkOpenGLGPUVolumeRayCastMapper

from fusioninit.geometry import Grid, Space
from fusioninit.gui.colour_maps import argb_table
from fusioninit.gui.scene_stage import SceneStage
from fusioninit.gui.scene_state import Body, SceneState
from fusioninit.gui.view_state import ViewState
from fusioninit.imaging.volume import Volume
from fusioninit.landmarks import LandmarkSet
from fusioninit.state import Case

EDGE_VOXELS = {True: 96, False: 256}
"""Most voxels along an edge, by whether the processor draws: a ray costs what it passes."""
RAY_PX = {True: 4.0, False: 1.5}
"""Pixels between rays of the processor, by whether something moves."""
LEVELS = 1023
MARGIN_MM = 10.0
"""Of the box round the gland."""
CLEAR_BELOW = 0.25
"""Share of the window that stays transparent."""
DENSEST = {Space.US: 0.30, Space.MR: 0.26}
"""Opacity of 2 mm of the brightest tissue."""
FLAT, STEEP = 0.015, 0.12
"""Changes from voxel to voxel, as shares of the levels, drawn not at all and fully: what is
uniform would hide the borders in it."""


@dataclass(frozen=True, eq=False)
class Block:
    """A coarse copy of a part of a volume, as levels 0 to `LEVELS` of (low, high)."""

    levels: NDArray[np.uint16]
    grid: Grid
    low: float
    high: float

    @classmethod
    def of(cls, volume: Volume, around_mm: NDArray[np.float64] | None, *, most: int) -> Block:
        """The part of `volume` round points of its space (None: all), at most `most` an edge."""
        start, stop = np.zeros(3, dtype=int), np.array(volume.grid.shape)
        if around_mm is not None:
            margin = MARGIN_MM / volume.grid.spacing_mm[::-1]
            index = volume.grid.to_index(around_mm)[:, ::-1]
            start = np.clip(np.floor(index.min(axis=0) - margin).astype(int), 0, stop - 2)
            stop = np.clip(np.ceil(index.max(axis=0) + margin).astype(int), start + 2, stop)
        step = np.maximum(1, np.ceil((stop - start) / most).astype(int))
        part = volume.voxels[tuple(map(slice, start, stop, step))].astype(np.float32)
        low, high = float(part.min()), float(part.max())
        scale = np.float32(LEVELS / max(high - low, 1e-9))
        grid = Grid(
            part.shape,
            volume.grid.spacing_mm * step[::-1],
            volume.grid.to_world(start[::-1]),
            volume.grid.direction,
        )
        return cls(((part - np.float32(low)) * scale).round().astype(np.uint16), grid, low, high)

    def level(self, value: float) -> float:
        """The level of an intensity."""
        return (value - self.low) * LEVELS / max(self.high - self.low, 1e-9)


class VolumeProp:
    """One block as a VTK volume."""

    def __init__(self, block: Block, stage: SceneStage, space: Space) -> None:
        self._block, self._space = block, space
        image = vtkImageData()
        image.SetDimensions(*block.levels.shape[::-1])
        # vtk keeps a pointer into this array: it must live as long as the image.
        self._levels = np.ascontiguousarray(block.levels).reshape(-1)
        image.GetPointData().SetScalars(numpy_to_vtk(self._levels))
        self._is_software = stage.is_software
        self._mapper = _mapper(image, is_software=stage.is_software)
        self._mapper.SetClippingPlanes(stage.cuts)
        self.prop = vtkVolume()
        self.prop.SetMapper(self._mapper)
        self.prop.PickableOff()
        self._placed = vtkTransform()
        if space is Space.MR:
            hung = vtkMatrixToLinearTransform()
            hung.SetInput(stage.us_from_mr)
            self._placed.Concatenate(hung)
        self._placed.Concatenate(block.grid.world_from_index.ravel().tolist())
        self.prop.SetUserTransform(self._placed)
        self._colour = vtkColorTransferFunction()
        self._opacity, self._edges = vtkPiecewiseFunction(), vtkPiecewiseFunction()
        looks = self.prop.GetProperty()
        looks.SetColor(self._colour)
        looks.SetScalarOpacity(self._opacity)
        looks.SetGradientOpacity(self._edges)
        looks.SetInterpolationTypeToLinear()
        # In voxels: the image has none of its own spacing, the transform gives it.
        looks.SetScalarOpacityUnitDistance(2.0 / float(block.grid.spacing_mm.min()))

    def show_window(self, window: tuple[float, float], colour_map: str) -> None:
        """Transfer functions from a display window."""
        low, high = (self._block.level(edge) for edge in window)
        table = argb_table(colour_map)
        self._colour.RemoveAllPoints()
        for share in np.linspace(0, 1, 9).tolist():
            argb = int(table[round(share * 255)])
            red, green, blue = ((argb >> shift & 255) / 255 for shift in (16, 8, 0))
            self._colour.AddRGBPoint(low + share * (high - low), red, green, blue)
        self._opacity.RemoveAllPoints()
        self._opacity.AddPoint(low + CLEAR_BELOW * (high - low), 0.0)
        self._opacity.AddPoint(high, DENSEST[self._space])
        self._edges.RemoveAllPoints()
        self._edges.AddPoint(FLAT * LEVELS, 0.0)
        self._edges.AddPoint(STEEP * LEVELS, 1.0)

    def set_moving(self, *, moving: bool) -> None:
        """Fewer rays while something moves, where the processor casts them."""
        if self._is_software:
            self._mapper.SetImageSampleDistance(RAY_PX[moving])


class SceneVolumes:
    """What is rendered as a volume, US and MR each."""

    def __init__(self, stage: SceneStage, state: SceneState, view_state: ViewState) -> None:
        self._stage, self._state, self._view_state = stage, state, view_state
        self._known: dict[Space, tuple[tuple[object, ...], VolumeProp]] = {}

    def shown(self) -> list[Space]:
        """The images rendered as volumes at this moment."""
        return [space for space, (_, made) in self._known.items() if made.prop.GetVisibility()]

    def prop(self, space: Space) -> vtkVolume | None:
        """What VTK renders for a space."""
        known = self._known.get(space)
        return None if known is None else known[1].prop

    def show(self, case: Case) -> None:
        """Bring volumes in line with the case; voxels are copied anew only for other voxels."""
        for space in (Space.US, Space.MR):
            volume = case.volume(space)
            wanted = self._state.body(space) is Body.VOLUME and volume is not None
            key = (volume, case.gland(space), self._state.flag("box"))
            if space in self._known and (not wanted or self._known[space][0] != key):
                self._drop(space)
            if not wanted or volume is None:
                continue
            if space not in self._known:
                self._add(space, key, self._block(case, space, volume))
            made = self._known[space][1]
            made.show_window(self._view_state.window(space), self._view_state.colour_map(space))
            made.prop.SetVisibility(self._stage.has_place_for(space))

    def set_moving(self, *, moving: bool) -> None:
        """Fewer rays while something moves."""
        for _, made in self._known.values():
            made.set_moving(moving=moving)

    def forget(self) -> None:
        """Let go of all voxels."""
        for space in list(self._known):
            self._drop(space)

    def _block(self, case: Case, space: Space, volume: Volume) -> Block:
        around_mm = None
        if self._state.flag("box"):
            around_mm = _gland_points_mm(case.gland(space), case.landmarks(space))
        return Block.of(volume, around_mm, most=EDGE_VOXELS[self._stage.is_software])

    def _add(self, space: Space, key: tuple[object, ...], block: Block) -> None:
        made = VolumeProp(block, self._stage, space)
        self._stage.renderer.AddVolume(made.prop)
        self._known[space] = key, made

    def _drop(self, space: Space) -> None:
        self._stage.renderer.RemoveVolume(self._known.pop(space)[1].prop)


def _gland_points_mm(gland: Volume | None, landmarks: LandmarkSet) -> NDArray[np.float64] | None:
    """Points whose box holds the gland: of its mask, else its landmarks; None without either."""
    if gland is not None:
        index = np.argwhere(gland.voxels[::2, ::2, ::2] > 0.5)[:, ::-1] * 2
        if len(index):
            return gland.grid.to_world(index)
    if len(landmarks.landmarks) >= 2:
        return np.array([mark.position_mm for mark in landmarks.landmarks])
    return None


def _mapper(
    image: vtkImageData, *, is_software: bool
) -> vtkFixedPointVolumeRayCastMapper | vtkOpenGLGPUVolumeRayCastMapper:
    if not is_software:
        gpu = vtkOpenGLGPUVolumeRayCastMapper()
        gpu.SetInputData(image)
        return gpu
    rays = vtkFixedPointVolumeRayCastMapper()
    rays.SetInputData(image)
    rays.AutoAdjustSampleDistancesOff()
    rays.SetImageSampleDistance(RAY_PX[False])
    rays.SetSampleDistance(1.0)
    rays.SetInteractiveSampleDistance(1.0)
    return rays
