"""One small picture for each kind of thing that the 3D view will draw, before any is there.

OpenGL builds a program for every kind at its first picture, in software for up to 0.1 s. Built one
at a time and ahead, none of them holds up the window when volumes and landmarks arrive.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from vtkmodules.vtkRenderingCore import vtkActor, vtkRenderer

from fusioninit.geometry import Grid, Orientation, Space, slice_plane
from fusioninit.gui.scene_planes import SlicePicture
from fusioninit.gui.scene_shapes import as_halo, box_actor, line_actor, mark_actor, sphere_actor
from fusioninit.gui.scene_stage import SceneStage
from fusioninit.gui.theme import SPACE_COLOUR
from fusioninit.imaging.volume import Volume

SHARE = 0.02
"""Size of such a thing as a share of its distance from the camera."""
_COLOUR = SPACE_COLOUR[Space.US]


def pictures_of_kinds(stage: SceneStage) -> Iterator[Callable[[], None]]:
    """The pictures to take, one call each; none of them comes to the screen."""
    yield partial(_take, stage, stage.renderer, _plane)
    yield partial(_take, stage, stage.renderer, _box)
    yield partial(_take, stage, stage.renderer, partial(sphere_actor, 1.0, _COLOUR, opacity=0.35))
    for make in (partial(mark_actor, Space.US), partial(mark_actor, Space.MR), _halo, _line):
        yield partial(_take, stage, stage.above, make)


def _take(stage: SceneStage, renderer: vtkRenderer, make: Callable[[], vtkActor]) -> None:
    actor = make()
    camera = stage.camera
    actor.SetPosition(*camera.GetFocalPoint())
    actor.SetScale(SHARE * camera.GetDistance())
    renderer.AddActor(actor)
    renderer.ResetCameraClippingRange()
    stage.window.SwapBuffersOff()
    stage.window.Render()
    stage.window.SwapBuffersOn()
    renderer.RemoveActor(actor)


def _plane() -> vtkActor:
    volume = Volume(np.zeros((2, 2, 2), np.uint8), Grid.centred((2, 2, 2), 1.0), Space.US)
    picture = SlicePicture(vtkRenderer())
    plane = slice_plane(Orientation.CORONAL, np.zeros(3))
    picture.show(volume, plane, window=(0.0, 1.0), colour_map="Grey")
    picture.actor.RotateX(90.0)
    return picture.actor


def _box() -> vtkActor:
    return box_actor(Grid.centred((2, 2, 2), 1.0))


def _halo() -> vtkActor:
    halo = sphere_actor(1.0, _COLOUR)
    as_halo(halo)
    return halo


def _line() -> vtkActor:
    return line_actor([-1, 0, 0], [1, 0, 0], radius_mm=0.5, colour=_COLOUR)
