"""Slice planes in 3D, textured, through the crosshair; and the cuts made along them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from vtkmodules.util.numpy_support import numpy_to_vtk
from vtkmodules.vtkCommonCore import vtkPoints
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkImageData, vtkPlane, vtkPolyData
from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper, vtkRenderer, vtkTexture

from fusioninit.geometry import Orientation, PixelFrame, SlicePlane, Space, section_mm
from fusioninit.gui.scene_shapes import box_actor
from fusioninit.gui.scene_stage import SceneStage
from fusioninit.gui.scene_state import SceneState
from fusioninit.gui.slice_image import sampler_for
from fusioninit.gui.view_state import ViewState
from fusioninit.imaging.volume import Volume
from fusioninit.state import Case

PICTURE_PX = 192
"""Edge of a slice plane's texture."""
_KEPT = {Orientation.AXIAL: -1.0, Orientation.SAGITTAL: 1.0, Orientation.CORONAL: 1.0}
"""Which side of a plane a cut keeps, along the plane's normal: inferior, right and posterior, so
that the standard camera (anterior, left, above) looks onto the cut faces."""


class ScenePlanes:
    """The volume's edges, its slice planes, and the clipping planes at the crosshair."""

    def __init__(self, stage: SceneStage, state: SceneState, view_state: ViewState) -> None:
        self._stage, self._state, self._view_state = stage, state, view_state
        self.pictures = {o: SlicePicture(stage.renderer) for o in Orientation}
        self._cutters = {o: vtkPlane() for o in Orientation}
        self._cutting: set[Orientation] = set()
        self._box: tuple[Volume, vtkActor] | None = None

    def show(self, case: Case) -> None:
        """Bring planes and cuts in line with volume, crosshair and window."""
        space = self._stage.shown_space
        volume = case.volume(space)
        self._show_box(volume)
        for orientation, picture in self.pictures.items():
            if volume is None or not self._state.shows_plane(orientation):
                picture.hide()
                continue
            picture.show(
                volume,
                self._plane(orientation),
                window=self._view_state.window(space),
                colour_map=self._view_state.colour_map(space) if space is Space.US else "Grey",
            )
        self._cut()

    def _plane(self, orientation: Orientation) -> SlicePlane:
        """A plane as the slice views show it: through the crosshair, level or turned."""
        space = self._stage.shown_space
        triad = self._view_state.triad(space)
        return triad.plane(orientation, self._view_state.crosshair_mm(space))

    def forget(self) -> None:
        """Let go of the volume."""
        self._show_box(None)
        for picture in self.pictures.values():
            picture.hide()

    def _show_box(self, volume: Volume | None) -> None:
        if self._box is not None and self._box[0] is volume:
            return
        if self._box is not None:
            self._stage.renderer.RemoveActor(self._box[1])
            self._box = None
        if volume is not None:
            self._box = volume, box_actor(volume.grid)
            self._stage.renderer.AddActor(self._box[1])

    def _cut(self) -> None:
        """Only where a cut was switched are shaders built anew; else just a plane moves."""
        cuts, side = self._stage.cuts, -1.0 if self._state.flag("other_side") else 1.0
        for orientation, cutter in self._cutters.items():
            plane = self._plane(orientation)
            cutter.SetOrigin(*plane.origin_mm.tolist())
            cutter.SetNormal(*(side * _KEPT[orientation] * plane.normal).tolist())
            wanted = self._state.cuts_at(orientation)
            if wanted and orientation not in self._cutting:
                cuts.AddItem(cutter)
                self._cutting.add(orientation)
            elif not wanted and orientation in self._cutting:
                cuts.RemoveItem(cutter)
                self._cutting.remove(orientation)


class SlicePicture:
    """A slice of a volume as a textured polygon."""

    def __init__(self, renderer: vtkRenderer) -> None:
        self._section = vtkPolyData()
        self._texture = vtkTexture()
        self._texture.InterpolateOn()
        self._pixels: NDArray[np.uint8] | None = None
        self._key: object = None
        mapper = vtkPolyDataMapper()
        mapper.SetInputData(self._section)
        self.actor = vtkActor()
        self.actor.SetMapper(mapper)
        self.actor.SetTexture(self._texture)
        self.actor.GetProperty().LightingOff()
        self.actor.SetVisibility(False)
        renderer.AddActor(self.actor)

    def hide(self) -> None:
        """Show nothing, and hold no volume."""
        self._key = None
        self.actor.SetVisibility(False)

    def show(
        self,
        volume: Volume,
        plane: SlicePlane,
        *,
        window: tuple[float, float],
        colour_map: str,
    ) -> None:
        """The slice of `volume`, where it lies; cut anew only where it changed."""
        # any other point of the plane gives the same picture
        depth_mm = round(float(plane.distance_mm(volume.grid.center_mm)), 6)
        ways = plane.right.tobytes(), plane.down.tobytes()
        key = (volume, depth_mm, ways, window, colour_map)
        if key == self._key:
            return
        self._key = key
        section = section_mm(volume.grid, plane)
        self.actor.SetVisibility(len(section) > 0)
        if len(section) == 0:
            return
        low, high = section.min(axis=0), section.max(axis=0)
        mm_per_px = float((high - low).max()) / PICTURE_PX
        width, height = (max(1, round(float(span) / mm_per_px)) for span in high - low)
        frame = PixelFrame(plane, (width, height), mm_per_px, (low + high) / 2)
        sampler = sampler_for(volume)
        colours = sampler.colours(window, colour_map)[sampler.sample(frame).view(np.uint16)]
        self._place(plane.to_world(section), (section - low) / np.maximum(high - low, 1e-9))
        self._paint(colours)

    def _place(self, corners_mm: NDArray[np.float64], shares: NDArray[np.float64]) -> None:
        """(n, 3) corners of the section, and (n, 2) where they lie in the picture, 0 to 1."""
        points, cells = vtkPoints(), vtkCellArray()
        points.SetData(numpy_to_vtk(corners_mm, deep=True))
        cells.InsertNextCell(len(corners_mm), range(len(corners_mm)))
        self._section.SetPoints(points)
        self._section.SetPolys(cells)
        self._section.GetPointData().SetTCoords(numpy_to_vtk(shares.astype(np.float32), deep=True))

    def _paint(self, colours: NDArray[np.uint32]) -> None:
        height, width = colours.shape
        # 0xAARRGGBB in memory is B, G, R, A on the little-endian machines VTK and Qt run on.
        bgra = colours.view(np.uint8).reshape(-1, 4)
        self._pixels = np.ascontiguousarray(bgra[:, [2, 1, 0]])
        image = vtkImageData()
        image.SetDimensions(width, height, 1)
        image.GetPointData().SetScalars(numpy_to_vtk(self._pixels))
        self._texture.SetInputData(image)
