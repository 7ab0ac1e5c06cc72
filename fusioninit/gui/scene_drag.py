"""Dragging landmarks in the 3D view: parallel to the screen, at the landmark's own depth."""

from __future__ import annotations

from math import hypot
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, QPointF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent

from fusioninit.geometry import Space
from fusioninit.landmarks import LandmarkName

if TYPE_CHECKING:
    from fusioninit.gui.scene_view import SceneView

REACH_PX = 11.0
"""How near to a landmark's middle the pointer takes it, in logical pixels."""

CLICK_PX = 3.0
"""A pointer that wanders less than this has clicked, and moves nothing."""


class SceneDrag(QObject):
    """Takes the left button over a landmark of either image; elsewhere the camera has it.

    While a landmark of the MR is dragged over US, the MR is held where it is (see
    `ViewState.hold_mr`): the person points at its anatomy, which must not run away.
    """

    def __init__(self, scene: SceneView) -> None:
        super().__init__(scene)
        self._scene = scene
        self._held: tuple[Space, LandmarkName] | None = None
        self._gesture = 0
        self._depth = 0.0
        self._pressed_at = self._offset = QPointF()
        self._moved = False
        scene.stage.widget.installEventFilter(self)

    @property
    def is_dragging(self) -> bool:
        """Whether a landmark is held at this moment."""
        return self._held is not None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep from the camera what belongs to a landmark."""
        if isinstance(event, QMouseEvent):
            return self._on_mouse(event)
        if isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
            if event.type() == QEvent.Type.ShortcutOverride and self.is_dragging:
                event.accept()
            return event.type() == QEvent.Type.KeyPress and self.cancel()
        return False

    def _on_mouse(self, event: QMouseEvent) -> bool:
        kind = event.type()
        if kind == QEvent.Type.MouseButtonPress:
            return self._on_press(event)
        if kind == QEvent.Type.MouseMove:
            return self._on_move(event)
        if kind == QEvent.Type.MouseButtonRelease and self._held is not None:
            self._release()
            return True
        return False

    def landmark_at(self, at: QPointF) -> tuple[Space, LandmarkName] | None:
        """The landmark under a position of the widget: the one whose middle is nearest."""
        found, nearest = None, REACH_PX
        for space, name, position in self._shown():
            place = self.to_view(position)
            distance = hypot(place.x() - at.x(), place.y() - at.y())
            if distance < nearest:
                found, nearest = (space, name), distance
        return found

    def to_view(self, position_mm: NDArray[np.float64]) -> QPointF:
        """Where in the widget a point of the shown frame appears."""
        widget = self._scene.stage.widget
        x, y, _ = self._to_display(position_mm)
        ratio = widget.devicePixelRatioF()
        return QPointF(x / ratio, widget.height() - 1 - y / ratio)

    def place_of(self, space: Space, name: LandmarkName) -> QPointF:
        """Where in the widget a landmark appears."""
        return self.to_view(self._in_frame(space, name))

    def _shown(self) -> list[tuple[Space, LandmarkName, NDArray[np.float64]]]:
        case, marks = self._scene.session.case, self._scene.marks
        return [
            (space, mark.name, self._in_frame(space, mark.name))
            for space in (Space.US, Space.MR)
            for mark in case.landmarks(space).landmarks
            if marks.is_shown(space, mark.name)
        ]

    def _in_frame(self, space: Space, name: LandmarkName) -> NDArray[np.float64]:
        position: NDArray[np.float64] = self._scene.session.case.landmarks(space)[name].position_mm
        frame = self._scene.frame_from(space)
        return position if frame is None else frame.apply(position)

    def _on_press(self, event: QMouseEvent) -> bool:
        if event.button() != Qt.MouseButton.LeftButton or self._held is not None:
            return self._held is not None
        self._scene.refresh()
        self._held = self.landmark_at(event.position())
        if self._held is None:
            return False
        scene = self._scene
        self._gesture = scene.session.new_gesture()
        self._pressed_at, self._moved = event.position(), False
        self._offset = self.place_of(*self._held) - event.position()
        self._depth = self._to_display(self._in_frame(*self._held))[2]
        if self._held[0] is not scene.shown_space:
            scene.view_state.hold_mr(scene.session.case.us_from_mr)
        scene.view_state.select(*self._held)
        scene.stage.widget.setCursor(Qt.CursorShape.ClosedHandCursor)
        return True

    def _on_move(self, event: QMouseEvent) -> bool:
        if self._held is None:
            if event.buttons() == Qt.MouseButton.NoButton:
                self._hover(event.position())
            return False
        far = event.position() - self._pressed_at
        self._moved = self._moved or far.manhattanLength() >= CLICK_PX
        if self._moved:
            self._pull(*self._held, event.position() + self._offset)
        return True

    def _pull(self, space: Space, name: LandmarkName, at: QPointF) -> None:
        position, frame = self._to_frame(at), self._scene.frame_from(space)
        if frame is not None:
            position = frame.inverse().apply(position)
        self._scene.view_state.motion.step()
        self._scene.session.move_landmark(space, name, position, gesture=self._gesture)

    def _hover(self, at: QPointF) -> None:
        over = self.landmark_at(at) is not None
        shape = Qt.CursorShape.OpenHandCursor if over else Qt.CursorShape.ArrowCursor
        if self._scene.stage.widget.cursor().shape() != shape:
            self._scene.stage.widget.setCursor(shape)

    def _release(self) -> None:
        assert self._held is not None
        scene, (space, name) = self._scene, self._held
        self._let_go()
        scene.session.end_gesture(self._gesture)
        position = scene.session.case.landmarks(space)[name].position_mm
        scene.view_state.set_crosshair(space, position)
        scene.view_state.link(scene.session.case.us_from_mr)

    def cancel(self) -> bool:
        """Esc: everything as before the drag. False where nothing is held."""
        if self._held is None:
            return False
        self._let_go()
        self._scene.session.cancel_gesture(self._gesture)
        return True

    def _let_go(self) -> None:
        self._held = None
        self._scene.stage.widget.setCursor(Qt.CursorShape.OpenHandCursor)
        self._scene.view_state.release_mr()

    # -- pixels and millimetres -----------------------------------------------------------------

    def _to_frame(self, at: QPointF) -> NDArray[np.float64]:
        """The point of the shown frame under the pointer, at the held landmark's depth."""
        above = self._scene.stage.above
        above.SetDisplayPoint(*self._display(at), self._depth)
        above.DisplayToWorld()
        world = np.array(above.GetWorldPoint())
        return world[:3] / world[3]

    def _display(self, at: QPointF) -> tuple[float, float]:
        """VTK counts device pixels from the lower left corner."""
        widget = self._scene.stage.widget
        ratio = widget.devicePixelRatioF()
        return at.x() * ratio, (widget.height() - 1 - at.y()) * ratio

    def _to_display(self, position_mm: NDArray[np.float64]) -> tuple[float, float, float]:
        x, y, z = position_mm.tolist()
        above = self._scene.stage.above
        above.SetWorldPoint(x, y, z, 1.0)
        above.WorldToDisplay()
        right, up, depth = above.GetDisplayPoint()
        return right, up, depth
