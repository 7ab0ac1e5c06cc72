"""Planned cores in 3D: a thin needle from entry to tip, thick where tissue is taken."""

from __future__ import annotations

from vtkmodules.vtkRenderingCore import vtkActor

from fusioninit.geometry import Space
from fusioninit.gui.scene_shapes import line_actor
from fusioninit.gui.scene_stage import SceneStage
from fusioninit.gui.scene_state import SceneState
from fusioninit.gui.slice_cores import CORE_COLOUR
from fusioninit.state import Case, Core

NEEDLE_MM, SAMPLE_MM = 0.35, 0.9
"""Radii: an 18-gauge needle has 0.6, drawn thinner before the sample and thicker in it."""


class SceneCores:
    """Two tubes for each core of the plan, in the US frame."""

    def __init__(self, stage: SceneStage, state: SceneState) -> None:
        self._stage, self._state = stage, state
        self._cores: tuple[Core, ...] = ()
        self.actors: list[vtkActor] = []

    def show(self, case: Case) -> None:
        """Bring needles in line with the plan."""
        if case.cores is not self._cores:
            self._build(case.cores)
        for actor in self.actors:
            wanted = self._state.flag("cores") and self._stage.has_place_for(Space.US)
            actor.SetVisibility(wanted)

    def _build(self, cores: tuple[Core, ...]) -> None:
        for actor in self.actors:
            self._stage.above.RemoveActor(actor)
        self._cores, self.actors = cores, []
        for core in cores:
            colour = CORE_COLOUR[core.kind]
            sample = core.sample_start_us_mm
            self.actors += [
                line_actor(core.entry_us_mm, core.tip_us_mm, radius_mm=NEEDLE_MM, colour=colour),
                line_actor(sample, core.tip_us_mm, radius_mm=SAMPLE_MM, colour=colour),
            ]
        for actor in self.actors:
            actor.PickableOff()
            self._stage.above.AddActor(actor)
