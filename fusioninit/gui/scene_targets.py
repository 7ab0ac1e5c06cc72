"""Targets in 3D, each with the halo that 95 % of errors stay in."""

from __future__ import annotations

import numpy as np
from vtkmodules.vtkRenderingCore import vtkActor

from fusioninit.geometry import Space
from fusioninit.gui.scene_shapes import as_halo, sphere_actor
from fusioninit.gui.scene_stage import SceneStage
from fusioninit.gui.scene_state import SceneState
from fusioninit.gui.slice_targets import TARGET_COLOUR
from fusioninit.registration import LandmarkFit
from fusioninit.state import Case, Target


class SceneTargets:
    """A sphere of each target's radius, and one of its predicted error about it."""

    def __init__(self, stage: SceneStage, state: SceneState) -> None:
        self._stage, self._state = stage, state
        self._targets: tuple[Target, ...] = ()
        self.spheres: list[vtkActor] = []
        self.halos: list[vtkActor] = []

    def show(self, case: Case) -> None:
        """Bring spheres and halos in line with targets and registration."""
        if case.targets is not self._targets:
            self._build(case.targets)
        for sphere in self.spheres:
            sphere.SetVisibility(self._stage.has_place_for(Space.MR))
        self._show_halos(case)

    def _build(self, targets: tuple[Target, ...]) -> None:
        for actor in (*self.spheres, *self.halos):
            self._stage.above.RemoveActor(actor)
        self._targets = targets
        self.spheres = [sphere_actor(t.radius_mm, TARGET_COLOUR, opacity=0.85) for t in targets]
        self.halos = [sphere_actor(1.0, TARGET_COLOUR) for _ in targets]
        for halo in self.halos:
            as_halo(halo)
        for actors in (self.spheres, self.halos):
            for target, actor in zip(targets, actors, strict=True):
                actor.SetPosition(*target.position_mr_mm.tolist())
                actor.PickableOff()
                self._stage.hang(actor, Space.MR)
                self._stage.above.AddActor(actor)

    def _show_halos(self, case: Case) -> None:
        """In US alone: in the MR's own frame a target is where it was drawn."""
        fit = case.registration
        in_us = self._stage.shown_space is Space.US and self._stage.knows_mr
        wanted = self._state.flag("halos") and in_us and isinstance(fit, LandmarkFit)
        for halo in self.halos:
            halo.SetVisibility(wanted)
        if wanted and self._targets:
            assert isinstance(fit, LandmarkFit)
            points = np.array([target.position_mr_mm for target in self._targets])
            for halo, radius_mm in zip(
                self.halos, fit.predicted_error_mm(points).upper_mm.tolist(), strict=True
            ):
                halo.SetScale(radius_mm)
