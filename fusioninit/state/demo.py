"""The bundled demo: one synthetic pair whose true transform and landmarks are known."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fusioninit.bundled import asset_path
from fusioninit.geometry import RigidTransform, Space
from fusioninit.imaging.volume import Volume
from fusioninit.landmarks import LandmarkSet, Source
from fusioninit.state.case import Case

VOLUMES = {Space.MR: "demo-mr.nii.gz", Space.US: "demo-us.nii.gz"}
GLANDS = {Space.MR: "demo-mr-gland.nii.gz", Space.US: "demo-us-gland.nii.gz"}
TRUTH = "demo-truth.json"


@dataclass(frozen=True)
class DemoTruth:
    """What the generator knows about the demo pair. The glands' masks lie beside it."""

    us_from_mr: RigidTransform
    mr_landmarks: LandmarkSet
    us_landmarks: LandmarkSet


def open_demo(read: Callable[..., Volume]) -> Case:
    """The demo pair as a fresh case; `read(path, space=...)` opens a volume."""
    case = Case()
    for space, name in VOLUMES.items():
        case = case.with_volume(read(asset_path(name), space=space))
    return case


def demo_truth() -> DemoTruth:
    """The true rigid transform and the true landmarks of the demo pair (LPS mm)."""
    record = json.loads(asset_path(TRUTH).read_text(encoding="utf-8"))
    sets = {
        space: LandmarkSet.from_positions(
            space, record["landmarks"][space.value], source=Source.CONFIRMED, provenance="truth"
        )
        for space in (Space.MR, Space.US)
    }
    us_from_mr = RigidTransform(Space.US, Space.MR, np.asarray(record["us_from_mr"]))
    return DemoTruth(us_from_mr, sets[Space.MR], sets[Space.US])
