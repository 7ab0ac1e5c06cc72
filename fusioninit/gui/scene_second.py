"""Where a second network has each landmark in 3D: a hollow diamond, joined to the landmark."""

from __future__ import annotations

from dataclasses import dataclass

from vtkmodules.vtkFiltersSources import vtkLineSource
from vtkmodules.vtkRenderingCore import vtkActor

from fusioninit.geometry import Space
from fusioninit.gui.scene_shapes import diamond_actor, thin_line_actor
from fusioninit.gui.scene_stage import SceneStage
from fusioninit.gui.view_state import ViewState
from fusioninit.landmarks import REQUIRED_NAMES, Landmark, LandmarkName
from fusioninit.state import Case


@dataclass(frozen=True)
class _Ghost:
    """What is drawn for one landmark of the second network."""

    diamond: vtkActor
    link: vtkActor
    ends: vtkLineSource


class SceneSecond:
    """The second network's landmarks of both images, under the switch that slices have too."""

    def __init__(self, stage: SceneStage, view_state: ViewState) -> None:
        self._stage, self._view_state = stage, view_state
        self._ghosts: dict[tuple[Space, LandmarkName], _Ghost] = {}

    def diamonds(self) -> dict[tuple[Space, LandmarkName], vtkActor]:
        """What draws the answers that are shown, by space and name."""
        shown = self._ghosts.items()
        return {key: ghost.diamond for key, ghost in shown if ghost.diamond.GetVisibility()}

    @property
    def is_shown(self) -> bool:
        """Whether any diamond is to be seen."""
        return bool(self.diamonds())

    def show(self, case: Case) -> None:
        """Bring diamonds and lines in line with the case and the switch."""
        for ghost in self._ghosts.values():
            ghost.diamond.SetVisibility(False)
            ghost.link.SetVisibility(False)
        if not self._view_state.flag("second"):
            return
        for space in (Space.US, Space.MR):
            for mark in case.second(space).landmarks:
                if self._is_wanted(space, mark.name):
                    self._show(space, mark, case.landmarks(space).get(mark.name))

    def _is_wanted(self, space: Space, name: LandmarkName) -> bool:
        wanted = name in REQUIRED_NAMES or self._view_state.flag("auxiliary")
        return wanted and self._stage.has_place_for(space)

    def _show(self, space: Space, mark: Landmark, own: Landmark | None) -> None:
        key = space, mark.name
        if key not in self._ghosts:
            self._ghosts[key] = self._make(space)
        ghost = self._ghosts[key]
        ghost.diamond.SetPosition(*mark.position_mm.tolist())
        ghost.diamond.SetVisibility(True)
        if own is not None:
            ghost.ends.SetPoint1(*own.position_mm.tolist())
            ghost.ends.SetPoint2(*mark.position_mm.tolist())
            ghost.link.SetVisibility(True)

    def _make(self, space: Space) -> _Ghost:
        ends = vtkLineSource()
        ghost = _Ghost(diamond_actor(space), thin_line_actor(ends, space), ends)
        for actor in (ghost.diamond, ghost.link):
            self._stage.hang(actor, space)
            self._stage.above.AddActor(actor)
        return ghost
