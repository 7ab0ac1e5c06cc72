"""The bar of the 3D view: one small menu each for images, planes, cuts, error, camera, more."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QToolButton, QWidget

from fusioninit.geometry import Orientation, Space
from fusioninit.gui.glyphs import icon, space_icon
from fusioninit.gui.scene_camera import VIEWPOINTS
from fusioninit.gui.scene_state import Body, ErrorLook, SceneState
from fusioninit.gui.theme import SPACE_NAME

_BODY_TEXT = {
    Body.SURFACE: "Surface of the gland",
    Body.VOLUME: "Volume rendering",
    Body.OFF: "Hidden",
}
_CUT_TEXT = {
    Orientation.AXIAL: "At the axial slice",
    Orientation.SAGITTAL: "At the sagittal slice",
    Orientation.CORONAL: "At the coronal slice",
}

_ERROR_TEXT = {
    ErrorLook.OFF: "No error over the gland",
    ErrorLook.COLOURS: "Colours on the gland",
    ErrorLook.SHELL: "Shell that holds 95 % of errors",
}
NAMED_FROM_PX = 285
"""Width from which the bar has room for the names of US and MR."""


class SceneBar(QFrame):
    """Shows and changes the scene's state; holds none of its own."""

    viewpoint_chosen = Signal(str)
    picture_requested = Signal()

    def __init__(self, state: SceneState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("bar")
        self._state = state
        self._shown: list[tuple[QAction, Callable[[], bool]]] = []
        self.buttons: dict[str, QToolButton] = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(4, 2, 4, 2)
        row.setSpacing(1)
        for space in (Space.US, Space.MR):
            self._add(f"{SPACE_NAME[space]} in 3D", "", self._body_menu(space), space=space)
        self._add("Slice planes in 3D", "layers-triple-outline", self._planes_menu())
        self._add("Cut surfaces and volumes", "content-cut", self._cuts_menu())
        self._add("Predicted error in 3D", "target-variant", self._error_menu())
        row.addStretch(1)
        self._add("Look from", "rotate-orbit", self._camera_menu())
        self._add("More for the 3D view", "dots-vertical", self._more_menu())
        state.changed.connect(self._show)
        self._show()

    def changeEvent(self, event: QEvent) -> None:
        """The glyphs of US and MR in the colours of another theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            for space in (Space.US, Space.MR):
                button = self.buttons.get(f"{SPACE_NAME[space]} in 3D")
                if button is not None:
                    button.setIcon(space_icon(space))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The names of US and MR beside their glyphs only where both fit whole."""
        super().resizeEvent(event)
        styles = Qt.ToolButtonStyle
        has_room = event.size().width() >= NAMED_FROM_PX
        for space in (Space.US, Space.MR):
            self.buttons[f"{SPACE_NAME[space]} in 3D"].setToolButtonStyle(
                styles.ToolButtonTextBesideIcon if has_room else styles.ToolButtonIconOnly
            )

    def action(self, text: str) -> QAction:
        """The entry of that text, in whichever menu it stands."""
        menus = (button.menu() for button in self.buttons.values())
        return next(a for menu in menus for a in menu.actions() if a.text() == text)

    def _add(self, name: str, picture: str, menu: QMenu, *, space: Space | None = None) -> None:
        button = QToolButton()
        button.setIcon(icon(picture) if space is None else space_icon(space))
        button.setIconSize(QSize(18, 18))
        if space is not None:
            button.setText(SPACE_NAME[space])
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setStyleSheet(
            "QToolButton { padding: 3px 4px; } QToolButton::menu-indicator { width: 0; }"
        )
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setMenu(menu)
        button.setToolTip(name)
        button.setAccessibleName(name)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        menu.setAccessibleName(name)
        menu.setParent(button, menu.windowFlags())
        self.buttons[name] = button
        layout = self.layout()
        assert layout is not None
        layout.addWidget(button)

    # -- menus ----------------------------------------------------------------------------------

    def _body_menu(self, space: Space) -> QMenu:
        menu, state = QMenu(), self._state
        group = QActionGroup(menu)
        for body in Body:
            action = self._switch(
                menu,
                _BODY_TEXT[body],
                partial(_is_body, state, space, body),
                partial(_set_body, state, space, body),
            )
            group.addAction(action)
        return menu

    def _planes_menu(self) -> QMenu:
        menu, state = QMenu(), self._state
        for plane in Orientation:
            text = f"{plane.value.capitalize()} slice"
            self._switch(
                menu, text, partial(state.shows_plane, plane), partial(_set_plane, state, plane)
            )
        return menu

    def _cuts_menu(self) -> QMenu:
        menu, state = QMenu(), self._state
        for plane, text in _CUT_TEXT.items():
            self._switch(menu, text, partial(state.cuts_at, plane), partial(_set_cut, state, plane))
        menu.addSeparator()
        self._flag(menu, "Keep the other side", "other_side")
        self._flag(menu, "Volumes only in a box round the gland", "box")
        return menu

    def _error_menu(self) -> QMenu:
        menu, state = QMenu(), self._state
        group = QActionGroup(menu)
        for look, text in _ERROR_TEXT.items():
            action = self._switch(
                menu, text, partial(_is_error, state, look), partial(_set_error, state, look)
            )
            group.addAction(action)
        menu.addSeparator()
        self._flag(menu, "95 % regions of landmarks", "regions")
        self._flag(menu, "95 % halos of targets", "halos")
        return menu

    def _camera_menu(self) -> QMenu:
        menu = QMenu()
        for viewpoint in VIEWPOINTS:
            menu.addAction(viewpoint).triggered.connect(
                lambda _on=False, viewpoint=viewpoint: self.viewpoint_chosen.emit(viewpoint)
            )
        return menu

    def _more_menu(self) -> QMenu:
        menu = QMenu()
        self._flag(menu, "Planned cores", "cores")
        self._flag(menu, "Legend", "legend")
        self._flag(menu, "Cube of directions", "marker")
        menu.addSeparator()
        menu.addAction("Save picture…").triggered.connect(lambda _on: self.picture_requested.emit())
        return menu

    # -- entries --------------------------------------------------------------------------------

    def _switch(
        self, menu: QMenu, text: str, is_on: Callable[[], bool], switch: Callable[[bool], None]
    ) -> QAction:
        action = menu.addAction(text)
        action.setCheckable(True)
        # PySide calls a partial without the argument that a function would get.
        action.triggered.connect(lambda on=False: switch(on))
        self._shown.append((action, is_on))
        return action

    def _flag(self, menu: QMenu, text: str, name: str) -> None:
        self._switch(
            menu,
            text,
            lambda: self._state.flag(name),
            lambda on: self._state.set_flag(name, on=on),
        )

    def _show(self) -> None:
        for action, is_on in self._shown:
            action.setChecked(is_on())


def _is_body(state: SceneState, space: Space, body: Body) -> bool:
    return state.body(space) is body


def _set_body(state: SceneState, space: Space, body: Body, _on: bool) -> None:
    state.set_body(space, body)


def _set_plane(state: SceneState, plane: Orientation, on: bool) -> None:
    state.set_plane(plane, shown=on)


def _set_cut(state: SceneState, plane: Orientation, on: bool) -> None:
    state.set_cut(plane, on=on)


def _is_error(state: SceneState, look: ErrorLook) -> bool:
    return state.error is look


def _set_error(state: SceneState, look: ErrorLook, _on: bool) -> None:
    state.set_error(look)
