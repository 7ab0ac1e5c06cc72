"""Opening many cases leaves no memory, no volume and no thread behind."""

import gc
import os
import threading
import weakref

import numpy as np
import psutil
import pytest
from PySide6.QtWidgets import QApplication

from fusioninit.geometry import Grid, Orientation, Space
from fusioninit.gui.scene_state import Body, ErrorLook
from fusioninit.imaging.volume import Volume
from fusioninit.landmarks import LandmarkSet
from fusioninit.state import Case, Target, plan_cores

POINTS = {"apex": [0.0, 4, -20], "bladder_neck": [1.0, -8, 18], "posterior_median": [0.0, 16, 1]}


def fresh_case(seed):
    rng = np.random.default_rng(seed)
    case = Case()
    for space in (Space.US, Space.MR):
        grid = Grid.centred((64, 66, 68), 1.3)
        voxels = rng.integers(0, 255, grid.shape).astype(np.uint8)
        inside = np.zeros(grid.shape, np.uint8)
        inside[20:44, 18:46, 16:48] = 1
        gland = Volume(inside, grid, space)
        marks = LandmarkSet.from_positions(space, POINTS)
        case = case.with_volume(Volume(voxels, grid, space)).with_prediction(marks, gland)
    return case


def open_and_look(window, case):
    window.session.open_case(case)
    for name in ("us_axial", "us_sagittal", "mr_axial"):
        window.slices[name].repaint()
    QApplication.processEvents()


def test_thirty_cases_keep_memory_flat_and_leave_no_volume(make_window, qtbot, leaves_nothing):
    window = make_window()
    window.show()
    qtbot.waitExposed(window)
    threads = threading.active_count()
    process = psutil.Process(os.getpid())
    seen, memory = [], []
    for number in range(30):
        case = fresh_case(number)
        seen += [weakref.ref(case.us), weakref.ref(case.mr)]
        open_and_look(window, case)
        del case
        gc.collect()
        memory.append(process.memory_info().rss)
    alive = [ref for ref in seen if ref() is not None]
    assert len(alive) <= 4, "volumes of closed cases are still held"
    assert memory[-1] < 1.1 * memory[9]
    assert threading.active_count() == threads
    window.close()


@pytest.mark.gl
def test_thirty_cases_in_3d_with_all_that_can_be_shown_keep_memory_flat(make_window, qtbot):
    window = make_window()
    window.show()
    qtbot.waitExposed(window)
    qtbot.waitUntil(lambda: window.scene_place.scene is not None)
    scene = window.scene_place.scene
    for space in (Space.US, Space.MR):
        scene.state.set_body(space, Body.VOLUME)
    scene.state.set_error(ErrorLook.SHELL)
    scene.state.set_flag("regions", on=True)
    scene.state.set_cut(Orientation.AXIAL, on=True)
    process = psutil.Process(os.getpid())
    seen, memory = [], []
    for number in range(30):
        case = fresh_case(number)
        case = case.with_targets((Target("A", [1.0, 2, 3]),)).with_cores(plan_cores(case))
        seen += [weakref.ref(held) for held in (case.us, case.mr, case.us_gland, case.mr_gland)]
        window.session.open_case(case)
        scene.render_now()
        if number % 2:
            scene.state.set_body(Space.MR, Body.SURFACE if number % 4 == 1 else Body.VOLUME)
        QApplication.processEvents()
        del case
        gc.collect()
        memory.append(process.memory_info().rss)
    assert len(scene.volumes.shown()) > 0
    # Two more masks than cases: the fit keeps the shapes of the last eight.
    assert sum(ref() is not None for ref in seen[: -2 * 8]) == 0, "closed cases are still held"
    assert memory[-1] < 1.1 * memory[9]
    props = scene.stage.renderer.GetViewProps().GetNumberOfItems()
    assert props < 25, "actors of closed cases are left"
    window.close()
    assert scene.stage.widget is None


def test_a_new_volume_never_shows_the_slice_of_an_old_one(make_window, qtbot):
    window = make_window()
    window.show()
    qtbot.waitExposed(window)
    shown = set()
    for level in (40, 120, 200):
        grid = Grid.centred((20, 20, 20), 2.0)
        voxels = np.full(grid.shape, level, np.uint8)
        voxels[0], voxels[-1] = 0, 255
        window.session.open_case(Case().with_volume(Volume(voxels, grid, Space.US)))
        window.view_state.set_window(Space.US, 0, 255)
        image = window.slices["us_axial"].grab().toImage()
        shown.add(image.pixelColor(image.width() // 3, image.height() // 3).red())
        gc.collect()
    assert len(shown) == 3
