"""The fixed parts around the views: sidebar, menus and toolbar, built from tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QFrame,
    QMainWindow,
    QMenu,
    QScrollArea,
    QSplitter,
    QTabWidget,
    QToolBar,
    QVBoxLayout,
    QWidget,
)

from fusioninit.gui.actions import ACTIONS, TOOLBAR, Action
from fusioninit.gui.glyphs import icon

if TYPE_CHECKING:
    from fusioninit.gui.main_window import MainWindow

SIDEBAR_PX = 486
"""The least at which every table of the sidebar shows its columns."""


def make_sidebar(pages: dict[str, list[QWidget]], footer: QWidget) -> tuple[QFrame, QTabWidget]:
    """Tabs of scrolling panels, and one panel that always stays in sight below; also the tabs."""
    tabs = QTabWidget()
    tabs.setDocumentMode(True)
    tabs.tabBar().setDrawBase(False)
    for title, panels in pages.items():
        tabs.addTab(_page(panels), title)
    sidebar = QFrame()
    sidebar.setObjectName("sidebar")
    sidebar.setMinimumWidth(SIDEBAR_PX)
    column = bare_column(sidebar)
    column.addWidget(tabs, 1)
    column.addWidget(footer)
    return sidebar, tabs


def _page(panels: list[QWidget]) -> QScrollArea:
    inner = QWidget()
    column = QVBoxLayout(inner)
    column.setContentsMargins(8, 8, 8, 8)
    column.setSpacing(8)
    for panel in panels:
        column.addWidget(panel)
    if len(panels) > 1:  # one alone takes all the height for its table
        column.addStretch(1)
    area = QScrollArea()
    area.setWidget(inner)
    area.setWidgetResizable(True)
    area.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click on a button in it leaves the focus
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    return area


def make_body(views: QWidget, sidebar: QWidget) -> QSplitter:
    """Views left, sidebar right; the line between them can be drawn, to give the sidebar more."""
    body = QSplitter(Qt.Orientation.Horizontal)
    body.setHandleWidth(3)
    body.setChildrenCollapsible(False)
    for part, share in ((views, 1), (sidebar, 0)):
        body.addWidget(part)
        body.setStretchFactor(body.count() - 1, share)
    return body


def make_menus(window: QMainWindow, run: Callable[[Action], object]) -> dict[str, QAction]:
    """The menu bar of `ACTIONS`; `run` is called with the entry that was chosen."""
    menus: dict[str, QMenu] = {}
    actions: dict[str, QAction] = {}
    for entry in ACTIONS:
        menu = _menu_of(window, menus, entry.menu)
        if entry.begins_group:
            menu.addSeparator()
        action = actions[entry.name] = QAction(entry.text, window)
        action.setShortcut(entry.keys)
        action.setCheckable(entry.checked is not None)
        if entry.short:
            action.setIconText(entry.short)
        if entry.icon:
            action.setIcon(icon(entry.icon))
        keys = f" ({entry.keys})" if entry.keys else ""
        action.setToolTip((entry.tip or entry.text.replace("&", "").rstrip("…")) + keys)
        action.triggered.connect(lambda _on=False, entry=entry: run(entry))
        menu.addAction(action)
    return actions


def show_state(window: MainWindow, actions: dict[str, QAction]) -> None:
    """Which entries of `ACTIONS` can be chosen now, and which are on."""
    for entry in ACTIONS:
        action = actions[entry.name]
        action.setEnabled(entry.enabled(window))
        if entry.checked is not None:
            action.setChecked(entry.checked(window))


def _menu_of(window: QMainWindow, menus: dict[str, QMenu], path: str) -> QMenu:
    """The menu of that path, made where it is missing."""
    if path not in menus:
        above, _, title = path.rpartition("/")
        place = _menu_of(window, menus, above) if above else window.menuBar()
        menus[path] = place.addMenu(title)
    return menus[path]


def make_toolbar(window: QMainWindow, actions: dict[str, QAction]) -> None:
    """The bar of `TOOLBAR`."""
    bar = QToolBar("Main")
    bar.setMovable(False)
    bar.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    bar.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
    for name in TOOLBAR:
        if name is None:
            bar.addSeparator()
        else:
            bar.addAction(actions[name])
    window.addToolBar(bar)


def bare_column(parent: QWidget) -> QVBoxLayout:
    """A vertical layout without margins and gaps."""
    layout = QVBoxLayout(parent)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(0)
    return layout
