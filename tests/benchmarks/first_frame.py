"""Child of `test_start_speed.py`: the real command, until its window has been painted once.

Prints one JSON line: seconds of wall clock since `sys.argv[1]` (time.monotonic of the parent), and
seconds of processor time of this process until the first frame, and the modules then loaded.
"""

import json
import sys
import time

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication, QMainWindow

from fusioninit.cli.main import main


class FirstFrame(QObject):
    """Waits for the main window's first paint, lets it finish, tells, and closes the window."""

    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint and isinstance(watched, QMainWindow):
            QApplication.instance().removeEventFilter(self)
            QTimer.singleShot(0, watched, lambda: self.tell(watched))
        return False

    def tell(self, window):
        figures = {
            "wall_s": round(time.monotonic() - float(sys.argv[1]), 3),
            "cpu_s": round(time.process_time(), 3),
            "modules": len(sys.modules),
        }
        sys.stdout.write(json.dumps(figures) + "\n")
        sys.stdout.flush()
        window.close()


def watch_first_frame():
    """Have `QApplication.exec` put the filter in place first."""
    original = QApplication.exec

    def run():
        filter_ = FirstFrame()
        QApplication.instance().installEventFilter(filter_)
        return original()

    QApplication.exec = staticmethod(run)


if __name__ == "__main__":
    watch_first_frame()
    sys.exit(main(["gui"]))
