"""The 3D view in the US frame: planes, glands, volumes, landmarks, targets. Needs OpenGL.

Edits and choices only mark what they concern as stale; just before the next picture the stale
parts are brought in line with the case. Nothing is resampled while a landmark is dragged: what
belongs to the MR hangs on one matrix.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Protocol

from PySide6.QtCore import QEvent, QObject, QSize, QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from fusioninit.geometry import RigidTransform, Space
from fusioninit.gui.loader import unless_loading
from fusioninit.gui.scene_camera import STANDARD, look_from
from fusioninit.gui.scene_cores import SceneCores
from fusioninit.gui.scene_drag import SceneDrag
from fusioninit.gui.scene_error import ERROR_STOPS, SceneError
from fusioninit.gui.scene_glands import SceneGlands
from fusioninit.gui.scene_kinds import pictures_of_kinds
from fusioninit.gui.scene_marks import SceneMarks
from fusioninit.gui.scene_notes import IMAGES, SECOND, ErrorScale, Row, SceneNotes
from fusioninit.gui.scene_picture import save_picture
from fusioninit.gui.scene_planes import ScenePlanes
from fusioninit.gui.scene_second import SceneSecond
from fusioninit.gui.scene_stage import SceneStage
from fusioninit.gui.scene_state import SceneState
from fusioninit.gui.scene_targets import SceneTargets
from fusioninit.gui.scene_volumes import SceneVolumes
from fusioninit.gui.slice_cores import CORE_COLOUR
from fusioninit.gui.slice_targets import TARGET_COLOUR
from fusioninit.gui.view_state import ViewState
from fusioninit.session import Session
from fusioninit.state import Case, CoreKind

IDLE_SHARE = 5.0
"""Times a picture's own duration to wait before the next, so that slow rendering (in software)
takes no more than a sixth of the time and slices follow a drag."""
FRAME_INTERVAL_MS = 40
"""At most 25 pictures a second: in software rendering the slices come first."""
LEGEND_FROM_PX = 250
"""In a narrower view only US and MR are named: more would be cut off."""
STILL_AFTER_MS = 400
"""Once nothing has moved for so long, volumes are drawn with all their rays."""


class Part(Protocol):
    """A part of the scene; it keeps what is unchanged."""

    def show(self, case: Case) -> None:
        """Bring its actors in line with the case."""


class SceneView(QWidget):
    """Draws the case in 3D. Call `finalize` before the application ends."""

    maximise_requested = Signal()

    def __init__(
        self,
        session: Session,
        view_state: ViewState,
        state: SceneState,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("scene")
        self.setAccessibleName("3D view")
        self.setMinimumSize(140, 120)
        self.session, self.view_state, self.state = session, view_state, state
        self.stage = SceneStage(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(1, 1, 1, 1)
        layout.addWidget(self.stage.widget)
        self.planes = ScenePlanes(self.stage, state, view_state)
        self.glands = SceneGlands(self.stage, state)
        self.volumes = SceneVolumes(self.stage, state, view_state)
        self.error = SceneError(self.stage, state)
        self.marks = SceneMarks(self.stage, state, view_state)
        self.second = SceneSecond(self.stage, view_state)
        self.targets = SceneTargets(self.stage, state)
        self.cores = SceneCores(self.stage, state)
        self.notes = SceneNotes(self.stage)
        self._parts: tuple[Part, ...] = (
            self.planes, self.glands, self.volumes, self.error, self.marks, self.targets,
            self.cores, self.second,
        )  # fmt: skip
        self._stale: set[Part] = set(self._parts)
        self._is_afresh, self._is_final = True, False
        self._is_ready = False
        self._timer = QTimer(self, singleShot=True, interval=FRAME_INTERVAL_MS)
        self._still = QTimer(self, singleShot=True, interval=STILL_AFTER_MS)
        # after the slices that are painted in the same turn: both together would be a stall
        self._exposed = QTimer(self, singleShot=True, interval=0)
        self.stage.widget.installEventFilter(self)
        self.drag = SceneDrag(self)
        self._connect(session, view_state)

    def _connect(self, session: Session, view_state: ViewState) -> None:
        every = self._parts
        self._timer.timeout.connect(self.render_now)
        self._still.timeout.connect(self._render_still)
        self._exposed.timeout.connect(self.render_now)
        session.case_opened.connect(self._start_afresh)
        session.landmarks_changed.connect(lambda _: self._mark_stale(self.marks, self.second))
        session.gland_changed.connect(
            lambda _space: self._mark_stale(self.glands, self.volumes, self.error)
        )
        session.registration_changed.connect(lambda: self._mark_stale(*every))
        session.targets_changed.connect(lambda: self._mark_stale(self.targets))
        session.cores_changed.connect(lambda: self._mark_stale(self.cores))
        view_state.crosshair_changed.connect(lambda _space: self._mark_stale(self.planes))
        view_state.planes_turned.connect(lambda _space: self._mark_stale(self.planes))
        view_state.window_changed.connect(lambda _: self._mark_stale(self.planes, self.volumes))
        view_state.fusion_changed.connect(lambda: self._mark_stale(*every))
        view_state.selection_changed.connect(lambda: self._mark_stale(self.marks))
        self.state.changed.connect(lambda: self._mark_stale(*every))
        for event in ("StartInteractionEvent", "EndInteractionEvent"):
            self.stage.window.GetInteractor().GetInteractorStyle().AddObserver(
                event, self._on_camera
            )

    def sizeHint(self) -> QSize:
        """As large as a slice view."""
        return QSize(350, 380)

    # -- what is shown --------------------------------------------------------------------------

    @property
    def shown_space(self) -> Space:
        """The frame shown: that of US, or of MR while no US is open."""
        return Space.US if self.session.case.us is not None else Space.MR

    def frame_from(self, space: Space) -> RigidTransform | None:
        """The transform from `space` to the frame shown; None where they are the same."""
        if space is self.shown_space:
            return None
        return self.view_state.shown_us_from_mr(self.session.case.us_from_mr)

    def _start_afresh(self) -> None:
        """Another case: hold nothing of the last one, even while hidden."""
        for part in (self.planes, self.glands, self.volumes, self.error):
            part.forget()
        self._is_afresh = True
        self._mark_stale(*self._parts)

    def _mark_stale(self, *parts: Part) -> None:
        self._stale.update(parts)
        self._schedule()

    def refresh(self) -> None:
        """Bring what is stale in line with the case."""
        case = self.session.case
        self.stage.place_mr(
            self.view_state.shown_us_from_mr(case.us_from_mr), shown_space=self.shown_space
        )
        for part in self._parts:
            if part in self._stale:
                part.show(case)
        self._stale.clear()
        self._show_notes(case)
        if self._is_afresh:
            self._is_afresh = False
            look_from(self.stage.renderer, STANDARD)

    def _show_notes(self, case: Case) -> None:
        rows = [IMAGES]
        if self.second.is_shown:
            rows.append(SECOND)
        if case.targets:
            halo = ("ring", TARGET_COLOUR, "its 95 % error")
            shown = (halo,) if self.state.flag("halos") else ()
            rows.append(Row.of(("disc", TARGET_COLOUR, "Target"), *shown))
        if case.cores and self.state.flag("cores"):
            kinds = [kind for kind in CoreKind if any(core.kind is kind for core in case.cores)]
            named = (("line", CORE_COLOUR[kind], f"{kind} core") for kind in kinds)
            rows.append(Row.of(*named))
        if self.width() < LEGEND_FROM_PX:
            rows = rows[:1]
        scale = ErrorScale(ERROR_STOPS, *self.error.range_mm) if self.error.is_shown else None
        self.notes.show_legend(rows if self.state.flag("legend") else [], scale)
        self.notes.show_marker(shown=self.state.flag("marker"))

    def look_from(self, viewpoint: str) -> None:
        """Turn the camera to one of `scene_camera.VIEWPOINTS`."""
        look_from(self.stage.renderer, viewpoint)
        self._schedule()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A double click shows the scene alone, as in every view; painting gets its own turn."""
        if event.type() == QEvent.Type.MouseButtonDblClick:
            self.maximise_requested.emit()
            return True
        if event.type() == QEvent.Type.Paint:
            self._exposed.start()
            return True
        return False

    # -- rendering ------------------------------------------------------------------------------

    def steps_to_first_picture(self) -> Iterator[Callable[[], object]]:
        """What has to be done before anything is drawn, each for a turn of the event loop."""
        stage = self.stage
        yield from stage.steps_to_start()
        yield partial(stage.draw_only, stage.renderer)
        yield partial(self.notes.show_legend, [IMAGES], None)
        yield partial(stage.draw_only, stage.above)
        for show_more in self.notes.steps_to_marker():
            yield show_more
            yield stage.draw_only
        yield stage.draw_all
        yield from pictures_of_kinds(stage)
        yield self._become_ready

    def _become_ready(self) -> None:
        self._is_ready = True
        self._schedule()

    @property
    def _can_draw(self) -> bool:
        return self._is_ready and not self._is_final and self.isVisible()

    def _schedule(self) -> None:
        if self._can_draw and not self._timer.isActive():
            self._timer.start()

    def render_now(self) -> None:
        """Draw the scene at once, quickly; finely a little later. Nothing after `finalize`.

        While the system loads a library the picture is put off.
        """
        if self._can_draw and not unless_loading(self._draw):
            self._timer.start()

    def _draw(self) -> None:
        begun = perf_counter()
        self._timer.stop()
        self.refresh()
        moving = bool(self.volumes.shown())
        self.volumes.set_moving(moving=moving)
        self.stage.window.Render()
        took_ms = 1000 * (perf_counter() - begun)
        self._timer.setInterval(max(FRAME_INTERVAL_MS, round(IDLE_SHARE * took_ms)))
        if moving:
            self._still.start()

    def _render_still(self) -> None:
        if self._can_draw and not self.drag.is_dragging:
            self.volumes.set_moving(moving=False)
            self.stage.window.Render()

    def _on_camera(self, _style: object, event: str) -> None:
        """VTK draws by itself while the camera turns."""
        if event == "StartInteractionEvent":
            self._still.stop()
            self.volumes.set_moving(moving=True)
        elif self.volumes.shown():
            self._still.start()

    def save_picture(self, path: Path) -> None:
        """Write the scene as it is shown, drawn finely; InputError where it cannot be written."""
        self.refresh()
        self.volumes.set_moving(moving=False)
        save_picture(self.stage.window, path)

    def showEvent(self, event: QShowEvent) -> None:
        """Draw what changed while hidden."""
        super().showEvent(event)
        self._schedule()

    def finalize(self) -> None:
        """Give back OpenGL, in order: timers, what is drawn, render window, interactor."""
        if self._is_final:
            return
        self._is_final = True
        for timer in (self._timer, self._still, self._exposed):
            timer.stop()
        for part in (self.planes, self.glands, self.volumes, self.error):
            part.forget()
        self.stage.window.GetInteractor().GetInteractorStyle().RemoveAllObservers()
        self.notes.close()
        self.stage.widget.removeEventFilter(self)
        self.stage.widget.removeEventFilter(self.drag)
        self.stage.close()
