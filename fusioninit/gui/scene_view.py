"""The 3D view in the US frame: slice planes, glands, landmarks, targets. Needs OpenGL.

Nothing is resampled while a landmark is dragged: what belongs to the MR hangs on one matrix.
"""

from __future__ import annotations

from time import perf_counter
from typing import Any

from PySide6.QtCore import QEvent, QObject, QSize, QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget
from vtkmodules.vtkCommonMath import vtkMatrix4x4
from vtkmodules.vtkRenderingCore import vtkActor, vtkRenderer

from fusioninit.geometry import Orientation, RigidTransform, Space
from fusioninit.gui import scene_parts as parts
from fusioninit.gui.scene_drag import SceneDrag
from fusioninit.gui.view_state import ViewState
from fusioninit.imaging.volume import Volume
from fusioninit.landmarks import REQUIRED_NAMES, LandmarkName
from fusioninit.session import Session

SHOWN_PLANES = (Orientation.AXIAL, Orientation.SAGITTAL)
"""A coronal plane would hide the rest from a camera in front of the patient."""
IDLE_SHARE = 5.0
"""Times a picture's own duration to wait before the next, so that slow rendering (in software)
takes no more than a sixth of the time and slices follow a drag."""
FRAME_INTERVAL_MS = 40
"""At most 25 pictures a second: in software rendering the slices come first."""


class SceneView(QWidget):
    """Draws the case in 3D. Call `finalize` before the application ends."""

    maximise_requested = Signal()

    def __init__(
        self, session: Session, view_state: ViewState, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("scene")
        self.setAccessibleName("3D view")
        self.setMinimumSize(140, 120)
        self.session, self.view_state = session, view_state
        self.renderer = vtkRenderer()
        self._above = vtkRenderer()
        self._widget: Any = parts.make_interactor(self, self.renderer, self._above)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(1, 1, 1, 1)
        layout.addWidget(self._widget)
        self._planes = {o: parts.SlicePicture(self.renderer) for o in SHOWN_PLANES}
        self._marks: dict[Space, dict[str, vtkActor]] = {Space.US: {}, Space.MR: {}}
        self._glands: dict[Space, tuple[Volume, vtkActor]] = {}
        self._targets: list[vtkActor] = []
        self._us_from_mr = vtkMatrix4x4()
        self._box: vtkActor | None = None
        self._is_final = False
        self._timer = QTimer(self, singleShot=True, interval=FRAME_INTERVAL_MS)
        self._timer.timeout.connect(self.render_now)
        self._widget.installEventFilter(self)
        self.drag = SceneDrag(self, self._widget, self._above)
        self._connect(session, view_state)
        self._start_afresh()

    def _connect(self, session: Session, view_state: ViewState) -> None:
        session.case_opened.connect(self._start_afresh)
        session.landmarks_changed.connect(self._show_landmarks)
        session.gland_changed.connect(self._show_gland)
        session.registration_changed.connect(self._show_registration)
        session.targets_changed.connect(self._show_targets)
        view_state.crosshair_changed.connect(self._on_space_changed)
        view_state.window_changed.connect(self._on_space_changed)
        view_state.fusion_changed.connect(self._show_glands)

    def sizeHint(self) -> QSize:
        """As large as a slice view."""
        return QSize(350, 380)

    # -- what is shown --------------------------------------------------------------------------

    def _start_afresh(self) -> None:
        case = self.session.case
        if self._box is not None:
            self.renderer.RemoveActor(self._box)
        self._box = None
        volume = case.us or case.mr
        if volume is not None:
            self._box = parts.box_actor(volume.grid)
            self.renderer.AddActor(self._box)
        self._show_planes()
        self._show_glands()
        self._show_landmarks(Space.US)
        self._show_landmarks(Space.MR)
        self._show_registration()
        self._show_targets()
        parts.look_from_front(self.renderer)
        self._schedule()

    @property
    def shown_space(self) -> Space:
        """The frame shown: that of US, or of MR while no US is open."""
        return Space.US if self.session.case.us is not None else Space.MR

    def _show_planes(self) -> None:
        space = self.shown_space
        volume = self.session.case.volume(space)
        for orientation, picture in self._planes.items():
            if volume is None:
                picture.hide()
                continue
            picture.show(
                volume,
                orientation,
                self.view_state.crosshair_mm(space),
                window=self.view_state.window(space),
            )
        self._schedule()

    def _show_landmarks(self, space: Space) -> None:
        known = self._marks[space]
        marks = self.session.case.landmarks(space)
        for name in [name for name in known if name not in marks]:
            self._above.RemoveActor(known.pop(name))
        for name, mark in marks.items():
            if name not in known:
                known[name] = parts.mark_actor(space)
                self._hang(known[name], space)
                self._above.AddActor(known[name])
            known[name].SetPosition(*mark.position_mm)
        self._show_mr_where_known()

    def name_of(self, actor: object) -> LandmarkName | None:
        """The landmark of the shown frame that an actor draws."""
        marks = self._marks[self.shown_space]
        return next((name for name, known in marks.items() if known is actor), None)

    def _show_registration(self) -> None:
        transform: RigidTransform | None = self.session.case.us_from_mr
        if transform is not None:
            self._us_from_mr.DeepCopy(transform.matrix.ravel().tolist())
        elif self.session.case.us is None:
            self._us_from_mr.Identity()
        self._show_mr_where_known()

    def _show_mr_where_known(self) -> None:
        """What belongs to MR has no place in the US frame until a transform is known."""
        case = self.session.case
        known = case.us_from_mr is not None or case.us is None
        contours = self.view_state.flag("contours")
        for space, marks in self._marks.items():
            for name, actor in marks.items():
                wanted = name in REQUIRED_NAMES or self.view_state.flag("auxiliary")
                actor.SetVisibility(wanted and (known or space is Space.US))
        for actor in self._targets:
            actor.SetVisibility(known)
        if Space.MR in self._glands:
            self._glands[Space.MR][1].SetVisibility(known and contours)
        self._schedule()

    def _show_glands(self) -> None:
        for space in (Space.US, Space.MR):
            self._show_gland(space)

    def _show_gland(self, space: Space) -> None:
        gland = self.session.case.gland(space)
        shown = self._glands.get(space)
        if shown is not None and shown[0] is not gland:
            self.renderer.RemoveActor(self._glands.pop(space)[1])
        if gland is not None and space not in self._glands:
            actor = parts.gland_actor(gland)
            self._glands[space] = gland, actor
            self._hang(actor, space)
            self.renderer.AddActor(actor)
        if space in self._glands:
            self._glands[space][1].SetVisibility(self.view_state.flag("contours"))
        self._show_mr_where_known()

    def _show_targets(self) -> None:
        for actor in self._targets:
            self._above.RemoveActor(actor)
        self._targets = [parts.target_actor(target) for target in self.session.case.targets]
        for actor in self._targets:
            self._hang(actor, Space.MR)
            self._above.AddActor(actor)
        self._show_mr_where_known()

    def _hang(self, actor: vtkActor, space: Space) -> None:
        if space is Space.MR:
            actor.SetUserMatrix(self._us_from_mr)

    def _on_space_changed(self, space: Space) -> None:
        if space is self.shown_space:
            self._show_planes()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A double click shows the scene alone, as in every view."""
        if event.type() == QEvent.Type.MouseButtonDblClick:
            self.maximise_requested.emit()
            return True
        return False

    # -- rendering ------------------------------------------------------------------------------

    def _schedule(self) -> None:
        if not self._is_final and self.isVisible() and not self._timer.isActive():
            self._timer.start()

    def render_now(self) -> None:
        """Draw the scene at once; nothing after `finalize`."""
        if not self._is_final and self.isVisible():
            begun = perf_counter()
            self._widget.GetRenderWindow().Render()
            took_ms = 1000 * (perf_counter() - begun)
            self._timer.setInterval(max(FRAME_INTERVAL_MS, round(IDLE_SHARE * took_ms)))

    def showEvent(self, event: QShowEvent) -> None:
        """Draw what changed while hidden."""
        super().showEvent(event)
        self._schedule()

    def finalize(self) -> None:
        """Give back OpenGL, in order: timer, renderer, render window, interactor."""
        if self._is_final:
            return
        self._is_final = True
        self._timer.stop()
        self.renderer.RemoveAllViewProps()
        self._above.RemoveAllViewProps()
        self._widget.removeEventFilter(self)
        self._widget.removeEventFilter(self.drag)
        parts.close_interactor(self._widget)
        self._widget = None
