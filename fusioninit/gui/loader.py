"""Who has the system's loader: the 3D view's picture, or a thread that brings in a library.

While the system loads a library no other thread may look up a symbol, as OpenGL in software does
for a picture of a new kind: the picture, and the window with it, would stand still for as long.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

LOADER = threading.Lock()
"""Held by a thread while it loads a large library, and by the GUI thread for one picture."""


def unless_loading(draw: Callable[[], object]) -> bool:
    """Call `draw` and hold the loader meanwhile; False where a library is loaded just now.

    The GUI thread never waits here: it comes again a little later.
    """
    if not LOADER.acquire(blocking=False):
        return False
    try:
        draw()
    finally:
        LOADER.release()
    return True
