"""Where the 3D view goes: filled once the window stands, or a note that says why it is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from fusioninit.errors import InputError
from fusioninit.gui.loader import unless_loading
from fusioninit.gui.opengl import opengl_refusal
from fusioninit.gui.scene_state import SceneState
from fusioninit.gui.view_state import ViewState
from fusioninit.session import Session

if TYPE_CHECKING:
    from fusioninit.gui.scene_bar import SceneBar
    from fusioninit.gui.scene_view import SceneView

_MODULES = (
    "fusioninit.gui.scene_bar",
    "fusioninit.gui.scene_shapes",
    "vtkmodules.vtkRenderingOpenGL2",
    "fusioninit.gui.scene_stage",
    "fusioninit.gui.scene_volumes",
    "fusioninit.gui.scene_notes",
    "fusioninit.gui.scene_view",
)
"""What the 3D view brings with it, in portions."""
PAUSE_MS = 1
"""Between steps: with none at all they would follow one another before any input is looked at."""
_IMPORTS = tuple(partial(import_module, name) for name in _MODULES)


class ScenePlace(QWidget):
    """An empty frame until `fill`; loading VTK's renderer must not delay the first window."""

    maximise_requested = Signal()
    settled = Signal()
    """Once: there is a 3D view, or it is said why there is none."""
    told = Signal(str, str)
    """(kind, sentence) for the message bar."""

    def __init__(
        self, session: Session, view_state: ViewState, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._session, self._view_state = session, view_state
        self.scene: SceneView | None = None
        """Once it can draw."""
        self._made: SceneView | None = None
        self._state: SceneState | None = None
        self.bar: SceneBar | None = None
        self._steps: Iterator[Callable[[], object]] | None = None
        self._next: Callable[[], object] | None = None
        self._is_final = False
        self.note = QLabel("3D view")
        self.note.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.note.setWordWrap(True)
        self.note.setStyleSheet("background: #000000; color: #7d8894; padding: 12px;")
        self.setMinimumSize(140, 120)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(0)
        self._layout.addWidget(self.note)

    def sizeHint(self) -> QSize:
        """As large as a slice view."""
        return QSize(350, 380)

    def fill(self) -> None:
        """Make the 3D view where OpenGL serves, else say why there is none. Once.

        In steps, each in a turn of the event loop of its own: together they take half a second,
        and the window must answer meanwhile.
        """
        if self._steps is None:
            self._steps = self._all_steps()
            QTimer.singleShot(PAUSE_MS, self, self._step)

    def _all_steps(self) -> Iterator[Callable[[], object]]:
        yield self._ask
        yield from _IMPORTS
        yield self._make_bar
        yield self._make_view
        assert self._made is not None  # made in the step before
        yield from self._made.steps_to_first_picture()
        yield self._show

    def _step(self) -> None:
        if self._is_final:
            return  # before the next step is asked for: what it would name has gone
        if self._next is None:
            self._next = next(self._steps or iter(()), None)
        if self._next is None:
            self.settled.emit()
            return
        if unless_loading(self._next):
            self._next = None
        QTimer.singleShot(PAUSE_MS, self, self._step)

    def _ask(self) -> None:
        refusal = opengl_refusal()
        if refusal:
            self._steps = iter(())
            self.note.setText(
                f"3D view unavailable\n\n{refusal}\nEverything else works without it."
            )

    def _make_bar(self) -> None:
        from fusioninit.gui.keyboard_use import KeyboardUse
        from fusioninit.gui.scene_bar import SceneBar

        self._state = SceneState(self)
        self.bar = SceneBar(self._state, self)
        KeyboardUse(self.bar)
        self.bar.picture_requested.connect(self._save_picture)
        self._layout.insertWidget(0, self.bar)

    def _make_view(self) -> None:
        from fusioninit.gui.scene_view import SceneView

        assert self.bar is not None  # made in the step before
        assert self._state is not None
        view = self._made = SceneView(self._session, self._view_state, self._state, self)
        view.maximise_requested.connect(self.maximise_requested)
        self.bar.viewpoint_chosen.connect(view.look_from)
        self.note.hide()
        self._layout.addWidget(view, 1)

    def _show(self) -> None:
        self.scene = self._made

    def _save_picture(self) -> None:
        from fusioninit.gui.scene_picture import choose_picture

        path = choose_picture(self)
        if path is None or self.scene is None:
            return
        try:
            self.scene.save_picture(path)
        except InputError as error:
            self.told.emit("error", str(error))
        else:
            self.told.emit("info", f"Picture saved as {path.name}")

    def finalize(self) -> None:
        """Give back OpenGL; before the window is destroyed."""
        self._is_final = True
        if self._made is not None:
            self._made.finalize()
