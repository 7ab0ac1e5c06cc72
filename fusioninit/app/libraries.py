"""Brings large libraries in on a thread of work without holding up the window.

Two things would hold Python's lock, and with it the GUI thread. An `import` keeps it while the
system loads a compiled library, a third of a second for torch's; a call through ctypes gives it
away, and the import that follows finds the library loaded. And Python looks through all objects
for garbage again and again while an import makes them, 0.1 s at a time in the end.
"""

from __future__ import annotations

import ctypes
import gc
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from fusioninit.gui.loader import LOADER

TORCH = ("lib/libc10.so", "lib/libtorch_cpu.so", "lib/libtorch_python.so")
SIMPLEITK = ("_SimpleITK*.so",)


@contextmanager
def lasting_objects() -> Iterator[None]:
    """For imports: what is made meanwhile is not looked through for garbage, then or later."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def load_libraries(package: str, patterns: tuple[str, ...]) -> None:
    """Load the libraries of an installed package that match; does nothing where it cannot.

    Only on Linux: elsewhere the names differ, and Windows' torch itself loads through ctypes.
    """
    if not sys.platform.startswith("linux") or package in sys.modules:
        return
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        return
    load = ctypes.CDLL(None).dlopen
    load.argtypes, load.restype = (ctypes.c_char_p, ctypes.c_int), ctypes.c_void_p
    for pattern in patterns:
        for library in Path(spec.origin).parent.glob(pattern):
            with LOADER:
                load(os.fsencode(library), os.RTLD_LAZY)


@contextmanager
def loading_meanwhile(package: str, patterns: tuple[str, ...]) -> Iterator[None]:
    """Load libraries while something else is waited for; both have ended on leaving.

    The 3D view waits for the end of each library (see `gui.loader`).
    """
    thread = threading.Thread(
        target=load_libraries, args=(package, patterns), name="fusioninit-load", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        thread.join()
