"""The drag of a landmark here and on 3D Slicer's own slice pipeline, taken in turns in one run.

Needs FUSIONINIT_SLICER_PYTHON, a python with slicer-core in an environment of its own. Run with
`--benchmark-enable -s`; the ratio is printed. Here everything a view holds is drawn (landmarks,
outlines, letters, panels); there the blended image alone, in windows of the same sizes.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import time
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from tests.benchmarks.test_drag_speed import SIZES, drag_moves, make_window

PYTHON = os.environ.get("FUSIONINIT_SLICER_PYTHON", "")
CHILD = Path(__file__).with_name("slicer_drag.py")
TURNS, STEPS = 6, 10

pytestmark = [
    pytest.mark.gl,
    pytest.mark.skipif(
        not PYTHON, reason="set FUSIONINIT_SLICER_PYTHON to a python that has slicer-core"
    ),
]


@pytest.fixture
def window(qapp, qtbot, tmp_path):
    window = make_window("full", tmp_path)
    qtbot.waitExposed(window)
    window.show_layout("Fused row")
    for _ in range(20):
        qapp.processEvents()
    yield window
    window.close()
    window.deleteLater()


@pytest.fixture
def slicer(window):
    us_shape, us_mm, mr_shape, mr_mm = SIZES["full"]
    views = [
        {
            "orientation": view.orientation.value,
            "size_px": [view.width(), view.height()],
            "mm_per_px": view.mm_per_px(),
        }
        for view in window.slices.values()
        if view.isVisible()
    ]
    assert len(views) == 3
    volumes = {"us": [us_shape, [us_mm] * 3], "mr": [mr_shape, mr_mm]}
    wanted = json.dumps({"views": views, "volumes": volumes})
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    child = subprocess.Popen(
        [PYTHON, str(CHILD), wanted],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env=environment,
    )
    yield child
    child.stdin.close()
    child.wait(timeout=60)


def steps_there(child, count):
    child.stdin.write(f"{count}\n")
    child.stdin.flush()
    answer = json.loads(child.stdout.readline())
    return answer["wall_s"], answer["cpu_s"]


def steps_here(move, count):
    wall, cpu = [], []
    for _ in range(count):
        begun, used = time.perf_counter(), time.process_time()
        move()
        wall.append(time.perf_counter() - begun)
        cpu.append(time.process_time() - used)
    return wall, cpu


def test_a_drag_here_and_on_slicers_pipeline(benchmark, window, slicer, capsys):
    move = drag_moves(window, "us_axial", "posterior_median")
    for _ in range(3):
        move()
    steps_there(slicer, 3)
    here, there = ([], []), ([], [])
    for _ in range(TURNS):
        for total, part in ((here, steps_here(move, STEPS)), (there, steps_there(slicer, STEPS))):
            total[0].extend(part[0])
            total[1].extend(part[1])
        QApplication.processEvents()
    for number, clock in enumerate(("wall", "cpu")):
        ours, theirs = (1e3 * statistics.median(times[number]) for times in (here, there))
        benchmark.extra_info |= {f"{clock}_here_ms": ours, f"{clock}_slicer_ms": theirs}
        with capsys.disabled():
            print(f"\n{clock}: {ours:.1f} ms here, {theirs:.1f} ms there, {theirs / ours:.1f} x")
    benchmark.pedantic(move, rounds=STEPS)
