"""The predicted error over the gland: colours on its surface, or a shell at the 95 % bound."""

from __future__ import annotations

from math import ceil, floor

import numpy as np
from numpy.typing import NDArray
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonDataModel import vtkPolyData
from vtkmodules.vtkFiltersCore import vtkPolyDataNormals
from vtkmodules.vtkFiltersGeneral import vtkWarpScalar
from vtkmodules.vtkRenderingCore import vtkActor, vtkColorTransferFunction, vtkPolyDataMapper

from fusioninit.geometry import Space
from fusioninit.gui.gland_surface import gland_surface
from fusioninit.gui.scene_stage import SceneStage
from fusioninit.gui.scene_state import ErrorLook, SceneState
from fusioninit.imaging.volume import Volume
from fusioninit.registration import LandmarkFit
from fusioninit.state import Case

ERROR_VOXELS = 26
"""Voxels per axis of the gland whose surface carries the error: it varies slowly, and is
predicted anew at every step of a drag."""
ERROR_PASS_BAND = 0.004
"""Without dents, a shell further out does not fold."""
STEP_MM = 2.0
"""The scale begins and ends at multiples of this: it does not change at every step of a drag."""
ERROR_STOPS = ("#2c3e8f", "#1f8f9a", "#8fcf5a", "#f6e04a", "#fff7d6")
"""From the smallest error to the largest; lighter is larger, so that it reads in grey too."""

SHELL_OPACITY = 0.3


class SceneError:
    """The gland's surface with the bound that 95 % of errors stay under at each of its points."""

    def __init__(self, stage: SceneStage, state: SceneState) -> None:
        self._stage, self._state = stage, state
        self._gland: Volume | None = None
        self._surface: vtkPolyData | None = None
        self._points_mm: NDArray[np.float64] = np.zeros((0, 3))
        self._upper_mm: NDArray[np.float64] = np.zeros(0)
        self._fit: object = None
        self._warp = vtkWarpScalar()
        self._colours = vtkColorTransferFunction()
        mapper = vtkPolyDataMapper()
        normals = vtkPolyDataNormals()
        normals.SplittingOff()
        normals.SetInputConnection(self._warp.GetOutputPort())
        mapper.SetInputConnection(normals.GetOutputPort())
        mapper.SetLookupTable(self._colours)
        mapper.UseLookupTableScalarRangeOn()
        self.actor = vtkActor()
        self.actor.SetMapper(mapper)
        self.actor.SetVisibility(False)
        self.actor.GetProperty().SetAmbient(0.45)
        self.actor.GetProperty().SetDiffuse(0.6)
        self.actor.PickableOff()
        stage.cut(self.actor)
        stage.renderer.AddActor(self.actor)
        self.range_mm = (0.0, 0.0)

    @property
    def is_shown(self) -> bool:
        """Whether there is something to show, and it is wanted."""
        return bool(self.actor.GetVisibility())

    @property
    def upper_mm(self) -> NDArray[np.float64]:
        """(N,) the bound at the points of the surface shown."""
        return self._upper_mm

    def show(self, case: Case) -> None:
        """Predict the error anew where the registration changed."""
        fit, gland = case.registration, case.mr_gland or case.us_gland
        look = self._state.error
        in_us = self._stage.shown_space is Space.US
        if look is ErrorLook.OFF or gland is None or not isinstance(fit, LandmarkFit) or not in_us:
            self.actor.SetVisibility(False)
            return
        if gland is not self._gland:
            self._take(gland)
        if self._surface is None:
            self.actor.SetVisibility(False)
            return
        if fit is not self._fit:
            self._predict(fit, gland.space)
        is_shell = look is ErrorLook.SHELL
        self._warp.SetScaleFactor(1.0 if is_shell else 0.0)
        self.actor.GetProperty().SetOpacity(SHELL_OPACITY if is_shell else 1.0)
        self.actor.SetVisibility(True)

    def forget(self) -> None:
        """Let go of the mask."""
        self._gland, self._surface, self._fit = None, None, None
        self._warp.SetInputData(vtkPolyData())
        self.actor.SetVisibility(False)

    def _take(self, gland: Volume) -> None:
        self.forget()
        self._gland = gland
        surface = vtkPolyData()  # the kept one stays without the error's scalars
        surface.ShallowCopy(gland_surface(gland, voxels=ERROR_VOXELS, pass_band=ERROR_PASS_BAND))
        if surface.GetNumberOfPoints() == 0:
            return
        self._surface = surface
        self._points_mm = vtk_to_numpy(surface.GetPoints().GetData()).astype(np.float64)
        self.actor.SetUserMatrix(None)
        self._stage.hang(self.actor, gland.space)

    def _predict(self, fit: LandmarkFit, space: Space) -> None:
        """The registration predicts at points of the MR."""
        assert self._surface is not None
        self._fit = fit
        points = self._points_mm
        if space is Space.US:
            points = fit.us_from_mr.inverse().apply(points)
        self._upper_mm = np.asarray(fit.predicted_error_mm(points).upper_mm)
        scalars = numpy_to_vtk(self._upper_mm.astype(np.float32), deep=True)
        self._surface.GetPointData().SetScalars(scalars)
        self._warp.SetInputData(self._surface)
        least, most = float(self._upper_mm.min()), float(self._upper_mm.max())
        self._scale(STEP_MM * floor(least / STEP_MM), STEP_MM * ceil(most / STEP_MM))

    def _scale(self, least_mm: float, most_mm: float) -> None:
        if (least_mm, most_mm) == self.range_mm:
            return
        self.range_mm = least_mm, most_mm
        self._colours.RemoveAllPoints()
        for number, colour in enumerate(ERROR_STOPS):
            red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
            at_mm = least_mm + (most_mm - least_mm) * number / (len(ERROR_STOPS) - 1)
            self._colours.AddRGBPoint(at_mm, red, green, blue)
