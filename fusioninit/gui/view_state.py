"""What the views share and nobody undoes: crosshair, planes, window and level, blending, zoom."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PySide6.QtCore import QObject, Signal

from fusioninit.geometry import PlaneTriad, RigidTransform, Space
from fusioninit.gui.motion import Motion
from fusioninit.gui.paint_turns import PaintTurns
from fusioninit.landmarks import LandmarkName
from fusioninit.state import Case

FloatArray = NDArray[np.float64]

ZOOM_RANGE = (0.5, 16.0)


class FusionMode(StrEnum):
    """How the fused views combine US and MR."""

    BLEND = "Blend"
    CHECKER = "Checkerboard"
    WIPE = "Wipe"
    EDGES = "Edges of MR"
    FLICKER = "Flicker"
    US = "US only"
    MR = "MR only"


class ViewState(QObject):
    """Shared by all views of one window. Setters emit only where something changed."""

    crosshair_changed = Signal(Space)
    planes_turned = Signal(Space)
    window_changed = Signal(Space)
    fusion_changed = Signal()
    """Mode, mix, colour map, contours or what is drawn over the slices."""
    zoom_changed = Signal(Space)
    selection_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.motion = Motion(self)
        self.turns = PaintTurns(self.motion, self)
        self._crosshair_mm: dict[Space, FloatArray] = {s: np.zeros(3) for s in (Space.US, Space.MR)}
        self._triad = {Space.US: PlaneTriad(), Space.MR: PlaneTriad()}
        self._window: dict[Space, tuple[float, float]] = {}
        self._zoom = {Space.US: 1.0, Space.MR: 1.0}
        self._colour_map = {Space.US: "Grey", Space.MR: "Amber"}
        self._mode = FusionMode.BLEND
        self._mix = 0.45
        self._flags = {
            "contours": True,
            "names": True,
            "regions": True,
            "crosshair": True,
            "auxiliary": False,
            "second": False,
            "turning": False,
        }
        self._flicker_shows_mr = False
        self._selection: tuple[Space, LandmarkName] | None = None
        self._core = ""
        self._anchor = Space.US
        self._us_from_mr: RigidTransform | None = None
        self._mr_held_at: RigidTransform | None = None

    # -- crosshair ------------------------------------------------------------------------------

    def crosshair_mm(self, space: Space) -> FloatArray:
        """(3,) the crosshair in `space` (LPS mm)."""
        return self._crosshair_mm[space]

    def set_crosshair(self, space: Space, position_mm: ArrayLike) -> None:
        """Put the crosshair at a point of `space`; the other space follows once aligned."""
        self._anchor = space
        self._place(space, position_mm)
        self._link()

    def link(self, us_from_mr: RigidTransform | None) -> None:
        """The transform that joins both crosshairs from now on (None: each keeps its own).

        The space last pointed at stays where it is; the other one follows.
        """
        self._us_from_mr = us_from_mr
        self._link()

    def _link(self) -> None:
        if self._us_from_mr is None:
            return
        here = self._crosshair_mm[self._anchor]
        if self._anchor is Space.US:
            self._place(Space.MR, self._us_from_mr.inverse().apply(here))
        else:
            self._place(Space.US, self._us_from_mr.apply(here))

    def _place(self, space: Space, position_mm: ArrayLike) -> None:
        position = np.array(position_mm, dtype=np.float64)
        if not np.array_equal(position, self._crosshair_mm[space]):
            self._crosshair_mm[space] = position
            self.crosshair_changed.emit(space)

    # -- planes -----------------------------------------------------------------------------------

    def triad(self, space: Space) -> PlaneTriad:
        """The three planes in which `space` is shown, level or turned."""
        return self._triad[space]

    def set_triad(self, space: Space, triad: PlaneTriad) -> None:
        """Turn the planes of `space`."""
        if triad is not self._triad[space]:
            self._triad[space] = triad
            self.planes_turned.emit(space)

    @property
    def has_turned_planes(self) -> bool:
        """Whether any plane is not level."""
        return not all(triad.is_level for triad in self._triad.values())

    def level_planes(self) -> None:
        """Axial, sagittal and coronal planes of the patient frame again."""
        for space, triad in self._triad.items():
            if not triad.is_level:
                self.set_triad(space, PlaneTriad())

    # -- the MR held still -----------------------------------------------------------------------

    def hold_mr(self, us_from_mr: RigidTransform | None) -> None:
        """Show the MR where `us_from_mr` has it, whatever the registration says, until released.

        For dragging a landmark of the MR over US: the person points at the MR's anatomy, so
        neither it nor the landmark may run away from the pointer while the fit follows.
        """
        self._mr_held_at = us_from_mr

    def release_mr(self) -> None:
        """Show the MR where the registration has it again."""
        if self._mr_held_at is not None:
            self._mr_held_at = None
            self.fusion_changed.emit()

    def shown_us_from_mr(self, us_from_mr: RigidTransform | None) -> RigidTransform | None:
        """Where views show the MR: the registration's transform, unless it is held."""
        return us_from_mr if self._mr_held_at is None else self._mr_held_at

    # -- display of each volume -----------------------------------------------------------------

    def window(self, space: Space) -> tuple[float, float]:
        """(low, high) intensities shown black and white."""
        return self._window.get(space, (0.0, 255.0))

    def set_window(self, space: Space, low: float, high: float) -> None:
        """Show intensities from `low` to `high`."""
        window = (float(low), max(float(high), float(low) + 1e-6))
        if window != self._window.get(space):
            self._window[space] = window
            self.window_changed.emit(space)

    def colour_map(self, space: Space) -> str:
        """Name in `fusioninit.gui.colour_maps.COLOUR_MAPS`."""
        return self._colour_map[space]

    def set_colour_map(self, space: Space, name: str) -> None:
        """Colour a volume: US everywhere, MR where it is blended over US and in 3D."""
        if name != self._colour_map[space]:
            self._colour_map[space] = name
            self.fusion_changed.emit()

    def zoom(self, space: Space) -> float:
        """Magnification of the views of `space`; 1 shows the whole volume."""
        return self._zoom[space]

    def set_zoom(self, space: Space, zoom: float) -> None:
        """Magnify the views of `space`."""
        zoom = float(np.clip(zoom, *ZOOM_RANGE))
        if zoom != self._zoom[space]:
            self._zoom[space] = zoom
            self.zoom_changed.emit(space)

    # -- fusion ---------------------------------------------------------------------------------

    @property
    def mode(self) -> FusionMode:
        """How US and MR are combined."""
        return self._mode

    def set_mode(self, mode: FusionMode) -> None:
        """Combine US and MR otherwise."""
        if mode is not self._mode:
            self._mode = mode
            self.fusion_changed.emit()

    @property
    def mix(self) -> float:
        """0 to 1: opacity of MR when blending, place of the divider when wiping."""
        return self._mix

    def set_mix(self, mix: float) -> None:
        """Show more (1) or less (0) of the MR."""
        mix = float(np.clip(mix, 0.0, 1.0))
        if mix != self._mix:
            self._mix = mix
            self.fusion_changed.emit()

    def flag(self, name: str) -> bool:
        """Whether something is drawn over the slices.

        `contours`, `names`, `regions`, `crosshair`, `auxiliary` (points), `second` (network's
        landmarks) or `turning` (handles on the crosshair to turn planes by).
        """
        return self._flags[name]

    def set_flag(self, name: str, *, shown: bool) -> None:
        """Draw, or do not draw, one of the things `flag` names."""
        if self._flags[name] != shown:
            self._flags[name] = shown
            self.fusion_changed.emit()

    @property
    def flicker_shows_mr(self) -> bool:
        """Which of the two the flicker shows at this moment."""
        return self._flicker_shows_mr

    def flick(self) -> None:
        """Show the other volume; called by a timer while flickering."""
        self._flicker_shows_mr = not self._flicker_shows_mr
        self.fusion_changed.emit()

    # -- selection ------------------------------------------------------------------------------

    @property
    def selection(self) -> tuple[Space, LandmarkName] | None:
        """The landmark that arrow keys and buttons act on."""
        return self._selection

    def select(self, space: Space, name: LandmarkName) -> None:
        """Make a landmark the one that is worked on."""
        if (space, name) != self._selection:
            self._selection = (space, name)
            self.selection_changed.emit()

    @property
    def core(self) -> str:
        """Name of the planned core that is worked on; empty where none is."""
        return self._core

    def choose_core(self, name: str) -> None:
        """Make a planned core the one that is worked on."""
        if name != self._core:
            self._core = name
            self.fusion_changed.emit()

    # -- afresh ---------------------------------------------------------------------------------

    def show_case(self, case: Case) -> None:
        """Start afresh: level planes, crosshairs mid-volume, windows as files state, no zoom."""
        self._us_from_mr = self._mr_held_at = None
        self.level_planes()
        for space in (Space.MR, Space.US):
            volume = case.volume(space)
            if volume is None:
                continue
            self.set_window(space, *volume.display_window())
            self.set_zoom(space, 1.0)
            self.set_crosshair(space, volume.grid.center_mm)
        self.link(case.us_from_mr)
