"""What surrounds a gland: sizes and places of bladder, rectum, bones, muscles, vesicles.

Patient frame: LPS mm about the middle of the gland's body.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from fusioninit.phantom.dice import Dice
from fusioninit.phantom.gland import GlandShape

Point = tuple[float, float, float]

RECTUM_LOW_MM, RECTUM_STEP_MM = -100.0, 5.0
"""First height and step of the rectum's table."""


@dataclass(frozen=True)
class Pelvis:
    """Sizes and places of what surrounds one gland; all in the patient frame, mm."""

    apex: Point
    neck: Point
    half: tuple[float, float, float]
    size: float
    bladder: tuple[Point, tuple[float, float, float]]
    bladder_wall_mm: float
    rectum: Tensor
    rectum_fill: str
    rectum_wall_mm: float
    symphysis: tuple[Point, tuple[float, float, float], float]
    levator_mm: float
    levator_gap_mm: float
    levator_rise: float
    sling_half_mm: float
    floor_fill: float
    wall_half_mm: float
    vesicles: tuple[tuple[Point, ...], ...]
    vesicle_mm: float
    bulb: tuple[Point, tuple[float, float, float]]
    plexus: float
    threads: float


def draw_pelvis(dice: Dice, shape: GlandShape, *, rectum_fill: str) -> Pelvis:
    """Random surroundings that fit the gland. `rectum_fill`: see `Pelvis.rectum_fill`."""
    to_patient = shape.gland_from_patient.T
    apex = _moved(to_patient, shape.apex_mm)
    neck = _moved(to_patient, shape.neck_mm)
    half = (shape.body_mm[0] / 2, shape.body_mm[1] / 2, shape.body_mm[2] / 2)
    size = dice.normal(1.0, 0.06)
    rx, ry = dice.uniform(24, 48), dice.uniform(20, 38)
    rz = dice.uniform(9, 36)
    sits = neck[1] + dice.normal(-4, 7)
    lowered = rz * max(0.2, 1 - ((neck[1] - sits) / ry) ** 2) ** 0.5
    bladder = ((dice.normal(0, 4), sits, neck[2] + lowered - 0.5), (rx, ry, rz))
    front = apex[1] - half[1] * dice.uniform(0.75, 1.0)
    symphysis = (
        (dice.normal(0, 1.5), front - dice.uniform(12, 21) * size, apex[2] + dice.normal(11, 6)),
        (dice.uniform(7, 12), dice.uniform(7.5, 10.5) * size, dice.uniform(17, 23) * size),
        dice.normal(42, 9),
    )
    bulb_z = apex[2] - dice.uniform(16, 26)
    bulb = ((0.0, apex[1] + dice.normal(2, 3), bulb_z), (dice.uniform(7, 11), 9.0, 9.0))
    return Pelvis(
        apex=apex,
        neck=neck,
        half=half,
        size=size,
        bladder=bladder,
        bladder_wall_mm=dice.uniform(2.0, 5.5),
        rectum=_draw_rectum(dice, shape, rectum_fill),
        rectum_fill=rectum_fill,
        rectum_wall_mm=dice.uniform(2.2, 4.5),
        symphysis=symphysis,
        levator_mm=dice.uniform(2.8, 6.0),
        levator_gap_mm=dice.uniform(0.5, 5.0),
        levator_rise=dice.uniform(0.25, 0.75),
        sling_half_mm=dice.uniform(13.0, 19.0),
        floor_fill=dice.uniform(-0.6, 0.9),
        wall_half_mm=max(dice.normal(36, 4) * size, half[0] + dice.uniform(4, 9)),
        vesicles=_draw_vesicles(dice, shape),
        vesicle_mm=dice.uniform(4.0, 7.5),
        bulb=bulb,
        plexus=dice.uniform(0.2, 0.9),
        threads=dice.uniform(0.2, 0.8),
    )


def _moved(rotation: Tensor, point: Point) -> Point:
    x, y, z = (rotation @ torch.tensor(point)).tolist()
    return x, y, z


def _draw_rectum(dice: Dice, shape: GlandShape, fill: str) -> Tensor:
    """(m, 4) over height: front (y), half depth, half width, sideways shift (mm)."""
    z = RECTUM_LOW_MM + RECTUM_STEP_MM * torch.arange(41)
    to_patient = shape.gland_from_patient.T
    apex = _moved(to_patient, shape.apex_mm)
    heights = torch.linspace(-0.5, 0.5, 21) * shape.body_mm[2]
    sections = shape.sections(heights)
    back = torch.stack([torch.zeros(21), sections[2] + sections[1], heights])
    back = to_patient @ back
    base_z = float(back[2, -1])
    radius: float | Tensor = {
        "collapsed": dice.uniform(7, 11),
        "gas": dice.uniform(10, 21),
        "stool": dice.uniform(11, 21),
        "coil": dice.uniform(17, 24),
        "probe": 10.0,
    }[fill]
    middle = float(back[1, 6:16].max()) - shape.concavity_mm * 0.5
    gap = dice.uniform(0.5, 3.0) if fill in ("coil", "gas", "stool") else dice.uniform(1.0, 5.0)
    # anal canal below, behind the apex; along the gland; then back into the sacral hollow
    slope = dice.uniform(0.25, 0.75)
    below = (apex[2] + 6 - z).clamp_min(0.0)
    above = (z - base_z + 6).clamp_min(0.0)
    front = middle + gap + 0.25 * below + slope * above
    canal = torch.sigmoid((z - (apex[2] - dice.uniform(-5, 8))) / 4.0)
    if fill == "coil":
        length = dice.uniform(0.8, 1.3)
        upper = torch.sigmoid((base_z + 12 * length - z) / 5.0)
        canal = canal * upper
    waves = sum(
        dice.normal(0, 0.09) * torch.cos(z / dice.uniform(7.0, 16.0) + dice.uniform(0, 6))
        for _ in "ab"
    )
    if fill in ("gas", "stool"):
        radius = radius * (1 + waves)
    half_depth = 4.5 + (radius - 4.5) * canal
    half_width = 5.0 + (radius * dice.uniform(0.95, 1.5) - 5.0) * canal
    if fill == "coil":
        half_width = half_depth * dice.uniform(1.0, 1.15)
    shift = dice.normal(0, 3) + dice.normal(0, 3) * z / 50.0
    return torch.stack([front, half_depth, half_width, shift], 1)


def _draw_vesicles(dice: Dice, shape: GlandShape) -> tuple[tuple[Point, ...], ...]:
    _, depth, height = shape.body_mm
    to_patient = shape.gland_from_patient.T
    root = _moved(to_patient, (0.0, 0.30 * depth, 0.46 * height))
    sides = []
    for side in (-1.0, 1.0):
        reach = dice.uniform(20, 34)
        back, up = dice.uniform(0, 9), dice.uniform(4, 17)
        sides.append(
            (
                (root[0] + side * 4, root[1], root[2]),
                (root[0] + side * reach * 0.5, root[1] + back * 0.7, root[2] + up * 0.6),
                (root[0] + side * reach, root[1] + back, root[2] + up),
            )
        )
    return tuple(sides)
