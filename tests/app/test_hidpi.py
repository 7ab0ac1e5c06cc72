"""On screens with small pixels clicks land where marks are drawn, in slices and in 3D."""

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CODE = """
import json, sys, time
from pathlib import Path

import numpy as np
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLabel, QToolButton

from fusioninit.app.window import make_application, make_window
from fusioninit.geometry import Space
from fusioninit.gui.preferences import Preferences
from fusioninit.gui.theme import SPACE_COLOUR
from fusioninit.state.demo import demo_truth

application = make_application()
folder, picture = Path(sys.argv[1]), Path(sys.argv[2])
window = make_window(Preferences(folder / "settings.ini"), journals=folder / "journals")
window.preferences.set_value("detects_on_open", "false")
window.move(0, 0)
window.resize(1024, 768)
window.show()

def wait(until, seconds=120):
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, "waited in vain"
        application.processEvents()
        time.sleep(0.01)

wait(lambda: window.scene_place.scene is not None)
window.open_demo()
wait(lambda: window.session.case.us is not None)
truth = demo_truth()
window.session.import_landmarks(truth.us_landmarks)
window.session.import_landmarks(truth.mr_landmarks)
scene = window.scene_place.scene
window.show_layout("Four-up")
window.views.jump_to("posterior_median")
wait(lambda: not scene._timer.isActive())
scene.render_now()

def nearest(shot, colour, at, reach=9):
    "Distance in logical pixels from `at` to the middle of what is drawn in `colour` near it."
    ratio = shot.devicePixelRatio()
    image, found = shot.toImage(), []
    for y in range(int((at.y() - reach) * ratio), int((at.y() + reach) * ratio)):
        for x in range(int((at.x() - reach) * ratio), int((at.x() + reach) * ratio)):
            seen = image.pixelColor(x, y)
            off = abs(seen.hueF() - colour.hueF())
            if seen.saturationF() > 0.45 and seen.valueF() > 0.5 and off < 0.05:
                found.append(((x + 0.5) / ratio, (y + 0.5) / ratio))
    assert found, "nothing is drawn where the mark should be"
    middle = np.mean(found, axis=0)
    return float(np.hypot(middle[0] - at.x(), middle[1] - at.y()))

def drag(widget, start, by):
    QTest.mousePress(widget, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start)
    for share in (0.5, 1.0):
        QTest.mouseMove(widget, start + by * share)
        application.processEvents()
    QTest.mouseRelease(
        widget, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start + by
    )

def place():
    return window.session.case.us_landmarks["posterior_median"].position_mm

answer = {"ratio": window.devicePixelRatioF()}
window.view_state.set_flag("contours", shown=False)
window.view_state.set_mode(type(window.view_state.mode)("US only"))
view = window.slices["us_sagittal"]
at = view.to_view(place())
application.processEvents()
answer["slice_px"] = nearest(view.grab(), SPACE_COLOUR[Space.US], at)
before = place()
drag(view, at.toPoint(), QPoint(13, -7))
moved = view.to_view(place()) - at
answer["slice_drag_px"] = [moved.x(), moved.y()]
window.session.undo()
assert np.array_equal(place(), before)

window.views.jump_to("posterior_median")
scene.render_now()
widget = scene.stage.widget
at = scene.drag.to_view(place())
shot = window.screen().grabWindow(0)
on_screen = QPointF(widget.mapToGlobal(QPoint(0, 0))) + at
answer["scene_px"] = nearest(shot, SPACE_COLOUR[Space.US], on_screen)
drag(widget, at.toPoint(), QPoint(12, 9))
moved = scene.drag.to_view(place()) - at
answer["scene_drag_px"] = [moved.x(), moved.y()]

scene.render_now()
window.screen().grabWindow(0).save(str(picture))
clipped = []
only_icons = Qt.ToolButtonStyle.ToolButtonIconOnly
for control in window.findChildren(QAbstractButton):
    if isinstance(control, QToolButton) and control.toolButtonStyle() == only_icons:
        continue  # shows no text, which is then its name alone
    if control.isVisible() and control.text() and control.parentWidget().isVisible():
        needed = control.fontMetrics().horizontalAdvance(control.text().replace("&", ""))
        needed += 0 if control.icon().isNull() else control.iconSize().width()
        if control.width() < needed + 6:
            clipped.append([control.text(), control.width(), needed])
for label in window.findChildren(QLabel):
    if label.isVisible() and not label.wordWrap() and label.width() < label.sizeHint().width():
        clipped.append([label.text(), label.width(), label.sizeHint().width()])
answer["clipped"] = clipped
window.close()
print(json.dumps(answer))
"""


@contextlib.contextmanager
def a_screen(width, height):
    """An X screen of its own, larger than the one the other tests share."""
    read, write = os.pipe()
    size = f"{width}x{height}x24"
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", size, "+extension", "GLX"],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    try:
        with os.fdopen(read) as answer:
            yield f":{answer.readline().strip()}"
    finally:
        server.terminate()
        server.wait()


@pytest.mark.gl
@pytest.mark.parametrize("scale", ["1.25", "1.5", "2"])
def test_marks_are_where_the_pointer_takes_them_and_no_text_is_cut(tmp_path, scale):
    pictures = ROOT / "test-artefacts"
    pictures.mkdir(exist_ok=True)
    arguments = [str(tmp_path), str(pictures / f"hidpi-{scale}.png")]
    with a_screen(2080, 1560) as display:
        done = subprocess.run(
            [sys.executable, "-c", CODE, *arguments],
            capture_output=True,
            text=True,
            timeout=300,
            cwd=ROOT,
            env={
                **os.environ,
                "QT_SCALE_FACTOR": scale,
                "QT_SCALE_FACTOR_ROUNDING_POLICY": "PassThrough",
                "DISPLAY": display,
            },
            check=False,
        )
    assert done.returncode == 0, done.stderr[-3000:]
    answer = json.loads(done.stdout.strip().splitlines()[-1])
    assert answer["ratio"] == pytest.approx(float(scale))
    assert answer["slice_px"] < 1.5
    assert answer["slice_drag_px"] == pytest.approx([13, -7], abs=1.0)
    assert answer["scene_px"] < 3.0
    assert answer["scene_drag_px"] == pytest.approx([12, 9], abs=1.0)
    assert answer["clipped"] == []
