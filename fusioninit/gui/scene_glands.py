"""The surfaces of both glands in 3D."""

from __future__ import annotations

from vtkmodules.vtkRenderingCore import vtkActor

from fusioninit.geometry import Space
from fusioninit.gui.scene_shapes import gland_actor
from fusioninit.gui.scene_stage import SceneStage
from fusioninit.gui.scene_state import Body, ErrorLook, SceneState
from fusioninit.imaging.volume import Volume
from fusioninit.registration import LandmarkFit
from fusioninit.state import Case


class SceneGlands:
    """One see-through surface for each gland mask."""

    def __init__(self, stage: SceneStage, state: SceneState) -> None:
        self._stage, self._state = stage, state
        self._known: dict[Space, tuple[Volume, vtkActor]] = {}

    def actor(self, space: Space) -> vtkActor | None:
        """The surface of a space's gland, where there is one."""
        known = self._known.get(space)
        return None if known is None else known[1]

    def show(self, case: Case) -> None:
        """Bring surfaces in line with the case's masks; an unchanged one is kept."""
        for space in (Space.US, Space.MR):
            gland = case.gland(space)
            known = self._known.get(space)
            if known is not None and known[0] is not gland:
                self._drop(space)
            if self._state.body(space) is Body.SURFACE and gland is not None:
                self._add(space, gland)
            actor = self.actor(space)
            if actor is not None:
                wanted = self._state.body(space) is Body.SURFACE and not self._is_painted_over(case)
                actor.SetVisibility(wanted and self._stage.has_place_for(space))

    def _is_painted_over(self, case: Case) -> bool:
        """A see-through surface over the colours of the error would falsify them."""
        is_solved = isinstance(case.registration, LandmarkFit)
        in_us = self._stage.shown_space is Space.US
        return self._state.error is ErrorLook.COLOURS and is_solved and in_us

    def forget(self) -> None:
        """Let go of the masks."""
        for space in list(self._known):
            self._drop(space)

    def _add(self, space: Space, gland: Volume) -> None:
        if space in self._known:
            return
        actor = self._stage.cut(gland_actor(gland))
        self._stage.hang(actor, space)
        self._stage.renderer.AddActor(actor)
        self._known[space] = gland, actor

    def _drop(self, space: Space) -> None:
        self._stage.renderer.RemoveActor(self._known.pop(space)[1])
