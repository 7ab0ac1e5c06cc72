"""The whole way through the real application, by mouse and keys alone, on the bundled demo.

File dialogs are Qt's own, so that they can be typed into as any window. Every step leaves a
screenshot in `test-artefacts/` to be looked at.
"""

import gc
import os
import threading
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QLineEdit

from fusioninit.app.libraries import lasting_objects
from fusioninit.app.window import make_application, make_window
from fusioninit.bundled import asset_path
from fusioninit.geometry import Space
from fusioninit.gui.preferences import Preferences
from fusioninit.registration import LandmarkFit
from tests.stall_watch import StallWatch
from tests.waiting import rest, wait_until

PICTURES = Path(__file__).resolve().parents[2] / "test-artefacts"
LEFT = Qt.MouseButton.LeftButton
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


class Walker:
    """Does what a person does, and waits as a person waits."""

    def __init__(self, application, window):
        self.application, self.window = application, window
        self.watch = StallWatch()
        self._number = 0

    def wait(self, until, seconds=60.0):
        wait_until(until, seconds, describe=lambda: f"; said {self.window.messages.texts}")

    def rest(self, seconds=0.4):
        rest(seconds)

    def doing(self, step):
        """Let what came before settle, and name what follows, for the report of stalls."""
        self.rest()
        self.watch.step = step

    def picture(self, name):
        self.rest(0.2)
        scene = self.window.scene_place.scene
        self.wait(lambda: scene is None or not scene._timer.isActive())
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

    def drag(self, widget, start, by):
        QTest.mousePress(widget, LEFT, Qt.KeyboardModifier.NoModifier, start)
        for share in (0.3, 0.6, 1.0):
            QTest.mouseMove(widget, start + by * share)
            self.rest(0.05)
        QTest.mouseRelease(widget, LEFT, Qt.KeyboardModifier.NoModifier, start + by)
        self.rest(0.05)

    def press(self, key, modifier=Qt.KeyboardModifier.NoModifier):
        """A key as the window system sends it: to whatever has the focus."""
        QTest.keyClick(self.window.windowHandle(), key, modifier)
        self.rest(0.05)

    def choose_in_dialog(self, key, modifier, path):
        """Open a file dialog by its key, type the way to `path` into it and press Return."""
        typed = []

        def type_path():
            dialog = self.application.activeModalWidget()
            if not isinstance(dialog, QFileDialog) or not dialog.isActiveWindow():
                QTimer.singleShot(20, self.window, type_path)
                return
            # from the folder shown: Qt's dialog takes some absolute paths for their folder alone
            way = os.path.relpath(path, dialog.directory().absolutePath())
            # to the window, as the desktop does: a list of names that pops up takes them first
            window = dialog.windowHandle()
            QTest.keyClick(window, Qt.Key.Key_A, CTRL)
            for letter in way:
                QTest.keyClick(window, letter)
            typed.append(dialog.findChild(QLineEdit, "fileNameEdit").text() == way)
            QTest.keyClick(window, Qt.Key.Key_Return)
            typed.append(not dialog.isVisible())
            if dialog.isVisible():
                dialog.reject()

        QTimer.singleShot(0, self.window, type_path)
        self.press(key, modifier)
        assert typed == [True, True], "the path is taken as it is typed"
        self.window.activateWindow()  # a desktop gives the focus back; the tests' has no manager
        self.wait(self.window.isActiveWindow)

    def click(self, widget):
        QTest.mouseClick(widget, LEFT)
        self.rest(0.05)

    def choose_by_keys(self, box, data):
        """Step through a list with the arrow keys."""
        box.setFocus()
        for _ in range(2 * box.count()):
            if box.currentData() == data:
                return
            step = Qt.Key.Key_Down if box.findData(data) > box.currentIndex() else Qt.Key.Key_Up
            self.press(step)
        raise AssertionError(f"{data} is not reached by keys")


@pytest.fixture
def qts_own_dialogs(qapp):
    """Another desktop's file dialog lies in another process, where no test can type."""
    attribute = Qt.ApplicationAttribute.AA_DontUseNativeDialogs
    before = qapp.testAttribute(attribute)
    qapp.setAttribute(attribute, True)
    yield
    qapp.setAttribute(attribute, before)


@pytest.fixture
def walker(qts_own_dialogs, tmp_path, leaves_nothing):
    with lasting_objects():  # as `run_window` does
        application = make_application()
        window = make_window(Preferences(tmp_path / "s.ini"), journals=tmp_path / "journals")
    window.resize(1400, 900)
    window.move(0, 0)
    window.show()
    window.activateWindow()
    application.processEvents()  # the first picture: until then there is no window to hold up
    walker = Walker(application, window)
    walker.wait(window.isActiveWindow)
    yield walker
    walker.watch.close()
    window.close()
    window.deleteLater()
    gc.unfreeze()


def spot_in_3d(window, space, name):
    """A landmark in the 3D view: its widget, and where in it the landmark stands."""
    scene = window.scene_place.scene
    scene.render_now()
    return scene.stage.widget, scene.drag.place_of(space, name).toPoint()


def assert_same_state(case, saved):
    assert case.us_landmarks == saved.us_landmarks
    assert case.mr_landmarks == saved.mr_landmarks
    assert case.estimator == saved.estimator
    assert case.decision == saved.decision
    assert [target.name for target in case.targets] == ["Target 1"]
    assert np.array_equal(case.targets[0].position_mr_mm, saved.targets[0].position_mr_mm)
    assert [core.name for core in case.cores] == [core.name for core in saved.cores]
    for core, before in zip(case.cores, saved.cores, strict=True):
        assert np.array_equal(core.tip_us_mm, before.tip_us_mm)
    for space in (Space.US, Space.MR):
        assert np.array_equal(case.gland(space).voxels, saved.gland(space).voxels)
    assert isinstance(case.registration, LandmarkFit)
    assert np.allclose(case.us_from_mr.matrix, saved.us_from_mr.matrix, atol=1e-6)


def walk_the_whole_way(walker, folder):
    """Open, detect, drag, undo, redo, estimator, target, cores, tour, accept, export, reopen."""
    window, session = walker.window, walker.window.session
    walker.doing("3D view")
    walker.wait(lambda: window.scene_place.scene is not None)
    walker.rest(1.0)

    walker.doing("open")
    walker.choose_in_dialog(Qt.Key.Key_M, CTRL, asset_path("demo-mr.nii.gz"))
    walker.wait(lambda: session.case.mr is not None)
    walker.choose_in_dialog(Qt.Key.Key_U, CTRL, asset_path("demo-us.nii.gz"))
    walker.wait(lambda: session.case.us is not None)
    walker.watch.step = "detect"
    walker.wait(lambda: session.case.us_from_mr is not None and not window.progress.isVisible())
    walker.picture("detected")

    walker.doing("drag in a slice")
    window.slices["us_sagittal"].setFocus()
    walker.press(Qt.Key.Key_3)
    view = window.slices["us_sagittal"]
    before = session.case.us_landmarks["posterior_median"].position_mm
    walker.drag(view, view.to_view(before).toPoint(), QPoint(14, 10))
    moved = session.case.us_landmarks["posterior_median"].position_mm
    expected_mm = np.hypot(14, 10) * view.mm_per_px()
    assert np.linalg.norm(moved - before) == pytest.approx(expected_mm, abs=0.5)
    walker.picture("dragged-in-a-slice")

    walker.doing("drag in 3D")
    apex = session.case.us_landmarks["apex"].position_mm
    widget, at = spot_in_3d(window, Space.US, "apex")
    walker.drag(widget, at, QPoint(-9, 12))
    apex_moved = session.case.us_landmarks["apex"].position_mm
    assert 1.0 < np.linalg.norm(apex_moved - apex) < 20.0
    walker.picture("dragged-in-3d")

    walker.doing("undo and redo")
    walker.press(Qt.Key.Key_Z, CTRL)
    assert np.array_equal(session.case.us_landmarks["apex"].position_mm, apex)
    walker.press(Qt.Key.Key_Z, CTRL)
    assert np.array_equal(session.case.us_landmarks["posterior_median"].position_mm, before)
    walker.picture("undone")
    walker.press(Qt.Key.Key_Z, CTRL | SHIFT)
    assert np.array_equal(session.case.us_landmarks["posterior_median"].position_mm, moved)
    walker.press(Qt.Key.Key_Z, CTRL | SHIFT)
    assert np.array_equal(session.case.us_landmarks["apex"].position_mm, apex_moved)

    walker.doing("estimator")
    estimator = window.registration.estimator
    walker.choose_by_keys(estimator, "translation")
    assert session.case.us_from_mr.angle_deg == pytest.approx(0.0, abs=1e-9)
    walker.picture("translation-only")
    walker.choose_by_keys(estimator, "map")
    assert session.case.estimator == "map"
    assert session.case.us_from_mr.angle_deg > 0.0
    walker.doing("add target")
    window.slices["us_sagittal"].setFocus()
    walker.press(Qt.Key.Key_3)
    walker.press(Qt.Key.Key_T)
    assert len(session.case.targets) == 1
    walker.press(Qt.Key.Key_2, CTRL)
    walker.picture("target")
    walker.doing("plan cores")
    walker.press(Qt.Key.Key_3, CTRL)
    walker.click(window.cores.template)
    walker.click(window.cores.targeted)
    assert len(session.case.cores) == 14
    window.cores.table.choose(12)
    walker.picture("needle-plan")
    walker.doing("tour")
    walker.press(Qt.Key.Key_1, CTRL)
    walker.press(Qt.Key.Key_G)
    assert window.tour.is_on
    walker.click(window.review.forth)
    walker.picture("tour")
    walker.click(window.review.end_tour)

    walker.doing("accept")
    walker.press(Qt.Key.Key_Return, CTRL)
    QTest.keyClicks(window.review.initials, "AB")
    walker.press(Qt.Key.Key_Return)
    assert session.case.decision.accepted
    walker.doing("export")
    (folder / "out").mkdir()
    walker.choose_in_dialog(Qt.Key.Key_E, CTRL, folder / "out")
    walker.wait(lambda: any("verified" in text for text in window.messages.texts))
    assert list((folder / "out").glob("*.tfm"))
    walker.picture("exported")

    walker.doing("save")
    walker.choose_in_dialog(Qt.Key.Key_S, CTRL, folder / "case")
    saved = session.case
    walker.doing("reopen")
    walker.choose_in_dialog(Qt.Key.Key_O, CTRL, window.files.saved_as)
    walker.wait(lambda: session.case is not saved)
    assert_same_state(session.case, saved)
    walker.picture("reopened")


@pytest.mark.gl
def test_from_opening_two_files_to_the_export_and_back(walker, tmp_path):
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
