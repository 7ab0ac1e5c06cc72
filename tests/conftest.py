"""What all tests share: the display they run on, and who leaves threads or widgets behind.

With Xvfb installed (pytest-xvfb starts it) windows are real X11 windows with software OpenGL;
without, or with QT_QPA_PLATFORM=offscreen, tests marked `gl` are skipped and say so.
"""

import os
import shutil
import threading

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "2")
# threads that wait by spinning starve each other where another program holds a core: the synthetic
# cases' tests took 12 times as long beside a training
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# programs that benchmarks start in processes of their own hold no tests
collect_ignore = [f"benchmarks/{name}.py" for name in ("first_frame", "slicer_drag", "soak")]
collect_ignore.append("pictures.py")
HAS_DISPLAY = bool(os.environ.get("DISPLAY")) or shutil.which("Xvfb") is not None
if not HAS_DISPLAY:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


def pytest_collection_modifyitems(config, items):
    if HAS_DISPLAY and os.environ.get("QT_QPA_PLATFORM", "xcb") == "xcb":
        return
    skip = pytest.mark.skip(reason="no X display with OpenGL: install Xvfb to run these")
    for item in items:
        if "gl" in item.keywords:
            item.add_marker(skip)


@pytest.fixture
def leaves_nothing(qapp):
    """Fails a test after which a thread of ours, or a window, is still there."""
    from PySide6.QtCore import QCoreApplication, QEvent

    threads = set(threading.enumerate())
    windows = set(qapp.topLevelWidgets())
    yield
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    left = [t.name for t in set(threading.enumerate()) - threads if t.is_alive()]
    assert left == [], f"threads left behind: {left}"
    shown = [w for w in qapp.topLevelWidgets() if w not in windows and w.isVisible()]
    assert shown == [], f"windows left open: {shown}"
