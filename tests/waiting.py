"""How programs and tests that drive the real window wait for it."""

import time

from PySide6.QtCore import QCoreApplication

NAP_S = 0.001
"""Threads of the program get this long between two looks at the event queue; a stall watch counts
it as time without an answer, so it is short."""


def wait_until(condition, seconds=900.0, *, describe=lambda: ""):
    """Let the window work until `condition()` holds; in vain, TimeoutError with `describe()`."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds:.0f} s in vain {describe()}".rstrip())
        QCoreApplication.processEvents()
        time.sleep(NAP_S)


def rest(seconds):
    """Let the window work for so long."""
    end = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() >= end)
