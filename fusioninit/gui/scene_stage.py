"""Where a 3D scene stands: the OpenGL widget, its two layers, and the matrix the MR hangs on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import shiboken6
import vtkmodules.qt
import vtkmodules.vtkRenderingOpenGL2  # noqa: F401
from PySide6.QtWidgets import QWidget
from vtkmodules.qt.QVTKRenderWindowInteractor import QVTKRenderWindowInteractor
from vtkmodules.vtkCommonDataModel import vtkPlaneCollection
from vtkmodules.vtkCommonMath import vtkMatrix4x4
from vtkmodules.vtkInteractionStyle import vtkInteractorStyleTrackballCamera
from vtkmodules.vtkRenderingCore import vtkActor, vtkCamera, vtkProp3D, vtkRenderer

from fusioninit.geometry import RigidTransform, Space
from fusioninit.gui.opengl import is_software


class SceneStage:
    """Renderers, camera and widget of one scene in the frame of `shown_space`.

    What is in `above` (landmarks, targets, needles, notes) is never hidden behind a slice.
    `us_from_mr` is one matrix that all of the MR hangs on: moving it moves them all.
    `cuts` are the clipping planes of surfaces and volumes, in the frame shown.
    """

    def __init__(self, parent: QWidget) -> None:
        self.renderer, self.above = vtkRenderer(), vtkRenderer()
        self.us_from_mr = vtkMatrix4x4()
        self.cuts = vtkPlaneCollection()
        self.is_software = is_software()
        self.shown_space = Space.US
        self.knows_mr = False
        """Whether the MR has a place in the frame shown."""
        self.widget: Any = _make_interactor(parent, self.renderer, self.above)

    @property
    def camera(self) -> vtkCamera:
        """The one camera of both layers."""
        return self.renderer.GetActiveCamera()

    @property
    def window(self) -> Any:
        """The render window."""
        return self.widget.GetRenderWindow()

    def place_mr(self, us_from_mr: RigidTransform | None, *, shown_space: Space) -> None:
        """Hang the MR where the transform says; in its own frame while no US is open."""
        self.shown_space = shown_space
        self.knows_mr = us_from_mr is not None or shown_space is Space.MR
        if shown_space is Space.MR or us_from_mr is None:
            self.us_from_mr.Identity()
        else:
            self.us_from_mr.DeepCopy(us_from_mr.matrix.ravel().tolist())

    def has_place_for(self, space: Space) -> bool:
        """Whether things of `space` can be shown in the frame shown."""
        return self.shown_space is space or (space is Space.MR and self.knows_mr)

    def hang(self, prop: vtkProp3D, space: Space) -> None:
        """Let a prop follow its space."""
        if space is Space.MR:
            prop.SetUserMatrix(self.us_from_mr)

    def cut(self, actor: vtkActor) -> vtkActor:
        """Let the clipping planes cut a surface."""
        actor.GetMapper().SetClippingPlanes(self.cuts)
        return actor

    def steps_to_start(self) -> Iterator[Callable[[], object]]:
        """Make OpenGL's context, what VTK keeps in it, and an empty picture, a turn for each."""
        self.renderer.DrawOff()
        self.above.DrawOff()
        yield self.window.Initialize
        yield self.window.Start
        yield self.widget.Initialize

    def draw_only(self, *layers: vtkRenderer) -> None:
        """Take a picture of some of the two layers, or of none; the other keeps still."""
        for layer in (self.renderer, self.above):
            layer.SetDraw(layer in layers)
        self.window.Render()

    def draw_all(self) -> None:
        """Draw both layers from now on."""
        self.renderer.DrawOn()
        self.above.DrawOn()

    def close(self) -> None:
        """Give back OpenGL and VTK's own connection to the display."""
        self.renderer.RemoveAllViewProps()
        self.above.RemoveAllViewProps()
        _close_interactor(self.widget)
        self.widget = None


def _make_interactor(parent: QWidget, renderer: vtkRenderer, above: vtkRenderer) -> Any:
    """A Qt widget that shows `renderer`, and `above` in front of it from the same camera."""
    widget = QVTKRenderWindowInteractor(parent)
    renderer.SetBackground(0.03, 0.035, 0.045)
    renderer.SetBackground2(0.10, 0.12, 0.15)
    renderer.GradientBackgroundOn()
    window = widget.GetRenderWindow()
    window.SetMultiSamples(0)
    window.SetNumberOfLayers(2)
    window.AddRenderer(renderer)
    above.SetLayer(1)
    above.InteractiveOff()
    above.SetActiveCamera(renderer.GetActiveCamera())
    window.AddRenderer(above)
    widget.SetInteractorStyle(vtkInteractorStyleTrackballCamera())
    return widget


def _close_interactor(widget: Any) -> None:
    """Take the interactor away by hand: the widget refers to itself, so it would outlive it."""
    widget.close()
    widget.setParent(None)
    window, interactor = widget._RenderWindow, widget._Iren
    while window.GetRenderers().GetNumberOfItems():
        window.RemoveRenderer(window.GetRenderers().GetFirstRenderer())
    interactor.SetInteractorStyle(None)
    interactor.RemoveAllObservers()
    interactor.SetRenderWindow(None)
    window.SetInteractor(None)
    shiboken6.delete(widget)
    widget._RenderWindow = widget._Iren = None
