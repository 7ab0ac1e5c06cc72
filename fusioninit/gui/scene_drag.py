"""Dragging landmarks in the 3D view: parallel to the screen, at the landmark's own depth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, QPointF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent
from vtkmodules.vtkRenderingCore import vtkPropPicker, vtkRenderer

from fusioninit.geometry import Space
from fusioninit.landmarks import LandmarkName

if TYPE_CHECKING:
    from fusioninit.gui.scene_view import SceneView


class SceneDrag(QObject):
    """Takes the left button over a landmark of the shown frame; elsewhere the camera has it.

    The other image's landmarks hang on the transform that a drag would change under the pointer:
    they are dragged in their own views.
    """

    def __init__(self, scene: SceneView, widget: Any, above: vtkRenderer) -> None:
        super().__init__(scene)
        self._scene, self._widget, self._above = scene, widget, above
        self._picker = vtkPropPicker()
        self._held: LandmarkName | None = None
        self._gesture = 0
        self._depth = 0.0
        widget.installEventFilter(self)

    @property
    def is_dragging(self) -> bool:
        """Whether a landmark is held at this moment."""
        return self._held is not None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep from the camera what belongs to a landmark."""
        if isinstance(event, QMouseEvent):
            if event.type() == QEvent.Type.MouseButtonPress:
                return self._on_press(event)
            if event.type() == QEvent.Type.MouseMove and self._held is not None:
                self._move_to(event.position())
                return True
            if event.type() == QEvent.Type.MouseButtonRelease and self._held is not None:
                self._release()
                return True
        if isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
            return self.cancel()
        return False

    def landmark_at(self, at: QPointF) -> LandmarkName | None:
        """The landmark of the shown frame under a position of the widget."""
        x, y = self._display(at)
        if not self._picker.Pick(x, y, 0, self._above):
            return None
        return self._scene.name_of(self._picker.GetActor())

    def to_view(self, position_mm: NDArray[np.float64]) -> QPointF:
        """Where in the widget a point of the shown frame appears."""
        x, y, _ = self._to_display(position_mm)
        ratio = self._widget.devicePixelRatioF()
        return QPointF(x / ratio, self._widget.height() - 1 - y / ratio)

    def _on_press(self, event: QMouseEvent) -> bool:
        if event.button() != Qt.MouseButton.LeftButton:
            return False
        name = self.landmark_at(event.position())
        if name is None:
            return False
        scene = self._scene
        self._held = name
        self._gesture = scene.session.new_gesture()
        position = scene.session.case.landmarks(scene.shown_space)[name].position_mm
        self._depth = self._to_display(position)[2]
        scene.view_state.select(scene.shown_space, name)
        return True

    def _move_to(self, at: QPointF) -> None:
        x, y = self._display(at)
        self._above.SetDisplayPoint(x, y, self._depth)
        self._above.DisplayToWorld()
        world = np.array(self._above.GetWorldPoint())
        space: Space = self._scene.shown_space
        assert self._held is not None
        self._scene.session.move_landmark(
            space, self._held, world[:3] / world[3], gesture=self._gesture
        )

    def _release(self) -> None:
        scene, name, self._held = self._scene, self._held, None
        assert name is not None
        scene.session.end_gesture(self._gesture)
        position = scene.session.case.landmarks(scene.shown_space)[name].position_mm
        scene.view_state.set_crosshair(scene.shown_space, position)
        scene.view_state.link(scene.session.case.us_from_mr)

    def cancel(self) -> bool:
        """Esc: everything as before the drag. False where nothing is held."""
        if self._held is None:
            return False
        self._held = None
        self._scene.session.cancel_gesture(self._gesture)
        return True

    def _display(self, at: QPointF) -> tuple[float, float]:
        """VTK counts device pixels from the lower left corner."""
        ratio = self._widget.devicePixelRatioF()
        return at.x() * ratio, (self._widget.height() - 1 - at.y()) * ratio

    def _to_display(self, position_mm: NDArray[np.float64]) -> tuple[float, float, float]:
        x, y, z = position_mm.tolist()
        self._above.SetWorldPoint(x, y, z, 1.0)
        self._above.WorldToDisplay()
        right, up, depth = self._above.GetDisplayPoint()
        return right, up, depth
