"""`fusioninit demo`: the bundled synthetic pair, in the window or headless, against its truth."""

from __future__ import annotations

import os
from argparse import Namespace

import numpy as np

from fusioninit.cli.output import Status, answer, answer_json, tell
from fusioninit.cli.register_command import (
    print_registration,
    register_case,
    registration_record,
)
from fusioninit.geometry import RigidTransform, Space


def run(options: Namespace) -> int:
    """Open the window on the demo where there is a display, else register it and report."""
    has_display = bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    if has_display and not options.headless:
        from fusioninit.app import run_window

        return run_window(demo=True)
    if not options.headless:
        tell("no display: registering the demo pair without a window")
    return _register_demo(options)


def surface_error_mm(us_from_mr: RigidTransform) -> float:
    """SRE (paper, equation 6) of a transform of the demo pair against the true one, mm."""
    from fusioninit.bundled import asset_path
    from fusioninit.imaging.reading import read_mask
    from fusioninit.imaging.surfaces import surface_points_mm
    from fusioninit.registration.metrics import surface_registration_error_mm
    from fusioninit.state.demo import GLANDS, demo_truth

    gland = read_mask(asset_path(GLANDS[Space.MR]), space=Space.MR)
    surface_mr_mm = surface_points_mm(np.asarray(gland.voxels) > 0.5, gland.grid)
    return surface_registration_error_mm(demo_truth().us_from_mr, us_from_mr, surface_mr_mm)


def _register_demo(options: Namespace) -> int:
    from fusioninit.imaging.reading import read_volume
    from fusioninit.state.demo import open_demo

    registered = register_case(open_demo(read_volume), options.out)
    error_mm = surface_error_mm(registered.fit.us_from_mr)
    if options.json:
        answer_json({**registration_record(registered), "surface_error_mm": error_mm})
        return Status.DONE
    for warning in registered.warnings:
        tell(f"warning: {warning}")
    print_registration(registered)
    answer(f"surface registration error (SRE) against the demo's true transform: {error_mm:.2f} mm")
    answer(f"written to {options.out}")
    return Status.DONE
