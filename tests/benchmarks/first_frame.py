"""Child of `test_start_speed.py`: the real command, until its window has shown what is waited for.

    first_frame.py STARTED window        until the window has been painted once
    first_frame.py STARTED overlay       on the demo, until the MR lies over the US, found and drawn

Prints one JSON line: seconds of wall clock since STARTED (time.monotonic of the parent), seconds of
processor time of this process, and the modules then loaded.
"""

import json
import sys
import time

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication, QMainWindow

from fusioninit.cli.main import main
from fusioninit.gui.slice_view import SliceView

COMMANDS = {"window": ["gui"], "overlay": ["demo"]}


class FirstFrame(QObject):
    """Waits for a paint of what is wanted, lets it finish, tells, and closes the window."""

    def __init__(self, wanted):
        super().__init__()
        self._wanted = wanted

    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint and self._is_wanted(watched):
            QApplication.instance().removeEventFilter(self)
            window = watched.window()
            QTimer.singleShot(0, window, lambda: self.tell(window))
        return False

    def _is_wanted(self, watched):
        if self._wanted == "window":
            return isinstance(watched, QMainWindow)
        return isinstance(watched, SliceView) and watched.session.case.us_from_mr is not None

    def tell(self, window):
        figures = {
            "wall_s": round(time.monotonic() - float(sys.argv[1]), 3),
            "cpu_s": round(time.process_time(), 3),
            "modules": len(sys.modules),
        }
        sys.stdout.write(json.dumps(figures) + "\n")
        sys.stdout.flush()
        QApplication.instance().exit()


def watch_first_frame(wanted):
    """Have `QApplication.exec` put the filter in place first."""
    original = QApplication.exec

    def run():
        filter_ = FirstFrame(wanted)
        QApplication.instance().installEventFilter(filter_)
        return original()

    QApplication.exec = staticmethod(run)


if __name__ == "__main__":
    watch_first_frame(sys.argv[2])
    sys.exit(main(COMMANDS[sys.argv[2]]))
