"""The whole way through the real application, by mouse and keys, on the bundled demo.

Every step leaves a screenshot in `test-artefacts/` to be looked at.
"""

import gc
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from fusioninit.app.libraries import lasting_objects
from fusioninit.app.window import make_application, make_window
from fusioninit.geometry import Space
from fusioninit.gui.preferences import Preferences
from fusioninit.registration import LandmarkFit
from tests.stall_watch import StallWatch

PICTURES = Path(__file__).resolve().parents[2] / "test-artefacts"
LEFT = Qt.MouseButton.LeftButton
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


class Walker:
    """Does what a person does, and waits as a person waits."""

    def __init__(self, application, window):
        self.application, self.window = application, window
        self.watch = StallWatch()
        self._number = 0

    def wait(self, until, seconds=120.0):
        end = time.monotonic() + seconds
        while not until():
            assert time.monotonic() < end, "waited in vain"
            self.application.processEvents()
            time.sleep(0.002)

    def rest(self, seconds=0.4):
        end = time.monotonic() + seconds
        self.wait(lambda: time.monotonic() > end)

    def doing(self, step):
        """Let what came before settle, and name what follows, for the report of stalls."""
        self.rest()
        self.watch.step = step

    def picture(self, name):
        self.rest()
        with self.watch.looking_away():
            self._keep_picture(name)

    def _keep_picture(self, name):
        PICTURES.mkdir(exist_ok=True)
        self._number += 1
        place = self.window.geometry()
        shot = self.window.screen().grabWindow(
            0, place.x(), place.y(), place.width(), place.height()
        )
        assert shot.save(str(PICTURES / f"walk-{self._number}-{name}.png"))
        image = shot.toImage()
        colours = {image.pixelColor(x, 130 + 3 * x // 4).name() for x in range(0, 900, 2)}
        assert len(colours) > 30

    def drag(self, view, start, by):
        QTest.mousePress(view, LEFT, Qt.KeyboardModifier.NoModifier, start)
        for share in (0.3, 0.6, 1.0):
            QTest.mouseMove(view, start + by * share)
            self.rest(0.05)
        QTest.mouseRelease(view, LEFT, Qt.KeyboardModifier.NoModifier, start + by)

    def click(self, widget):
        QTest.mouseClick(widget, LEFT)
        self.rest(0.05)

    def press(self, key, modifier=Qt.KeyboardModifier.NoModifier):
        QTest.keyClick(self.window, key, modifier)
        self.rest(0.05)


@pytest.fixture
def walker(qapp, tmp_path, leaves_nothing):
    with lasting_objects():  # as `run_window` does
        application = make_application()
        window = make_window(Preferences(tmp_path / "s.ini"), journals=tmp_path / "journals")
    window.resize(1400, 900)
    window.move(0, 0)
    window.show()
    window.activateWindow()
    application.processEvents()
    walker = Walker(application, window)
    yield walker
    walker.watch.close()
    window.close()
    window.deleteLater()
    gc.unfreeze()


def walk_the_whole_way(walker, folder):
    """Open, detect, drag, undo, redo, estimator, target, cores, tour, accept, export, reopen."""
    window, session = walker.window, walker.window.session
    walker.doing("3D view")
    walker.rest(1.0)

    walker.doing("open")
    window.actions_by_name["demo"].trigger()
    walker.wait(lambda: session.case.us is not None)
    walker.watch.step = "detect"
    walker.wait(lambda: session.case.us_from_mr is not None and not window.progress.isVisible())
    walker.picture("detected")

    walker.doing("drag")
    window.jump_to("posterior_median")
    walker.rest()
    view = window.slices["us_sagittal"]
    before = session.case.us_landmarks["posterior_median"].position_mm
    start = view.to_view(before).toPoint()
    walker.drag(view, start, QPoint(14, 10))
    moved = session.case.us_landmarks["posterior_median"].position_mm
    expected_mm = np.hypot(14, 10) * view.mm_per_px()
    assert np.linalg.norm(moved - before) == pytest.approx(expected_mm, abs=0.5)
    walker.picture("dragged")

    walker.doing("undo")
    walker.press(Qt.Key.Key_Z, CTRL)
    assert np.array_equal(session.case.us_landmarks["posterior_median"].position_mm, before)
    walker.doing("redo")
    walker.press(Qt.Key.Key_Z, CTRL | SHIFT)
    assert np.array_equal(session.case.us_landmarks["posterior_median"].position_mm, moved)

    walker.doing("estimator")
    window.registration.estimator.setFocus()
    other = window.registration.estimator.findData("translation")
    window.registration.estimator.setCurrentIndex(other)
    window.registration.estimator.activated.emit(other)
    assert session.case.us_from_mr.angle_deg == pytest.approx(0.0, abs=1e-9)
    walker.press(Qt.Key.Key_Z, CTRL)
    assert session.case.us_from_mr.angle_deg > 0.0

    walker.doing("add target")
    walker.press(Qt.Key.Key_T)
    assert len(session.case.targets) == 1
    window.sidebar_tabs.setCurrentIndex(1)
    walker.picture("target")
    window.sidebar_tabs.setCurrentIndex(2)
    walker.doing("plan cores")
    walker.click(window.cores.template)
    walker.click(window.cores.targeted)
    assert len(session.case.cores) == 14
    window.cores.table.choose(12)
    walker.picture("needle-plan")
    window.sidebar_tabs.setCurrentIndex(0)
    walker.doing("tour")
    walker.press(Qt.Key.Key_G)
    assert window.tour.is_on
    walker.click(window.review.forth)
    walker.picture("tour")
    walker.click(window.review.end_tour)

    walker.doing("accept")
    QTest.keyClicks(window.review.initials, "AB")
    walker.click(window.review.accept)
    assert session.case.decision.accepted
    walker.doing("export")
    window.files.export_to(folder / "out")
    walker.wait(lambda: any("verified" in text for text in window.messages.texts))
    assert list((folder / "out").glob("*.tfm"))
    walker.picture("exported")

    walker.doing("save")
    window.files._save_to(folder / "case")
    walker.doing("reopen")
    saved = session.case
    window.files.open_case(window.files.saved_as)
    walker.wait(lambda: session.case is not saved)
    assert session.case.us_landmarks == saved.us_landmarks
    assert session.case.decision == saved.decision
    assert session.case.targets[0].name == "Target 1"
    assert [core.name for core in session.case.cores] == [core.name for core in saved.cores]
    for core, before in zip(session.case.cores, saved.cores, strict=True):
        assert np.array_equal(core.tip_us_mm, before.tip_us_mm)
    fits = [case.registration for case in (session.case, saved)]
    assert all(isinstance(fit, LandmarkFit) for fit in fits)
    assert np.allclose(fits[0].us_from_mr.matrix, fits[1].us_from_mr.matrix, atol=1e-6)
    walker.rest()


@pytest.mark.gl
def test_from_opening_the_demo_to_the_export_and_back(walker, tmp_path):
    walk_the_whole_way(walker, tmp_path)
    assert threading.active_count() <= 2


@pytest.mark.gl
def test_layouts_modes_and_the_light_theme_are_looked_at(walker):
    from fusioninit.gui.theme import DARK, LIGHT, apply_theme

    window, session = walker.window, walker.window.session
    window.preferences.set_value("detects_on_open", "false")
    window.actions_by_name["demo"].trigger()
    walker.wait(lambda: session.case.us is not None)
    from fusioninit.state.demo import demo_truth

    truth = demo_truth()
    session.import_landmarks(truth.us_landmarks)
    session.import_landmarks(truth.mr_landmarks)
    for layout in ("Six slices", "Four-up", "Side by side", "3D"):
        window.show_layout(layout)
        walker.picture(f"layout-{layout.lower().replace(' ', '-')}")
    window.show_layout("Review")
    for mode in ("mode_checker", "mode_wipe"):
        window.actions_by_name[mode].trigger()
        walker.picture(mode.replace("_", "-"))
    apply_theme(walker.application, LIGHT)
    window.preferences.set_value("theme", "Light")
    walker.picture("light")
    apply_theme(walker.application, DARK)
    assert session.case.landmarks(Space.MR) == truth.mr_landmarks
