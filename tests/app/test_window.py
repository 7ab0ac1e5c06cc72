"""The application as it is started: offscreen, on files, resumed; each in a process of its own."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from fusioninit.session import CLOSED_UNSAVED

ROOT = Path(__file__).resolve().parents[2]


def run_python(code, *, timeout=120, **environment):
    """Run code in a fresh interpreter without a display; its last line is a JSON value."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=timeout,
        cwd=ROOT,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", **environment},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.strip().splitlines()[-1])


@pytest.fixture
def pair_of_files(tmp_path):
    rng = np.random.default_rng(0)
    paths = {}
    for name, shape in (("mr", (20, 40, 42)), ("us", (30, 32, 34))):
        image = sitk.GetImageFromArray(rng.integers(0, 200, shape).astype(np.int16))
        image.SetSpacing((2.0, 2.0, 3.0))
        image.SetOrigin((-40.0, -40.0, -40.0))
        paths[name] = tmp_path / f"{name}.nii.gz"
        sitk.WriteImage(image, str(paths[name]))
    return paths


PREAMBLE = """
import json, sys, time
from pathlib import Path
from fusioninit.app.window import make_application, make_window
from fusioninit.app.journals import describe, resumed, unfinished
from fusioninit.geometry import Space
from fusioninit.gui.preferences import Preferences

application = make_application()
folder = Path({folder!r})
window = make_window(Preferences(folder / "settings.ini"), journals=folder / "journals")
window.preferences.set_value("detects_on_open", "false")
window.show()

def wait(until, seconds=60):
    end = time.monotonic() + seconds
    while not until() and time.monotonic() < end:
        application.processEvents()
        time.sleep(0.01)
    assert until()
"""


def test_the_window_stands_without_torch_simpleitk_or_opengl(tmp_path):
    code = PREAMBLE.format(folder=str(tmp_path)) + textwrap.dedent("""
        window.scene_place.settled.disconnect()  # starts to load torch ahead
        wait(lambda: window.scene_place.note.text() != "3D view")
        heavy = [name for name in ("torch", "SimpleITK", "lightning") if name in sys.modules]
        note = window.scene_place.note.text()
        window.close()
        print(json.dumps([heavy, note]))
    """)
    heavy, note = run_python(code)
    assert heavy == []
    assert "3D view unavailable" in note
    assert "Everything else works" in note


def test_files_are_opened_edited_saved_and_opened_again_offscreen(tmp_path, pair_of_files):
    code = PREAMBLE.format(folder=str(tmp_path)) + textwrap.dedent(f"""
        from fusioninit.landmarks import REQUIRED_NAMES
        mr, us = Path({str(pair_of_files["mr"])!r}), Path({str(pair_of_files["us"])!r})
        window.files.open_paths({{Space.MR: mr, Space.US: us}})
        wait(lambda: window.session.case.us is not None)
        points = [[0, 0, -20], [0, -8, 18], [0, 18, 0]]
        for name, point in zip(REQUIRED_NAMES, points):
            for space in (Space.US, Space.MR):
                window.session.move_landmark(space, name, point)
        window.files._save_to(folder / "case")
        saved = window.files.saved_as
        before = window.session.case
        window.files.open_case(saved)
        wait(lambda: window.session.case is not before)
        same = window.session.case.us_landmarks == before.us_landmarks
        residuals = list(window.session.case.registration.residuals_mm.values())
        window.files.open_paths({{Space.MR: folder / "settings.ini"}})
        wait(lambda: window.messages.text and not window.messages.text.startswith("Saved"))
        window.close()
        print(json.dumps([same, max(residuals), window.messages.text]))
    """)
    same, residual, message = run_python(code)
    assert same
    assert residual < 1e-6
    assert "settings.ini" in message


def test_after_a_crash_the_last_edit_is_still_there(tmp_path, pair_of_files):
    opening = PREAMBLE.format(folder=str(tmp_path)) + textwrap.dedent(f"""
        import os
        mr, us = Path({str(pair_of_files["mr"])!r}), Path({str(pair_of_files["us"])!r})
        window.files.open_paths({{Space.MR: mr, Space.US: us}})
        wait(lambda: window.session.case.us is not None)
        window.session.move_landmark(Space.US, "apex", [1.5, 2.5, -20.5])
        print(json.dumps(True), flush=True)
        os._exit(0)
    """)
    assert run_python(opening)
    resuming = PREAMBLE.format(folder=str(tmp_path)) + textwrap.dedent("""
        from functools import partial
        last = unfinished(folder / "journals")
        window.offer_to_resume(describe(last), partial(resumed, last))
        offer = window.messages.text
        window.messages.answer.click()
        wait(lambda: window.session.case.us is not None)
        position = window.session.case.us_landmarks["apex"].position_mm.tolist()
        window.close()
        print(json.dumps([offer, position, unfinished(folder / "journals").action]))
    """)
    offer, position, last_action = run_python(resuming)
    assert "mr.nii.gz and us.nii.gz" in offer or "us.nii.gz and mr.nii.gz" in offer
    assert "Place apex in US" in offer
    assert position == [1.5, 2.5, -20.5]
    assert last_action == CLOSED_UNSAVED, "what no saved case has yet is offered once more"


def test_edits_closed_without_saving_are_offered_at_the_next_start(tmp_path, pair_of_files):
    closing = PREAMBLE.format(folder=str(tmp_path)) + textwrap.dedent(f"""
        mr, us = Path({str(pair_of_files["mr"])!r}), Path({str(pair_of_files["us"])!r})
        window.files.open_paths({{Space.MR: mr, Space.US: us}})
        wait(lambda: window.session.case.us is not None)
        titles = [window.windowTitle(), window.isWindowModified()]
        window.session.move_landmark(Space.US, "apex", [1.5, 2.5, -20.5])
        titles.append(window.isWindowModified())
        window.close()
        last = unfinished(folder / "journals")
        position = resumed(last, __import__("fusioninit").read_volume).us_landmarks["apex"]
        print(json.dumps([titles, describe(last), position.position_mm.tolist()]))
    """)
    titles, offer, position = run_python(closing)
    assert titles == ["mr.nii.gz + us.nii.gz[*]", False, True]
    assert offer.startswith("The last case was closed without being saved.")
    assert position == [1.5, 2.5, -20.5]


def test_offscreen_the_whole_job_is_done_and_the_window_says_why_there_is_no_3d(
    tmp_path, pair_of_files
):
    picture = ROOT / "test-artefacts" / "without-opengl.png"
    picture.parent.mkdir(exist_ok=True)
    code = PREAMBLE.format(folder=str(tmp_path)) + textwrap.dedent(f"""
        from PySide6.QtCore import QPoint, Qt
        from PySide6.QtTest import QTest
        from fusioninit.state.demo import demo_truth
        left = Qt.MouseButton.LeftButton
        window.resize(1400, 900)
        window.open_demo()
        wait(lambda: window.session.case.us is not None)
        session, truth = window.session, demo_truth()
        session.import_landmarks(truth.us_landmarks)
        session.import_landmarks(truth.mr_landmarks)
        window.views.jump_to("apex")
        view = window.slices["us_sagittal"]
        before = session.case.us_landmarks["apex"].position_mm
        start = view.to_view(before).toPoint()
        QTest.mousePress(view, left, Qt.KeyboardModifier.NoModifier, start)
        for share in (0.5, 1.0):
            QTest.mouseMove(view, start + QPoint(10, 6) * share)
        QTest.mouseRelease(view, left, Qt.KeyboardModifier.NoModifier, start + QPoint(10, 6))
        mm_per_px = view.mm_per_px()
        moved_mm = float(sum((session.case.us_landmarks["apex"].position_mm - before) ** 2) ** 0.5)
        for layout in ("Four-up", "Six slices", "3D", "Review"):
            window.show_layout(layout)
            application.processEvents()
        for mode in ("mode_checker", "mode_wipe", "mode_edges", "mode_flicker", "mode_blend"):
            window.actions_by_name[mode].trigger()
            application.processEvents()
        QTest.keyClick(window, Qt.Key.Key_T)
        QTest.mouseClick(window.cores.template, left)
        window.tour.begin()
        window.tour.end()
        window.review.initials.setText("AB")
        QTest.mouseClick(window.review.accept, left)
        window.files.export_to(folder / "out")
        wait(lambda: any("verified" in text for text in window.messages.texts))
        window.grab().save({str(picture)!r})
        case, note = session.case, window.scene_place.note
        answer = [moved_mm / mm_per_px, len(case.targets), len(case.cores)]
        answer += [case.decision.accepted, note.isVisible(), note.text(), window.messages.texts]
        window.close()
        print(json.dumps(answer))
    """)
    moved_px, targets, cores, accepted, is_noted, note, messages = run_python(code, timeout=300)
    assert moved_px == pytest.approx(136**0.5, abs=0.6)
    assert (targets, cores, accepted) == (1, 12, True)
    assert is_noted
    assert "3D view unavailable" in note
    assert "Everything else works" in note
    assert [text for text in messages if "verified" in text]


def test_torch_is_there_before_the_first_detection_asks_for_it(tmp_path):
    code = (
        PREAMBLE.format(folder=str(tmp_path))
        + """
before = "torch" in sys.modules
wait(lambda: "fusioninit.detection.predict" in sys.modules)
window.close()
print(json.dumps([before, window.messages.texts]))
"""
    )
    assert run_python(code) == [False, []]
