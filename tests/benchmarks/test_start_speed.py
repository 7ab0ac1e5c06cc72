"""How long from the command to the window, and to the overlay on the demo; `--benchmark-enable`.

Print: seconds of wall clock, with the processor time of the started process as `cpu_s`.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

CHILD = Path(__file__).with_name("first_frame.py")


def start_once(folder, wanted):
    environment = os.environ | {"XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    command = [sys.executable, str(CHILD), str(time.monotonic()), wanted]
    child = subprocess.run(
        command, env=environment, capture_output=True, encoding="utf-8", timeout=120, check=True
    )
    return json.loads(child.stdout.splitlines()[-1])


@pytest.mark.parametrize("wanted", ["window", "overlay"])
def test_from_the_command_to(wanted, benchmark, qapp, tmp_path):
    figures = []
    benchmark.pedantic(
        lambda: figures.append(start_once(tmp_path, wanted)), rounds=5, warmup_rounds=1
    )
    measured = figures[1:] or figures  # without benchmarking there is one start, and no warm-up
    for name in ("wall_s", "cpu_s", "modules"):
        benchmark.extra_info[name] = statistics.median(each[name] for each in measured)
    assert min(each["cpu_s"] for each in measured) > 0
