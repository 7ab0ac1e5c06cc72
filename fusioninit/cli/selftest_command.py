"""`fusioninit selftest`: check this installation, on this machine, on the bundled pair."""

from __future__ import annotations

import platform
import tempfile
import time
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from fusioninit.cli.output import Status, answer, answer_json, tell
from fusioninit.errors import InputError

SURFACE_ERROR_LIMIT_MM = 15.0
"""The demo's surface error above which detection or fit must be broken on this machine: three
times the paper's mean, and far above what the bundled weights reach on this pair."""

Facts = dict[str, Any]


def run(options: Namespace) -> int:
    """Run every check, say what each found, and fail if one does."""
    results: list[Facts] = []
    for name, check in CHECKS:
        begin = time.perf_counter()
        try:
            outcome: Facts = {"ok": True, **check()}
        except (InputError, OSError, ImportError, RuntimeError) as problem:
            outcome = {"ok": False, "problem": str(problem)}
        outcome = {"name": name, **outcome, "seconds": round(time.perf_counter() - begin, 2)}
        results.append(outcome)
        if not options.json:
            answer(_line(outcome))
    passed = all(result["ok"] for result in results)
    if options.json:
        answer_json({"passed": passed, "checks": results})
    else:
        tell("all checks passed" if passed else "some checks failed; see above")
    return Status.DONE if passed else Status.FAILED_CHECKS


def _line(outcome: Facts) -> str:
    facts = ", ".join(f"{k} {v}" for k, v in outcome.items() if k not in ("name", "ok"))
    return f"{'ok  ' if outcome['ok'] else 'FAIL'} {outcome['name']}: {facts}"


def check_versions() -> Facts:
    """Versions of what matters most."""
    from importlib.metadata import version

    packages = ("torch", "PySide6_Essentials", "vtk", "SimpleITK", "numpy")
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}


def check_device() -> Facts:
    """Where the networks will run."""
    import torch

    if torch.cuda.is_available():
        return {"device": torch.cuda.get_device_name()}
    return {"device": "cpu", "threads": torch.get_num_threads()}


def check_display() -> Facts:
    """Which renderer the 3D view gets; without one the window works in 2D."""
    import subprocess
    import sys

    command = [sys.executable, "-m", "fusioninit.app.renderer"]
    out = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    return {"renderer": out.stdout.strip() or "none: the window shows no 3D view here"}


def check_demo() -> Facts:
    """Detect and fit the demo pair, against its truth."""
    from fusioninit.cli.demo_command import surface_error_mm
    from fusioninit.cli.register_command import register_case
    from fusioninit.imaging.reading import read_volume
    from fusioninit.state.demo import open_demo

    with tempfile.TemporaryDirectory() as folder:
        registered = register_case(open_demo(read_volume), Path(folder))
        error_mm = surface_error_mm(registered.fit.us_from_mr)
    if error_mm > SURFACE_ERROR_LIMIT_MM:
        raise RuntimeError(
            f"the demo pair is registered with {error_mm:.1f} mm surface error, "
            f"expected under {SURFACE_ERROR_LIMIT_MM:.0f}; install fusioninit again"
        )
    return {"surface_error_mm": round(error_mm, 2)}


def check_transform_file() -> Facts:
    """Write a transform, read it back with ITK, and compare where it takes points."""
    from fusioninit.exchange.transforms import read_transform, write_transform
    from fusioninit.geometry import RigidTransform, Space, rotation_matrix

    us_from_mr = RigidTransform.from_parts(
        Space.US, Space.MR, rotation=rotation_matrix([0.1, 0.2, -0.3]), translation_mm=[1, -2, 30]
    )
    points_mm = np.array([[0.0, 0, 0], [50, -20, 10], [-30, 60, 80]])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "us_from_mr.tfm"
        write_transform(path, us_from_mr)
        back = read_transform(path)
    error_mm = np.abs(back.apply(points_mm) - us_from_mr.apply(points_mm)).max()
    if error_mm > 1e-6:
        raise RuntimeError(f"a transform written and read differs by {error_mm:.2g} mm")
    return {"max_difference_mm": float(error_mm)}


CHECKS: tuple[tuple[str, Callable[[], Facts]], ...] = (
    ("versions", check_versions),
    ("device", check_device),
    ("display", check_display),
    ("demo pair", check_demo),
    ("transform file", check_transform_file),
)
