"""`run_window`: from the command line to a closed window."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from platformdirs import user_config_path, user_data_path
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from fusioninit.app.journals import describe, new_journal, resumed, unfinished
from fusioninit.app.libraries import lasting_objects
from fusioninit.app.work import (
    BundledNetworks,
    export_case,
    holds_targets,
    learn_prior,
    load_torch_ahead,
    read_for_window,
    read_targets,
)
from fusioninit.geometry import Space
from fusioninit.gui.gland_outline import graded_mask
from fusioninit.gui.main_window import MainWindow
from fusioninit.gui.preferences import DEVICES, Preferences
from fusioninit.gui.services import Services
from fusioninit.gui.slice_image import sampler_for
from fusioninit.gui.theme import THEMES, apply_theme
from fusioninit.imaging.volume import Volume
from fusioninit.session import (
    Detecting,
    Exporting,
    LatestJob,
    LearningPrior,
    Opening,
    Preparing,
    ReadingTargets,
    Saving,
    Session,
)
from fusioninit.state import Case

NAME = "fusioninit"

SWITCH_S = 0.0005
"""A thread that computes in Python gives way to the GUI thread this soon. One picture asks for
Python's lock some dozen times: at Python's own 0.005 s such a thread could make it wait 0.1 s."""


def run_window(
    *,
    mr: Path | None = None,
    us: Path | None = None,
    case: Path | None = None,
    demo: bool = False,
) -> int:
    """Open the window, on volumes, a case or the demo where given; return when it is closed."""
    journals = user_data_path(NAME) / "journals"
    with lasting_objects():
        application = make_application()
        settings = Preferences(user_config_path(NAME) / "settings.ini")
        window = make_window(settings, journals=journals)
    window.show()
    last = unfinished(journals)
    if last is not None:
        window.offer_to_resume(describe(last), partial(resumed, last))
    start = _first_task(window, mr=mr, us=us, case=case, demo=demo)
    QTimer.singleShot(0, window, start)
    return int(application.exec())


def make_application() -> QApplication:
    """The one application object. VTK cannot draw into Wayland windows: X11 is used there."""
    if os.environ.get("WAYLAND_DISPLAY") and os.environ.get("DISPLAY"):
        os.environ.setdefault("QT_QPA_PLATFORM", "xcb")
    application = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(application, QApplication)
    application.setApplicationName(NAME)
    application.setApplicationDisplayName(NAME)
    sys.setswitchinterval(SWITCH_S)
    return application


def make_window(preferences: Preferences, *, journals: Path) -> MainWindow:
    """The window with everything it needs, in threads of its own."""
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    apply_theme(application, THEMES.get(preferences.theme, THEMES["Dark"]))
    session = Session(Case(prior=preferences.prior))
    jobs = [LatestJob() for _ in range(7)]
    reading, detecting, exporting, targets, learning, saving, ahead = jobs
    opening = Opening(
        session,
        read_for_window,
        reading,
        prepare=sampler_for,
        prepare_gland=_prepare_gland,
        new_journal=lambda: new_journal(journals),
    )
    networks = BundledNetworks(lambda: DEVICES.get(preferences.device))
    services = Services(
        opening,
        Detecting(session, networks, detecting, prepare=_prepare_gland),
        Exporting(session, export_case, exporting),
        ReadingTargets(session, read_targets, targets),
        Saving(session, saving),
        Preparing(session, load_torch_ahead, ahead),
        LearningPrior(session, learn_prior, learning),
        open_demo=_open_demo,
        holds_targets=holds_targets,
    )
    window = MainWindow(session, preferences, services)
    for part in (session, *jobs, *services.works):
        part.setParent(window)
    geometry = preferences.geometry
    if geometry is not None:
        window.restoreGeometry(geometry)
    return window


def _prepare_gland(gland: Volume) -> None:
    """What the views need of a gland, made on the thread that brings it."""
    from fusioninit.gui.gland_surface import gland_surface

    sampler_for(graded_mask(gland))
    gland_surface(gland)


def _open_demo(read: Any) -> Any:
    from fusioninit.state.demo import open_demo

    return open_demo(read)


def _first_task(
    window: MainWindow, *, mr: Path | None, us: Path | None, case: Path | None, demo: bool
) -> Callable[[], None]:
    paths = {space: path for space, path in ((Space.MR, mr), (Space.US, us)) if path is not None}
    if demo:
        return window.open_demo
    if case is not None:
        return lambda: window.files.open_case(case)
    if paths:
        return lambda: window.files.open_paths(paths)
    return lambda: None
