"""The window: puts views, bars and panels together and connects them to the session."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QAction, QCloseEvent, QDragEnterEvent, QDropEvent, QShowEvent
from PySide6.QtWidgets import (
    QLabel,
    QMainWindow,
    QMenu,
    QWidget,
)

from fusioninit.geometry import Space
from fusioninit.gui.calm import Calm
from fusioninit.gui.core_panel import CorePanel
from fusioninit.gui.dialogs import AboutBox, PreferencesDialog, ShortcutsSheet
from fusioninit.gui.file_flow import FileFlow
from fusioninit.gui.fusion_bar import FusionBar
from fusioninit.gui.geometry_guard import GeometryGuard
from fusioninit.gui.glyphs import renew_icons
from fusioninit.gui.keyboard_use import KeyboardUse
from fusioninit.gui.landmark_panel import LandmarkPanel
from fusioninit.gui.manual import Manual
from fusioninit.gui.message_bar import MessageBar
from fusioninit.gui.pair_guard import PairGuard
from fusioninit.gui.preferences import Preferences
from fusioninit.gui.progress_area import ProgressArea
from fusioninit.gui.read_out import ReadOut
from fusioninit.gui.registration_panel import RegistrationPanel
from fusioninit.gui.review_panel import ReviewPanel
from fusioninit.gui.services import OpenCase, Services
from fusioninit.gui.slice_view import SliceView
from fusioninit.gui.target_panel import TargetPanel
from fusioninit.gui.theme import SPACE_NAME, current_theme
from fusioninit.gui.tour import Tour
from fusioninit.gui.view_grid import ViewGrid
from fusioninit.gui.view_menu import ViewMenu
from fusioninit.gui.view_state import ViewState
from fusioninit.gui.views import Views
from fusioninit.gui.window_frame import (
    bare_column,
    make_body,
    make_menus,
    make_sidebar,
    make_toolbar,
    show_state,
)
from fusioninit.landmarks import LandmarkName
from fusioninit.session import Session

BANNER = "Research use only — not a medical device"


class MainWindow(QMainWindow):
    """One case, one window. What it cannot do alone (read, detect, export) is handed in."""

    session: Session
    view_state: ViewState
    views: Views
    grid: ViewGrid
    files: FileFlow
    geometry_guard: GeometryGuard
    landmarks: LandmarkPanel
    targets: TargetPanel
    tour: Tour
    review: ReviewPanel

    def __init__(self, session: Session, preferences: Preferences, services: Services) -> None:
        super().__init__()
        self.session, self.preferences, self._services = session, preferences, services
        self._is_closed = False
        self._theme = current_theme()
        self.view_state = ViewState(self)
        self.files = FileFlow(self, session, services, preferences)
        self.views = Views(session, self.view_state, self)
        self.slices, self.grid = self.views.slices, self.views.grid
        self.scene_place = self.views.scene_place
        self.fusion_bar = FusionBar(self.view_state)
        self.messages = MessageBar()
        self.landmarks = LandmarkPanel(session, self.view_state)
        self.registration = RegistrationPanel(session)
        self.targets = TargetPanel(session, self.view_state)
        self.cores = CorePanel(session, self.view_state)
        self.tour = Tour(session, self.view_state, self)
        self.review = ReviewPanel(session, self.tour)
        self.progress = ProgressArea()
        self.pair_guard = PairGuard(self, session)
        self._manual: Manual | None = None
        self.read_out = ReadOut(session)
        self.actions_by_name: dict[str, QAction] = {}
        self._arrange()
        self._make_actions()
        self._connect()
        # after the work's own messages, since it answers some of them
        self.geometry_guard = GeometryGuard(self, session, services.opening, self.messages)
        self._show_case()
        self._apply_preferences()

    # -- building -------------------------------------------------------------------------------

    def _arrange(self) -> None:
        self.setAcceptDrops(True)
        self.resize(1400, 900)
        main = QWidget()
        column = bare_column(main)
        for widget in (self.fusion_bar, self.messages):
            column.addWidget(widget)
        self.sidebar, self.sidebar_tabs = make_sidebar(
            {
                "Landmarks and alignment": [self.landmarks, self.registration],
                "Targets": [self.targets],
                "Needle plan": [self.cores],
            },
            self.review,
        )
        column.addWidget(make_body(self.grid, self.sidebar), 1)
        self.setCentralWidget(main)
        self.slices["us_axial"].setFocus()
        banner = QLabel(BANNER)
        banner.setObjectName("banner")
        self.statusBar().addWidget(self.read_out, 1)
        self.statusBar().addPermanentWidget(self.progress)
        self.statusBar().addPermanentWidget(banner)
        self.statusBar().setSizeGripEnabled(False)

    def _make_actions(self) -> None:
        self.actions_by_name = make_menus(self, lambda entry: entry.intent(self))
        self._recent_menu = QMenu("Open &recent", self)
        self._recent_menu.aboutToShow.connect(self._fill_recent)
        demo = self.actions_by_name["demo"]
        demo.associatedObjects()[0].insertMenu(demo, self._recent_menu)  # type: ignore[attr-defined]
        make_toolbar(self, self.actions_by_name)
        KeyboardUse(self)

    def _connect(self) -> None:
        session, state = self.session, self.view_state
        session.case_opened.connect(self._show_case)
        self._actions = Calm(session, self._refresh_actions, self)
        for edited in (
            session.landmarks_changed,
            session.registration_changed,
            session.undo_stack.indexChanged,
            session.undo_stack.cleanChanged,
            session.saved,
            state.selection_changed,
            state.fusion_changed,
            state.planes_turned,
        ):
            edited.connect(self._actions.follow)
        session.refused.connect(self._warn)
        self.fusion_bar.layout_chosen.connect(self.show_layout)
        self.views.layout_shown.connect(self.fusion_bar.show_layout)
        self.targets.load_requested.connect(self.files.choose_targets)
        self.landmarks.detect_requested.connect(lambda: self.detect((Space.MR, Space.US)))
        self.registration.jump_requested.connect(self.views.jump_to)
        self.registration.learning_requested.connect(self.files.choose_prior_folder)
        self.registration.prior.chosen.connect(self.preferences.keep_prior)
        for teller in (self.files, self.scene_place):
            teller.told.connect(lambda kind, text: self.messages.show_message(text, kind=kind))
        self.preferences.changed.connect(self._apply_preferences)
        for view in self.slices.values():
            view.hovered.connect(self.read_out.show_at)
            view.menu_requested.connect(self._show_view_menu)
        self._connect_work()

    def _connect_work(self) -> None:
        for work in self._services.works:
            self.progress.follow(work)
            work.failed.connect(self.messages.show_message)
        if self._services.learning_prior is not None:
            self._services.learning_prior.learned.connect(self.preferences.keep_prior)
        self._services.opening.warned.connect(self._warn)
        self._services.opening.doubted.connect(self.pair_guard.ask)
        # in a turn of its own: the images are painted first, and the opening's progress has ended
        self._services.opening.opened.connect(
            self._detect_what_is_missing, Qt.ConnectionType.QueuedConnection
        )
        self._services.opening.opened.connect(self._actions.follow)
        if self._services.detecting is not None:
            self._services.detecting.found.connect(self._on_found)
        if self._services.preparing is not None:
            self.scene_place.settled.connect(self._services.preparing.begin)

    # -- what can be done -----------------------------------------------------------------------

    @property
    def has_demo(self) -> bool:
        """Whether a demo was handed in."""
        return self._services.open_demo is not None

    @property
    def can_detect(self) -> bool:
        """Whether networks were handed in."""
        return self._services.detecting is not None

    @property
    def can_load_targets(self) -> bool:
        """Whether a reader of targets was handed in, and an MR is open to place them in."""
        return self._services.reading_targets is not None and self.session.case.mr is not None

    @property
    def can_export(self) -> bool:
        """Whether an exporter was handed in."""
        return self._services.exporting is not None

    def offer_to_resume(self, why: str, make: OpenCase) -> None:
        """Say in a sentence why an earlier case is not done, and offer to go on with it."""
        self.messages.show_message(
            why,
            kind="warning",
            answer=("Resume", lambda: self.files.open_made(make, "the last case", resumes=True)),
        )

    def open_demo(self) -> None:
        """Open the bundled pair."""
        if self._services.open_demo is not None:
            self.files.open_made(self._services.open_demo, "the demo")

    def detect(self, spaces: Iterable[Space], *, only: LandmarkName | None = None) -> None:
        """Look for landmarks (or for one `only`) in the open volumes among `spaces`."""
        if self._services.detecting is not None:
            self._services.detecting.start(spaces, only=only)

    def detect_selected(self) -> None:
        """Look once more for the selected landmark alone."""
        selection = self.view_state.selection
        if selection is not None:
            self.detect(selection[:1], only=selection[1])

    def show_layout(self, name: str) -> None:
        """Arrange the views otherwise."""
        self.views.show_layout(name)

    def toggle_sidebar(self) -> None:
        """Give the views the whole width, or bring the side panel back."""
        self.sidebar.setVisible(self.sidebar.isHidden())

    def show_page(self, number: int) -> None:
        """Turn the side panel to a page, and give it the focus."""
        self.sidebar.show()
        self.sidebar_tabs.setCurrentIndex(number)
        self.sidebar_tabs.tabBar().setFocus(Qt.FocusReason.ShortcutFocusReason)

    def place_landmark(self, space: Space, name: LandmarkName, position_mm: Any) -> None:
        """Place or move a landmark (LPS mm of `space`) and choose it."""
        self.session.move_landmark(space, name, position_mm)
        self.view_state.select(space, name)
        self.view_state.set_crosshair(space, position_mm)

    def show_preferences(self) -> None:
        """Ask for preferences."""
        PreferencesDialog(self.preferences, self).exec()

    def show_shortcuts(self) -> None:
        """Explain keys and gestures."""
        ShortcutsSheet(self.preferences.gestures, self).exec()

    def show_manual(self) -> None:
        """Open the manual beside the window; it needs no network."""
        if self._manual is None:
            self._manual = Manual(self)
        self._manual.show()
        self._manual.raise_()

    def show_about(self) -> None:
        """Say what this is."""
        AboutBox(self).exec()

    # -- reacting -------------------------------------------------------------------------------

    def _show_case(self) -> None:
        self.view_state.show_case(self.session.case)
        self._refresh_actions()

    def _refresh_actions(self) -> None:
        show_state(self, self.actions_by_name)
        self.setWindowTitle(f"{self.files.case_name}[*]")
        self.setWindowModified(self.session.has_unsaved_work)

    def _warn(self, sentence: str) -> None:
        self.messages.show_message(sentence, kind="warning")

    def _on_found(self, space: Space, detection: Any) -> None:
        for sentence in detection.quality.get("warnings", ()):
            self._warn(f"{SPACE_NAME[space]}: {sentence}")

    def _detect_what_is_missing(self, _paths: object) -> None:
        case = self.session.case
        missing = [s for s in (Space.MR, Space.US) if case.volume(s) and not case.landmarks(s)]
        if missing and self.preferences.detects_on_open and not self._is_closed:
            self.detect(missing)

    def _show_view_menu(self, space: Space, position_mm: Any, at: Any) -> None:
        ViewMenu(self, space, position_mm).popup(at)

    def _fill_recent(self) -> None:
        self._recent_menu.clear()
        for paths in self.preferences.recent:
            text = " + ".join(Path(path).name for path in paths)
            action = self._recent_menu.addAction(text)
            action.setToolTip("\n".join(paths))
            action.triggered.connect(lambda _on=False, paths=paths: self.files.open_recent(paths))
        if self._recent_menu.isEmpty():
            self._recent_menu.addAction("Nothing yet").setEnabled(False)

    def renew_theme(self) -> None:
        """Redraw what was coloured by hand, after another theme was applied."""
        renew_icons(self)
        self.fusion_bar.renew_colours()
        self.registration.refresh()
        self.review.refresh()

    def _apply_preferences(self) -> None:
        if current_theme() is not self._theme:
            self._theme = current_theme()
            self.renew_theme()
        self.views.use_preferences(self.preferences)

    # -- window events --------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        """The 3D view is made once the window stands."""
        super().showEvent(event)
        QTimer.singleShot(0, self, self.scene_place.fill)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Files and folders are welcome."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open what was dropped; over a view it becomes that view's volume."""
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        under = self.childAt(event.position().toPoint())
        over = under.space if isinstance(under, SliceView) else None
        if paths:
            self.files.open_dropped(paths, over=over)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Stop all work, wait for its threads, then give back OpenGL."""
        if not self._is_closed:
            self._is_closed = True
            self.preferences.keep_geometry(self.saveGeometry())
            # A dying undo stack still tells of its last change, to a window that is no more.
            self.session.undo_stack.blockSignals(True)
            for work in self._services.works:
                work.close()
            self.session.end()
            self.scene_place.finalize()
        super().closeEvent(event)
