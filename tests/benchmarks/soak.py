"""Opens many cases in one process of the real application, and tells what that leaves behind.

    xvfb-run -a -s "+extension GLX" .venv/bin/python -m tests.benchmarks.soak --cases 30

One window opens the demo pair again and again, from its files, by the reader's child process; the
networks look for landmarks in one case of `--detect-every`, and every case is edited, drawn and
followed by the next. At last a window is closed in the middle of a detection. Prints one line for
each case and, last, one JSON object; exit status 1 where something is left or memory has grown.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

from fusioninit.app.window import make_application, make_window
from fusioninit.bundled import asset_path
from fusioninit.geometry import Space
from fusioninit.gui.preferences import Preferences
from fusioninit.state.demo import demo_truth
from tests.waiting import rest, wait_until

GROWTH_ALLOWED = 1.10
PAIR = {Space.MR: asset_path("demo-mr.nii.gz"), Space.US: asset_path("demo-us.nii.gz")}


class Soak:
    """A window on journals and preferences of its own, used over and over."""

    def __init__(self, folder: Path) -> None:
        self.application = make_application()
        self.folder = folder
        self.process = psutil.Process(os.getpid())
        self.window = self.new_window()

    def new_window(self):
        preferences = Preferences(self.folder / "settings.ini")
        preferences.set_value("detects_on_open", "false")
        window = make_window(preferences, journals=self.folder / "journals")
        window.resize(1400, 900)
        window.show()
        wait_until(lambda: window.scene_place.note.text() != "3D view" or window.scene_place.scene)
        return window

    def use_a_case(self, *, detect: bool) -> None:
        """Open the pair anew, align it, edit, look at it in other ways."""
        window, session = self.window, self.window.session
        before = session.case
        session.mark_saved()  # no question before the next case
        window.files.open_paths(PAIR)
        wait_until(lambda: session.case is not before and session.case.us is not None)
        if detect:
            window.actions_by_name["detect"].trigger()
            wait_until(lambda: not window.progress.isVisible() and session.case.us_landmarks)
        else:
            truth = demo_truth()
            session.import_landmarks(truth.us_landmarks)
            session.import_landmarks(truth.mr_landmarks)
        window.views.jump_to("apex")
        for step in range(5):
            position = session.case.us_landmarks["apex"].position_mm
            session.move_landmark(Space.US, "apex", position + [0.0, 0.0, 0.5 * step])
        window.actions_by_name["add_target"].trigger()
        for name in ("mode_checker", "mode_edges", "mode_blend", "undo", "redo"):
            window.actions_by_name[name].trigger()
            self.application.processEvents()
        if window.scene_place.scene is not None:
            window.scene_place.scene.render_now()

    def memory_mb(self) -> float:
        """Resident memory once nothing waits to be freed."""
        for _ in range(3):
            self.application.processEvents()
            gc.collect()
        return self.process.memory_info().rss / 2**20

    def left_behind(self) -> dict[str, list[str]]:
        """Threads and children that a closed window has no use for."""
        threads = [t.name for t in threading.enumerate() if t is not threading.main_thread()]
        children = [" ".join(child.cmdline()) for child in self.process.children(recursive=True)]
        return {"threads": threads, "children": children}

    def close_in_the_middle_of_a_detection(self) -> float:
        """Seconds from the close to everything at rest."""
        self.window = window = self.new_window()
        window.files.open_paths(PAIR)
        wait_until(lambda: window.session.case.us is not None)
        window.actions_by_name["detect"].trigger()
        wait_until(window.progress.isVisible)
        rest(0.5)
        begun = time.monotonic()
        self.close()
        return time.monotonic() - begun

    def close(self) -> None:
        self.window.close()
        self.window.deleteLater()
        self.application.processEvents()


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=30)
    parser.add_argument("--detect-every", type=int, default=10)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        soak, memory = Soak(Path(folder)), []
        for number in range(arguments.cases):
            soak.use_a_case(detect=number % arguments.detect_every == 0)
            memory.append(round(soak.memory_mb(), 1))
            print(f"case {number + 1}: {memory[-1]} MB, {threading.active_count()} threads")
            sys.stdout.flush()
        soak.close()
        left = soak.left_behind()
        closing_s = soak.close_in_the_middle_of_a_detection()
        left_in_the_middle = soak.left_behind()
    third = max(1, arguments.cases // 3)
    early = sum(memory[third : 2 * third] or memory[:third]) / third
    late = sum(memory[-third:]) / third
    answer = {
        "cases": arguments.cases,
        "memory_mb": {"second third": round(early, 1), "last third": round(late, 1)},
        "growth": round(late / early, 3),
        "left": left,
        "left_after_closing_in_a_detection": left_in_the_middle,
        "closing_in_a_detection_s": round(closing_s, 2),
    }
    print(json.dumps(answer))
    nothing_left = not any([*left.values(), *left_in_the_middle.values()])
    return 0 if nothing_left and late <= GROWTH_ALLOWED * early else 1


if __name__ == "__main__":
    raise SystemExit(main())
