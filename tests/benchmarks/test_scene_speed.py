"""What a picture of the 3D view costs: run with `--benchmark-enable`.

The clock is the process's own processor time (in software rendering that is all of it, and it
does not depend on what else the machine does), in a window of 1400 x 900 with the scene alone
and with the review layout; volumes of 256 x 256 x 256 and 128 x 256 x 256.
"""

import time

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication

from fusioninit.geometry import Orientation, Space
from fusioninit.gui.main_window import MainWindow
from fusioninit.gui.preferences import Preferences
from fusioninit.gui.scene_state import Body, ErrorLook
from fusioninit.gui.services import Services
from fusioninit.gui.theme import DARK, apply_theme
from fusioninit.session import InlineJob, Opening, Session
from tests.benchmarks.test_drag_speed import make_case

pytestmark = [pytest.mark.gl, pytest.mark.benchmark(timer=time.process_time)]
ROUNDS = 15
LOOKS = {
    "surfaces": (Body.SURFACE, Body.SURFACE, ErrorLook.OFF),
    "surfaces and error": (Body.SURFACE, Body.SURFACE, ErrorLook.SHELL),
    "volume of mr": (Body.SURFACE, Body.VOLUME, ErrorLook.OFF),
    "both volumes": (Body.VOLUME, Body.VOLUME, ErrorLook.OFF),
}


@pytest.fixture(scope="module")
def window(qapp, tmp_path_factory):
    apply_theme(qapp, DARK)
    session = Session()
    opening = Opening(session, lambda *a, **k: None, InlineJob())
    settings = Preferences(tmp_path_factory.mktemp("scene") / "settings.ini")
    window = MainWindow(session, settings, Services(opening))
    window.resize(1400, 900)
    window.show()
    session.open_case(make_case("full"))
    end = time.monotonic() + 60
    while window.scene_place.scene is None and time.monotonic() < end:  # it is made in steps
        qapp.processEvents()
    for _ in range(20):
        qapp.processEvents()
    yield window
    window.close()
    window.deleteLater()


@pytest.fixture(params=["Review", "3D"])
def scene(window, request):
    window.show_layout(request.param)
    QApplication.processEvents()
    return window.scene_place.scene


@pytest.fixture(params=list(LOOKS))
def look(scene, request):
    us, mr, error = LOOKS[request.param]
    scene.state.set_body(Space.US, us)
    scene.state.set_body(Space.MR, mr)
    scene.state.set_error(error)
    scene.render_now()
    return request.param


def test_one_picture_while_the_camera_turns(benchmark, scene, look):
    def turn():
        scene.stage.camera.Azimuth(3)
        scene.render_now()

    benchmark.pedantic(turn, rounds=ROUNDS, warmup_rounds=2)


def test_one_picture_of_what_stands_still(benchmark, scene, look):
    def turn():
        scene.stage.camera.Azimuth(3)
        scene._render_still()

    benchmark.pedantic(turn, rounds=ROUNDS, warmup_rounds=2)


def test_a_step_of_a_drag_until_the_scene_is_drawn(benchmark, scene, look):
    session = scene.session
    gesture, start = session.new_gesture(), session.case.us_landmarks["apex"].position_mm
    steps = iter(np.linspace(0, 6, 400).tolist())

    def move():
        session.move_landmark(Space.US, "apex", start + [next(steps), 0, 0], gesture=gesture)
        scene.render_now()

    benchmark.pedantic(move, rounds=ROUNDS, warmup_rounds=2)
    session.cancel_gesture(gesture)


def test_the_scenes_own_share_of_a_drag_without_the_drawing(benchmark, scene, look):
    session = scene.session
    gesture, start = session.new_gesture(), session.case.us_landmarks["apex"].position_mm
    steps = iter(np.linspace(0, 6, 4000).tolist())

    def move():
        session.move_landmark(Space.US, "apex", start + [next(steps), 0, 0], gesture=gesture)
        return (), {}

    benchmark.pedantic(scene.refresh, setup=move, rounds=4 * ROUNDS, warmup_rounds=2)
    session.cancel_gesture(gesture)


def test_one_slice_scrolled_with_three_planes(benchmark, scene):
    for orientation in Orientation:
        scene.state.set_plane(orientation, shown=True)
    state = scene.view_state
    start, steps = state.crosshair_mm(Space.US), iter(np.linspace(0, 20, 400).tolist())

    def scroll():
        state.set_crosshair(Space.US, start + [0, 0, next(steps)])
        scene.refresh()

    benchmark.pedantic(scroll, rounds=ROUNDS, warmup_rounds=2)
