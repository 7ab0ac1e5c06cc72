import subprocess
from pathlib import Path

import pytest

PACKAGING = Path(__file__).parents[2] / "packaging"


@pytest.mark.parametrize("words", [["one"], ["one", "two", "three"]])
def test_run_wants_both_images_or_none(words, tmp_path):
    command = ["bash", str(PACKAGING / "run.sh"), *words]
    out = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert out.returncode == 2
    assert "usage: bash packaging/run.sh [MR US]" in out.stderr


@pytest.mark.parametrize("script", sorted(PACKAGING.glob("*.sh")), ids=lambda path: path.name)
def test_the_scripts_parse(script):
    subprocess.run(["bash", "-n", str(script)], check=True)


def test_every_pinned_version_is_exact_and_torch_is_the_one_with_both_builds():
    lines = (PACKAGING / "constraints.txt").read_text(encoding="utf-8").split()
    assert all(line.count("==") == 1 and "+" not in line for line in lines)
    assert "torch==2.13.0" in lines
    assert any(line.startswith("numpy==2.3") for line in lines)
