"""One slice of a space, painted by Qt: image, overlay of the other volume, landmarks, crosshair."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PySide6.QtCore import QEvent, QPointF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from fusioninit.geometry import (
    Orientation,
    PixelFrame,
    RigidTransform,
    SlicePlane,
    Space,
    orientation_letters,
    slice_plane,
)
from fusioninit.gui import slice_painting as paint
from fusioninit.gui.slice_cores import paint_cores
from fusioninit.gui.slice_crosshair import HANDLE_PX, SliceCrosshair
from fusioninit.gui.slice_labels import SliceLabels
from fusioninit.gui.slice_layers import SliceLayers
from fusioninit.gui.slice_marks import FADE_MM, SliceMarks
from fusioninit.gui.slice_targets import paint_targets
from fusioninit.gui.theme import SPACE_COLOUR, SPACE_NAME, current_theme
from fusioninit.gui.view_state import ViewState
from fusioninit.imaging.volume import Volume
from fusioninit.landmarks import LandmarkName
from fusioninit.session import Session

MARGIN = 0.94
"""Share of the view that the volume fills at zoom 1."""
LEAST_LETTERS = 8
"""A name cut shorter than this tells nothing."""
LEAST_TILT_DEG = 0.5
"""A smaller tilt is not named: it would read as 0."""


class SliceView(QWidget):
    """A view of `space` in one orientation. In the US space MR is laid over it once aligned."""

    hovered = Signal(Space, object)
    """(space, (3,) LPS mm under the pointer)"""
    maximise_requested = Signal()
    menu_requested = Signal(Space, object, object)
    """(space, LPS mm, global position): a right click that was no drag."""

    def __init__(
        self,
        session: Session,
        view_state: ViewState,
        *,
        space: Space,
        orientation: Orientation,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.session, self.view_state = session, view_state
        self.space, self.orientation = space, orientation
        self.pan_mm = np.zeros(2)
        self._layers = SliceLayers(session, view_state, space)
        self._marks = SliceMarks(session, view_state, space)
        self._labels = SliceLabels()
        self.crosshair = SliceCrosshair(view_state, space, orientation)
        self._measured: Volume | None = None
        self._triad = view_state.triad(space)
        self._base = self._triad.plane(orientation, np.zeros(3))
        self._letters = ["", "", "", ""]
        self._span_mm, self._depth_mm = np.full(2, 200.0), (0.0, 0.0)
        self._frame_key: object = None
        self._frame = PixelFrame(self._base, (1, 1), 1.0)
        self._describe()
        session.case_opened.connect(self._start_afresh)
        session.landmarks_changed.connect(self._repaint)
        session.registration_changed.connect(self._repaint)
        session.gland_changed.connect(self._repaint)
        session.targets_changed.connect(self._repaint)
        session.cores_changed.connect(self._repaint)
        view_state.crosshair_changed.connect(self._on_space_changed)
        view_state.planes_turned.connect(self._on_turned)
        view_state.window_changed.connect(self._repaint)
        view_state.zoom_changed.connect(self._on_space_changed)
        view_state.fusion_changed.connect(self._repaint)
        view_state.selection_changed.connect(self._repaint)
        view_state.motion.settled.connect(self._on_settled)

    def _describe(self) -> None:
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(140, 120)
        self.setObjectName(f"{self.space.value}_{self.orientation.value}")
        self.setAccessibleName(f"{self.orientation.value} view of {SPACE_NAME[self.space]}")

    def sizeHint(self) -> QSize:
        """A third of the reference window."""
        return QSize(350, 380)

    # -- where things are -----------------------------------------------------------------------

    @property
    def is_showing(self) -> bool:
        """Whether a volume of the view's space is open."""
        return self.session.case.volume(self.space) is not None

    def base_plane(self) -> SlicePlane:
        """The plane through the middle of the volume; the shown one is parallel to it."""
        self._measure()
        return self._base

    def _measure(self) -> None:
        """Keep what only another volume or a turn changes: the middle plane, the volume's span.

        The span in the picture is that of the level plane, so that no turn changes the zoom.
        """
        volume, triad = self.session.case.volume(self.space), self.view_state.triad(self.space)
        if volume is not None and volume is self._measured and triad is self._triad:
            return
        self._measured, self._triad = volume, triad
        center = np.zeros(3) if volume is None else volume.grid.center_mm
        self._base = triad.plane(self.orientation, center)
        right, down = self._base.right, self._base.down
        self._letters = [orientation_letters(axis) for axis in (-right, right, -down, down)]
        if volume is not None:
            corners = volume.grid.corners_mm()
            across = slice_plane(self.orientation, center).to_screen(corners)
            depth = self._base.distance_mm(corners)
            self._span_mm = across.max(axis=0) - across.min(axis=0)
            self._depth_mm = float(depth.min()), float(depth.max())

    def plane(self) -> SlicePlane:
        """The plane shown: through the crosshair."""
        base = self.base_plane()
        return base.moved(float(base.distance_mm(self.view_state.crosshair_mm(self.space))))

    def mm_per_px(self) -> float:
        """Millimetres per logical pixel at the present zoom."""
        self._measure()
        span = self._span_mm
        fit = max(span[0] / max(self.width(), 1), span[1] / max(self.height(), 1)) / MARGIN
        return float(fit / self.view_state.zoom(self.space))

    def frame(self) -> PixelFrame:
        """The logical pixels of the view."""
        size = (max(1, self.width()), max(1, self.height()))
        plane, mm_per_px = self.plane(), self.mm_per_px()
        key = (size, mm_per_px, self._triad, plane.origin_mm.tobytes(), self.pan_mm.tobytes())
        if key != self._frame_key:
            self._frame_key = key
            self._frame = PixelFrame(plane, size, mm_per_px, self.pan_mm)
        return self._frame

    def to_view(self, points_mm: ArrayLike) -> QPointF:
        """Continuous view coordinates of a point of the view's space."""
        x, y = self.frame().to_pixel(points_mm) + 0.5
        return QPointF(float(x), float(y))

    def to_world(self, at: QPointF) -> NDArray[np.float64]:
        """(3,) LPS mm, on the plane shown, of a view position."""
        return self.frame().to_world([at.x() - 0.5, at.y() - 0.5])

    def here_from_other(self) -> RigidTransform | None:
        """The transform from the other space to this view's, once aligned."""
        us_from_mr = self.view_state.shown_us_from_mr(self.session.case.us_from_mr)
        if us_from_mr is None or self.space is Space.US:
            return us_from_mr
        return us_from_mr.inverse()

    def shown_alone(self) -> Space | None:
        """The one volume visible in this view, or None while two are combined."""
        shown = self._layers.shown_spaces()
        return shown[0] if len(shown) == 1 else None

    def landmark_at(
        self, at: QPointF, *, reach_px: float = 12.0
    ) -> tuple[Space, LandmarkName] | None:
        """The landmark under the pointer that is near enough to the plane to be seen.

        Of the view's own space, or in the fused views also of the MR laid over US: the nearest
        one; the own one where both are as near.
        """
        found, nearest = None, reach_px
        for each in self._marks.placed(self.frame()):
            distance = float(np.hypot(each.at.x() - at.x(), each.at.y() - at.y()))
            if each.off_mm <= FADE_MM and distance < nearest and self._can_grab(each.space):
                found, nearest = (each.space, each.mark.name), distance
        return found

    def _can_grab(self, space: Space) -> bool:
        return space is self.space or self.space is Space.US

    def place_mm(self, space: Space, name: LandmarkName) -> NDArray[np.float64] | None:
        """(3,) where a landmark stands in the view's space; None while that is unknown."""
        position = self.session.case.landmarks(space)[name].position_mm
        if space is self.space:
            return position
        here_from_other = self.here_from_other()
        return None if here_from_other is None else here_from_other.apply(position)

    # -- moving through the volume --------------------------------------------------------------

    def step_slices(self, slices: float) -> None:
        """Move the plane by voxel layers, within the volume; positive goes away from the viewer."""
        volume = self.session.case.volume(self.space)
        if volume is None:
            return
        self.view_state.motion.step()
        base = self.base_plane()
        crosshair = self.view_state.crosshair_mm(self.space)
        now = float(base.distance_mm(crosshair))
        step = slices * volume.grid.step_mm(base.normal)
        wanted = float(np.clip(now + step, *self._depth_mm))
        self.view_state.set_crosshair(self.space, crosshair + (wanted - now) * base.normal)

    def reset(self) -> None:
        """The whole volume again, centred."""
        self.pan_mm = np.zeros(2)
        self.view_state.set_zoom(self.space, 1.0)
        self.update()

    # -- painting -------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the image, then everything over it."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor("#000000"))
        if not self.is_showing:
            self._paint_invitation(painter)
            return
        frame = self.frame()
        self._layers.paint(painter, frame, self.devicePixelRatioF())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        size = (float(self.width()), float(self.height()))
        if self.view_state.flag("contours"):
            for space, polygons in self._layers.outlines(frame):
                paint.draw_outlines(painter, polygons, space)
        if self.view_state.flag("crosshair") or self.crosshair.has_handles:
            self.crosshair.paint(painter, frame)
        self._paint_marks(painter, frame, size)
        self._paint_frame(painter, frame, size)

    def _paint_marks(self, painter: QPainter, frame: PixelFrame, size: tuple[float, float]) -> None:
        """Cores, targets and landmarks, then the names of all."""
        case, labels = self.session.case, self._labels
        labels.begin(size)
        for handle in self.crosshair.handles(frame) if self.crosshair.has_handles else ():
            labels.keep_clear(handle, HANDLE_PX)
        chosen, us_from_mr = self.view_state.core, self.view_state.shown_us_from_mr(case.us_from_mr)
        paint_cores(painter, case, self.space, frame, labels=labels, chosen=chosen)
        paint_targets(painter, case, self.space, frame, us_from_mr=us_from_mr, labels=labels)
        self._marks.paint(painter, frame, labels)
        labels.draw(painter, keeps_places=self.session.is_dragging)

    def _paint_invitation(self, painter: QPainter) -> None:
        name = SPACE_NAME[self.space]
        painter.setPen(QColor("#7d8894"))
        key = "Ctrl+U" if self.space is Space.US else "Ctrl+M"
        text = f"{name} · {self.orientation.value}\n\nOpen {name} ({key})\nor drop a file or folder"
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, text)
        self._paint_border(painter)

    def _paint_frame(self, painter: QPainter, frame: PixelFrame, size: tuple[float, float]) -> None:
        paint.draw_letters(painter, self._letters, size)
        paint.draw_scale_bar(painter, frame.mm_per_px, size)
        shown = [(SPACE_NAME[s], SPACE_COLOUR[s]) for s in self._layers.shown_spaces()]
        paint.draw_title(painter, self.orientation.value.capitalize(), shown)
        paint.draw_corner_text(painter, self.position_text(), size)
        paint.draw_corner_text(painter, self.tilt_text(), size, line=1)
        if self.orientation is Orientation.AXIAL:
            paint.draw_corner_text(painter, self._description(), size, at_top=True)
        self._paint_border(painter)

    def _description(self) -> str:
        """Which file or series the view's own volume is, where there is room beside the title."""
        volume = self.session.case.volume(self.space)
        text = "" if volume is None else volume.source.description
        most = (self.width() - 125) // 7
        if most < LEAST_LETTERS:
            return ""
        return text if len(text) <= most else text[: most - 1] + "…"

    def position_text(self) -> str:
        """Where the slice lies, e.g. "S 12.5 mm" (superior of the frame's origin)."""
        axis = int(np.argmax(np.abs(self.base_plane().normal)))
        value = float(self.view_state.crosshair_mm(self.space)[axis])
        letter = ("RL", "AP", "IS")[axis][int(value >= 0)]
        return f"{letter} {abs(value):.1f} mm"

    def tilt_text(self) -> str:
        """How far the plane is turned from the level one, e.g. "13° oblique"; empty where not."""
        tilt_deg = self.view_state.triad(self.space).tilt_deg(self.orientation)
        return f"{tilt_deg:.0f}° oblique" if tilt_deg >= LEAST_TILT_DEG else ""

    def _paint_border(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        colour = current_theme().accent if self.hasFocus() else current_theme().line
        painter.setPen(QPen(QColor(colour), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    # -- events ---------------------------------------------------------------------------------

    def changeEvent(self, event: QEvent) -> None:
        """Repaint in the new theme."""
        super().changeEvent(event)
        if event.type() != QEvent.Type.ActivationChange:  # a dialog that opens or closes
            self.update()

    def _repaint(self, _what: object = None) -> None:
        self.view_state.turns.paint(self)

    def _start_afresh(self) -> None:
        self._layers.forget()
        self._measured = None
        self.pan_mm = np.zeros(2)
        self._repaint()

    def _on_turned(self, space: Space) -> None:
        """Show the plane that was turned, with the crosshair where it stood in the picture."""
        volume = self.session.case.volume(space)
        if space is self.space and volume is not None and volume is self._measured:
            crosshair = self.view_state.crosshair_mm(space)
            before = self._base.to_screen(crosshair)
            self.pan_mm = self.pan_mm + self.base_plane().to_screen(crosshair) - before
        self._on_space_changed(space)

    def _on_settled(self) -> None:
        if self._layers.is_coarse:
            self._repaint()

    def _on_space_changed(self, space: Space) -> None:
        if space is self.space:
            self._repaint()
