"""What surrounds a gland: sizes and places of bladder, rectum, bones, muscles, vesicles.

Patient frame: LPS mm about the middle of the gland's body.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from fusioninit.phantom.dice import Dice
from fusioninit.phantom.gland import GlandShape
from fusioninit.phantom.rectum import Rectum, draw_rectum
from fusioninit.phantom.sphincter import Sphincter, draw_sphincter

Point = tuple[float, float, float]


@dataclass(frozen=True)
class SideWall:
    """The inner face of obturator muscle, hip and pubic arch.

    Low down the two sides run together to the front, under the symphysis: an arch. High up they
    stand nearly parallel.

    Parameters
    ----------
    high_half_mm, high_slope : float
        Half distance of the sides at y = 0 above the arch, and how it grows to posterior.
    arch_half_mm, arch_slope, arch_y_mm : float
        Half distance of the arch's arms at `arch_y_mm`, and how it grows to posterior.
    arch_top_mm : float
        Height (z) at which one shape turns into the other.
    thick_mm, arch_thick_mm : float
        Thickness of the muscle high up and low down.
    """

    high_half_mm: float
    high_slope: float
    arch_half_mm: float
    arch_slope: float
    arch_y_mm: float
    arch_top_mm: float
    thick_mm: float
    arch_thick_mm: float

    def half_mm(self, y: Tensor, z: Tensor) -> Tensor:
        """(n,) half distance of the sides."""
        high = self.high_half_mm + self.high_slope * (y - 5.0).clamp(-50.0, 50.0)
        arch = self.arch_half_mm + self.arch_slope * (y - self.arch_y_mm)
        return arch + (high - arch) * self.share_high(z)

    def share_high(self, z: Tensor) -> Tensor:
        """(n,) 0 in the arch, 1 above it."""
        return torch.sigmoid((z - self.arch_top_mm) / 6.0)


@dataclass(frozen=True)
class Pelvis:
    """Sizes and places of what surrounds one gland; all in the patient frame, mm."""

    apex: Point
    neck: Point
    half: tuple[float, float, float]
    size: float
    bladder: tuple[Point, tuple[float, float, float]]
    bladder_wall_mm: float
    rectum: Rectum
    symphysis: tuple[Point, tuple[float, float, float], float]
    levator_mm: float
    levator_gap_mm: float
    levator_rise: float
    sling_half_mm: float
    sling_taper: float
    floor_fill: float
    wall: SideWall
    vesicles: tuple[tuple[Point, ...], ...]
    vesicle_mm: float
    bulb: tuple[Point, tuple[float, float, float]]
    sphincter: Sphincter
    plexus: float
    plexus_low_mm: float
    threads: float


def draw_pelvis(dice: Dice, shape: GlandShape, *, rectum_fill: str) -> Pelvis:
    """Random surroundings that fit the gland. `rectum_fill`: see `Rectum`."""
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
    levator_mm = dice.uniform(2.8, 6.0)
    return Pelvis(
        apex=apex,
        neck=neck,
        half=half,
        size=size,
        bladder=bladder,
        bladder_wall_mm=dice.uniform(2.0, 5.5),
        rectum=draw_rectum(dice, shape, fill=rectum_fill),
        symphysis=symphysis,
        levator_mm=levator_mm,
        levator_gap_mm=dice.uniform(0.5, 5.0),
        levator_rise=dice.uniform(0.25, 0.75),
        sling_half_mm=_draw_sling(dice, shape, levator_mm),
        sling_taper=dice.uniform(0.0, 0.4),
        floor_fill=dice.uniform(-0.25, 1.0),
        wall=_draw_wall(dice, apex, half, size),
        vesicles=_draw_vesicles(dice, shape),
        vesicle_mm=dice.uniform(4.0, 7.5),
        bulb=bulb,
        sphincter=draw_sphincter(dice),
        plexus=dice.uniform(0.2, 0.9),
        plexus_low_mm=apex[2] + dice.uniform(-12.0, 18.0),
        threads=dice.uniform(0.2, 0.8),
    )


def _draw_wall(dice: Dice, apex: Point, half: tuple[float, float, float], size: float) -> SideWall:
    return SideWall(
        high_half_mm=max(dice.normal(35, 4) * size, half[0] + dice.uniform(3, 8)),
        high_slope=dice.uniform(0.0, 0.2),
        arch_half_mm=dice.uniform(9.0, 19.0) * size,
        arch_slope=dice.uniform(0.4, 0.8),
        arch_y_mm=apex[1] - dice.uniform(14.0, 24.0),
        arch_top_mm=apex[2] + dice.uniform(6.0, 22.0),
        thick_mm=dice.uniform(13, 25) * size,
        arch_thick_mm=dice.uniform(14, 40) * size,
    )


def _draw_sling(dice: Dice, shape: GlandShape, levator_mm: float) -> float:
    """Half width (mm) of the levator's sheet at the apex: mostly it lies on the gland."""
    if dice.chance(0.35):
        return dice.uniform(13.0, 20.0)
    low = torch.tensor([-0.42 * shape.body_mm[2]])
    gland_half = float(shape.sections(low)[0])
    return min(max(gland_half + levator_mm + dice.uniform(-1.5, 1.5), 11.0), 22.0)


def _moved(rotation: Tensor, point: Point) -> Point:
    x, y, z = (rotation @ torch.tensor(point)).tolist()
    return x, y, z


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
