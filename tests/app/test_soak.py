"""Case after case in one process of the real application; thirty of them by hand, six here."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.gl
def test_case_after_case_leaves_no_thread_no_child_and_no_memory(qapp):
    command = [sys.executable, "-m", "tests.benchmarks.soak", "--cases", "6"]
    command += ["--detect-every", "99"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=600, cwd=ROOT, check=False
    )
    assert done.returncode in (0, 1), done.stderr[-2000:]
    answer = json.loads(done.stdout.strip().splitlines()[-1])
    assert answer["cases"] == 6
    assert answer["left"] == {"threads": [], "children": []}
    assert answer["left_after_closing_in_a_detection"] == {"threads": [], "children": []}
    assert answer["growth"] < 1.10
