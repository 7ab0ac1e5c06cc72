"""Landmarks of both images in 3D, each with the region that holds it with probability 0.95."""

from __future__ import annotations

from vtkmodules.vtkRenderingCore import vtkActor

from fusioninit.geometry import Space
from fusioninit.gui.scene_shapes import mark_actor, region_actor
from fusioninit.gui.scene_stage import SceneStage
from fusioninit.gui.scene_state import SceneState
from fusioninit.gui.theme import SPACE_COLOUR
from fusioninit.gui.view_state import ViewState
from fusioninit.landmarks import REQUIRED_NAMES, Landmark, LandmarkName
from fusioninit.state import Case

_SELECTED_SCALE = 1.35


class SceneMarks:
    """A sphere for each US landmark, a cube for each of MR; the selected one is larger."""

    def __init__(self, stage: SceneStage, state: SceneState, view_state: ViewState) -> None:
        self._stage, self._state, self._view_state = stage, state, view_state
        self._marks: dict[Space, dict[LandmarkName, vtkActor]] = {Space.US: {}, Space.MR: {}}
        self._regions: dict[tuple[Space, LandmarkName], tuple[bytes, vtkActor]] = {}

    def actors(self, space: Space) -> dict[LandmarkName, vtkActor]:
        """What draws the landmarks of `space`, by name."""
        return dict(self._marks[space])

    def region_actors(self) -> list[vtkActor]:
        """The ellipsoids of the landmarks whose regions were asked for."""
        return [actor for _, actor in self._regions.values()]

    def show(self, case: Case) -> None:
        """Bring spheres, cubes and ellipsoids in line with the case."""
        for space, known in self._marks.items():
            marks = case.landmarks(space)
            for name in [name for name in known if name not in marks]:
                self._stage.above.RemoveActor(known.pop(name))
                self._drop_region((space, name))
            for mark in marks.landmarks:
                self._show_mark(space, mark)
                self._show_region(space, mark)

    def is_shown(self, space: Space, name: LandmarkName) -> bool:
        """Whether a landmark is to be seen (auxiliary points only where asked for)."""
        wanted = name in REQUIRED_NAMES or self._view_state.flag("auxiliary")
        return wanted and self._stage.has_place_for(space)

    def _show_mark(self, space: Space, mark: Landmark) -> None:
        known = self._marks[space]
        if mark.name not in known:
            actor = known[mark.name] = mark_actor(space)
            self._stage.hang(actor, space)
            self._stage.above.AddActor(actor)
        selected = self._view_state.selection == (space, mark.name)
        known[mark.name].SetScale(_SELECTED_SCALE if selected else 1.0)
        known[mark.name].SetPosition(*mark.position_mm.tolist())
        known[mark.name].SetVisibility(self.is_shown(space, mark.name))

    def _show_region(self, space: Space, mark: Landmark) -> None:
        key = space, mark.name
        if not self._state.flag("regions"):
            self._drop_region(key)
            return
        shape = mark.covariance_mm2.tobytes()
        if key in self._regions and self._regions[key][0] != shape:
            self._drop_region(key)
        if key not in self._regions:
            actor = region_actor(mark.region_from_unit_mm(), SPACE_COLOUR[space])
            self._stage.hang(actor, space)
            self._stage.above.AddActor(actor)
            self._regions[key] = shape, actor
        actor = self._regions[key][1]
        actor.SetPosition(*mark.position_mm.tolist())
        actor.SetVisibility(self.is_shown(space, mark.name))

    def _drop_region(self, key: tuple[Space, LandmarkName]) -> None:
        if key in self._regions:
            self._stage.above.RemoveActor(self._regions.pop(key)[1])
