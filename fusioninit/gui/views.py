"""All views of one window, and what a person does to several of them at once."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from fusioninit.geometry import Orientation, Space
from fusioninit.gui.preferences import Preferences
from fusioninit.gui.scene_place import ScenePlace
from fusioninit.gui.slice_mouse import SliceMouse
from fusioninit.gui.slice_view import SliceView
from fusioninit.gui.view_grid import ViewGrid
from fusioninit.gui.view_state import FusionMode, ViewState
from fusioninit.gui.window_presets import preset_window
from fusioninit.landmarks import LandmarkName
from fusioninit.session import Session


class Views(QObject):
    """Six slices and the 3D view on a grid; acts on the state that they share."""

    layout_shown = Signal(str)

    def __init__(self, session: Session, state: ViewState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session, self._state = session, state
        self.slices = {
            f"{space.value}_{orientation.value}": SliceView(
                session, state, space=space, orientation=orientation
            )
            for space in (Space.US, Space.MR)
            for orientation in Orientation
        }
        self.mice = {name: SliceMouse(view) for name, view in self.slices.items()}
        self.scene_place = ScenePlace(session, state)
        self.grid = ViewGrid({**self.slices, "scene": self.scene_place})
        for name, view in self.slices.items():
            view.maximise_requested.connect(lambda name=name: self.grid.toggle_maximised(name))
        self.scene_place.maximise_requested.connect(lambda: self.grid.toggle_maximised("scene"))
        session.registration_changed.connect(self._link_crosshairs)

    @property
    def focused(self) -> SliceView | None:
        """The slice view that has the focus."""
        widget: QWidget | None = self.grid.window().focusWidget()
        return widget if isinstance(widget, SliceView) else None

    def show_layout(self, name: str) -> None:
        """Arrange the views otherwise."""
        self.grid.show_layout(name)
        self.layout_shown.emit(name)

    def jump_to(self, name: LandmarkName) -> None:
        """Select a landmark and show it; in the space of the focused view, else where it is."""
        spaces = [Space.US, Space.MR]
        if self.focused is not None and self.focused.space is Space.MR:
            spaces.reverse()
        case = self._session.case
        known = [space for space in spaces if name in case.landmarks(space)]
        space = known[0] if known else spaces[0]
        self._state.select(space, name)
        if known:
            self._state.set_crosshair(space, case.landmarks(space)[name].position_mm)

    def toggle_volume(self) -> None:
        """Show MR where US was shown, and US where MR was."""
        showing_mr = self._state.mode is FusionMode.MR
        self._state.set_mode(FusionMode.US if showing_mr else FusionMode.MR)

    def reset(self) -> None:
        """Whole volumes, centred, with their own windows; crosshair mid-volume."""
        for view in self.slices.values():
            view.reset()
        self._state.show_case(self._session.case)

    def set_window_preset(self, space: Space, preset: str) -> None:
        """Window a volume as a preset of `WINDOW_PRESETS` says."""
        volume = self._session.case.volume(space)
        if volume is not None:
            self._state.set_window(space, *preset_window(volume, preset))

    def zoom(self, factor: float) -> None:
        """Magnify the views of the focused view's space; of both where none has the focus."""
        spaces = [Space.US, Space.MR] if self.focused is None else [self.focused.space]
        for space in spaces:
            self._state.set_zoom(space, self._state.zoom(space) * factor)

    def use_preferences(self, preferences: Preferences) -> None:
        """Gestures and nudges as a person prefers them."""
        for mouse in self.mice.values():
            mouse.preset = preferences.gestures
            mouse.nudge_mm = preferences.nudge_mm
            mouse.nudges_by_voxel = preferences.nudges_by_voxel

    def _link_crosshairs(self) -> None:
        """Join the crosshairs of both images anew, but under no landmark that is being held."""
        scene = self.scene_place.scene
        in_scene = scene is not None and scene.drag.is_dragging
        if not in_scene and not any(mouse.is_dragging for mouse in self.mice.values()):
            self._state.link(self._session.case.us_from_mr)
