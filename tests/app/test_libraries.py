"""Bringing large libraries in without holding Python's lock."""

import gc
import subprocess
import sys
import threading

import pytest

from fusioninit.app.libraries import lasting_objects, load_libraries, loading_meanwhile

IN_CHILD = """
import sys
import threading
from pathlib import Path
from fusioninit.app.libraries import TORCH, load_libraries
load_libraries("torch", TORCH)
assert "torch" not in sys.modules
assert "libtorch_cpu.so" in Path("/proc/self/maps").read_text()
import torch
assert torch.ones(3).sum() == 3
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="loads ahead on Linux only")
def test_the_library_of_torch_is_loaded_before_its_import_and_serves_it():
    subprocess.run([sys.executable, "-c", IN_CHILD], check=True, timeout=300)


def test_a_package_that_is_not_installed_is_left_to_its_import():
    load_libraries("no_such_package_as_this", ("*.so",))


def test_what_an_import_makes_is_not_looked_through_and_garbage_is_again_afterwards():
    frozen = gc.get_freeze_count()
    try:
        with lasting_objects():
            assert not gc.isenabled()
            kept = [[] for _ in range(1000)]
        assert gc.isenabled()
        assert gc.get_freeze_count() >= frozen + len(kept)
    finally:
        gc.unfreeze()


def test_an_import_that_fails_leaves_the_collector_on():
    try:
        with pytest.raises(ImportError), lasting_objects():
            raise ImportError("damaged")
        assert gc.isenabled()
    finally:
        gc.unfreeze()


def test_loading_ends_with_what_it_accompanies():
    threads = threading.active_count()
    with loading_meanwhile("no_such_package_as_this", ("*.so",)):
        pass
    assert threading.active_count() == threads
