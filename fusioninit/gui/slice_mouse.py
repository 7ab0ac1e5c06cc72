"""What pointer, wheel and keys do in a slice view, as data and as small gestures.

A drag is one of: `point` (crosshair, or a landmark where one is grabbed), `turn` (the handle of a
plane), `pan`, `zoom`, `window`. Which button does which is the preset's business.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, QPointF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QWheelEvent

from fusioninit.geometry import Space
from fusioninit.gui.slice_turning import Turning, turn_by_keys, turn_cursor
from fusioninit.gui.slice_view import SliceView
from fusioninit.landmarks import LandmarkName

_LEFT, _RIGHT, _MIDDLE = (
    Qt.MouseButton.LeftButton,
    Qt.MouseButton.RightButton,
    Qt.MouseButton.MiddleButton,
)
_NONE, _SHIFT, _CTRL = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
)

Gestures = dict[tuple[Qt.MouseButton, Qt.KeyboardModifier], str]

_ALIKE: Gestures = {
    (_LEFT, _NONE): "point",
    (_LEFT, _SHIFT): "pan",
    (_MIDDLE, _NONE): "pan",
}
GESTURES: dict[str, Gestures] = {
    "Clinical": {**_ALIKE, (_RIGHT, _NONE): "window", (_LEFT, _CTRL): "zoom"},
    "Slicer": {**_ALIKE, (_RIGHT, _NONE): "zoom", (_LEFT, _CTRL): "window"},
}
"""Right-drag is contested: window and level in clinical viewers, zoom in research ones."""

NUDGE_MM = 0.5
FAR_NUDGE = 5.0
"""Times as far with Shift."""
_CLICK_PX = 3.0
_ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}


class SliceMouse(QObject):
    """Turns the events of one slice view into intents on the session and the view state."""

    def __init__(self, view: SliceView, *, preset: str = "Clinical") -> None:
        super().__init__(view)
        self._view = view
        self.preset = preset
        self.nudge_mm, self.nudges_by_voxel = NUDGE_MM, False
        self._doing = ""
        self._pressed_at = QPointF()
        self._last_at = QPointF()
        self._moved = False
        self._grabbed: tuple[Space, LandmarkName] | None = None
        self._grab_offset = QPointF()
        self._turning: Turning | None = None
        self._gesture = 0
        self._window_at_press = (0.0, 1.0)
        self._wheel_turn = 0.0
        kind = QEvent.Type
        self._handlers: dict[QEvent.Type, Callable[[Any], bool]] = {
            kind.MouseMove: self._on_move,
            kind.MouseButtonPress: self._on_press,
            kind.MouseButtonRelease: self._on_release,
            kind.MouseButtonDblClick: self._on_double_click,
            kind.Wheel: self._on_wheel,
            kind.KeyPress: self._on_key,
            kind.ShortcutOverride: self._on_shortcut_override,
        }
        view.installEventFilter(self)

    @property
    def is_dragging(self) -> bool:
        """Whether a landmark is held at this moment."""
        return self._grabbed is not None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Dispatch the view's events; everything not handled goes on to the view."""
        handler = self._handlers.get(event.type())
        return False if handler is None else handler(event)

    def _on_double_click(self, event: QMouseEvent) -> bool:
        if event.button() == _LEFT:
            self._view.maximise_requested.emit()
        return True

    def _on_shortcut_override(self, event: QKeyEvent) -> bool:
        """Claim the keys used here before a menu shortcut takes them."""
        if event.key() in _ARROWS or (event.key() == Qt.Key.Key_Escape and self._doing):
            event.accept()
        return False

    # -- pointer --------------------------------------------------------------------------------

    def _on_press(self, event: QMouseEvent) -> bool:
        self._view.setFocus(Qt.FocusReason.MouseFocusReason)
        if not self._view.is_showing or self._doing:
            return True
        modifiers = event.modifiers() & (_SHIFT | _CTRL)
        self._doing = GESTURES[self.preset].get((event.button(), modifiers), "")
        along = self._handle_at(event.position())
        if event.button() == _LEFT and along is not None:
            self._doing, self._turning = "turn", Turning(self._view, event.position(), along)
        self._pressed_at = self._last_at = event.position()
        self._moved = False
        if self._doing == "window":
            self._window_at_press = self._view.view_state.window(self._window_space(event))
        if self._doing == "point":
            self._begin_pointing(event.position())
        return True

    def _handle_at(self, at: QPointF) -> QPointF | None:
        """The direction of the line whose handle is under the pointer; landmarks come first."""
        view = self._view
        along = view.crosshair.handle_at(at, view.frame())
        return None if along is None or view.landmark_at(at) is not None else along

    def _begin_pointing(self, at: QPointF) -> None:
        view = self._view
        self._grabbed = view.landmark_at(at)
        if self._grabbed is None:
            view.view_state.set_crosshair(view.space, view.to_world(at))
            return
        view.view_state.select(*self._grabbed)
        place_mm = view.place_mm(*self._grabbed)
        assert place_mm is not None  # it was found where it is shown
        self._grab_offset = view.to_view(place_mm) - at
        if self._grabbed[0] is not view.space:
            view.view_state.hold_mr(view.session.case.us_from_mr)
        self._gesture = view.session.new_gesture()
        view.setCursor(Qt.CursorShape.ClosedHandCursor)

    def _on_move(self, event: QMouseEvent) -> bool:
        at, view = event.position(), self._view
        if not view.is_showing:
            return False
        if self._doing and not self._moved:
            far = at - self._pressed_at
            self._moved = abs(far.x()) + abs(far.y()) >= _CLICK_PX
        if self._doing:
            self._drag(event)
        else:
            self._hover(event)
        self._last_at = at
        view.hovered.emit(view.space, view.to_world(at))
        return True

    def _drag(self, event: QMouseEvent) -> None:
        at, view = event.position(), self._view
        if self._doing != "window":
            view.view_state.motion.step()
        if self._doing == "point":
            self._point(at)
        elif self._turning is not None:
            self._turning.follow(at, snaps=bool(event.modifiers() & _SHIFT))
        elif self._doing == "pan":
            self._pan(at)
        elif self._doing == "zoom":
            factor = 1.01 ** (self._last_at.y() - at.y())
            view.view_state.set_zoom(view.space, view.view_state.zoom(view.space) * factor)
        else:
            self._change_window(event)

    def _hover(self, event: QMouseEvent) -> None:
        view = self._view
        if self._handle_at(event.position()) is not None:
            view.setCursor(turn_cursor())
            return
        if event.modifiers() & _SHIFT:
            view.view_state.set_crosshair(view.space, view.to_world(event.position()))
        over = view.landmark_at(event.position())
        shape = Qt.CursorShape.CrossCursor if over is None else Qt.CursorShape.OpenHandCursor
        view.setCursor(shape)

    def _point(self, at: QPointF) -> None:
        view = self._view
        if self._grabbed is None:
            view.view_state.set_crosshair(view.space, view.to_world(at))
        elif self._moved:
            place_mm = view.to_world(at + self._grab_offset)
            self._move_mark(*self._grabbed, place_mm, gesture=self._gesture)

    def _pan(self, at: QPointF) -> None:
        step = at - self._last_at
        mm = self._view.mm_per_px()
        self._view.pan_mm = self._view.pan_mm - np.array([step.x(), step.y()]) * mm
        self._view.update()

    def _window_space(self, event: QMouseEvent) -> Space:
        """The view's own volume; with Alt the other one, where it is laid over."""
        shown_alone = self._view.shown_alone()
        if shown_alone is not None:
            return shown_alone
        alt = event.modifiers() & Qt.KeyboardModifier.AltModifier
        return Space.MR if alt else self._view.space

    def _change_window(self, event: QMouseEvent) -> None:
        low, high = self._window_at_press
        width = high - low
        far = event.position() - self._pressed_at
        level = (low + high) / 2 + far.y() / 300 * width
        half = width / 2 * 1.008 ** far.x()
        self._view.view_state.set_window(self._window_space(event), level - half, level + half)

    def _on_release(self, event: QMouseEvent) -> bool:
        doing, self._doing = self._doing, ""
        view = self._view
        if doing == "point" and self._grabbed is not None:
            self._release_landmark(*self._grabbed)
        elif self._turning is not None:
            self._turning.end()
        elif event.button() == _RIGHT and not self._moved and view.is_showing:
            at = event.position()
            view.menu_requested.emit(
                view.space, view.to_world(at), event.globalPosition().toPoint()
            )
        self._grabbed = self._turning = None
        return True

    def _release_landmark(self, space: Space, name: LandmarkName) -> None:
        view = self._view
        view.view_state.release_mr()
        if self._moved:
            view.session.end_gesture(self._gesture)
        mark = view.session.case.landmarks(space)[name]
        view.view_state.set_crosshair(space, mark.position_mm)
        view.view_state.link(view.session.case.us_from_mr)
        view.setCursor(Qt.CursorShape.OpenHandCursor)

    def cancel(self) -> None:
        """Esc: end the drag, everything as before it."""
        if self._doing == "point" and self._grabbed is not None:
            self._view.view_state.release_mr()
            self._view.session.cancel_gesture(self._gesture)
        if self._doing == "window":
            self._view.view_state.set_window(self._view.space, *self._window_at_press)
        if self._turning is not None:
            self._turning.cancel()
        self._doing, self._grabbed, self._turning = "", None, None

    # -- wheel and keys -------------------------------------------------------------------------

    def _on_wheel(self, event: QWheelEvent) -> bool:
        view = self._view
        if event.modifiers() & _CTRL:
            self._zoom_about(event.position(), 1.15 ** (event.angleDelta().y() / 120))
            return True
        # A touchpad sends small turns: they add up to whole slices.
        self._wheel_turn += event.angleDelta().y() / 120
        slices = int(self._wheel_turn)
        self._wheel_turn -= slices
        if slices:
            view.step_slices(slices)
        return True

    def _zoom_about(self, at: QPointF, factor: float) -> None:
        """Zoom so that the point under the pointer stays there."""
        view = self._view
        view.view_state.motion.step()
        before = view.mm_per_px()
        view.view_state.set_zoom(view.space, view.view_state.zoom(view.space) * factor)
        gained = before - view.mm_per_px()
        offset = at - QPointF(view.width() / 2, view.height() / 2)
        view.pan_mm = view.pan_mm + np.array([offset.x(), offset.y()]) * gained
        view.update()

    def _on_key(self, event: QKeyEvent) -> bool:
        if event.key() == Qt.Key.Key_Escape and self._doing:
            self.cancel()
            return True
        if event.key() in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
            self._view.step_slices(1 if event.key() == Qt.Key.Key_PageUp else -1)
            return True
        arrow = _ARROWS.get(Qt.Key(event.key()))
        if arrow is None or not self._view.is_showing:
            return False
        if event.modifiers() & Qt.KeyboardModifier.AltModifier:
            far = bool(event.modifiers() & _SHIFT)
            turn_by_keys(self._view, clockwise=sum(arrow) > 0, far=far)
            return True
        step = self._step_mm(*arrow) * (FAR_NUDGE if event.modifiers() & _SHIFT else 1.0)
        if event.modifiers() & _CTRL:
            self._move_crosshair(step)
        else:
            self._nudge(step)
        return True

    def _step_mm(self, right: int, down: int) -> NDArray[np.float64]:
        """(3,) the way that an arrow key goes on the plane shown."""
        view = self._view
        plane, volume = view.plane(), view.session.case.volume(view.space)
        direction = right * plane.right + down * plane.down
        if self.nudges_by_voxel and volume is not None:
            return direction * volume.grid.step_mm(direction)
        return direction * self.nudge_mm

    def _nudge(self, step: NDArray[np.float64]) -> None:
        """Move the selected landmark where it can be moved here, else the crosshair."""
        view = self._view
        selection = view.view_state.selection
        place_mm = None
        if selection is not None and selection[1] in view.session.case.landmarks(selection[0]):
            place_mm = view.place_mm(*selection)
        if selection is None or place_mm is None or not self._may_move(selection[0]):
            self._move_crosshair(step)
            return
        self._move_mark(*selection, place_mm + step)
        view.view_state.set_crosshair(
            selection[0], view.session.case.landmarks(selection[0])[selection[1]].position_mm
        )

    def _move_crosshair(self, step: NDArray[np.float64]) -> None:
        view = self._view
        crosshair = view.view_state.crosshair_mm(view.space)
        view.view_state.set_crosshair(view.space, crosshair + step)

    def _may_move(self, space: Space) -> bool:
        """Own landmarks; in the fused views those of the MR too."""
        return space is self._view.space or self._view.space is Space.US

    def _move_mark(
        self,
        space: Space,
        name: LandmarkName,
        place_mm: NDArray[np.float64],
        *,
        gesture: int | None = None,
    ) -> None:
        """Move a landmark of either space to a point of the view's space."""
        here_from_other = self._view.here_from_other()
        if space is not self._view.space and here_from_other is not None:
            place_mm = here_from_other.inverse().apply(place_mm)
        self._view.session.move_landmark(space, name, place_mm, gesture=gesture)
