"""Inside the gland: capsule, septate peripheral zone, nodular transition zone, stroma, urethra."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from fusioninit.phantom.dice import Dice
from fusioninit.phantom.gland import GlandShape
from fusioninit.phantom.solids import ellipsoid, inside, polyline, shell, smooth_union, turn
from fusioninit.phantom.sphincter import Sphincter, paint_sphincter
from fusioninit.phantom.tissues import Canvas, Tissue

Ball = tuple[tuple[float, float, float], tuple[float, float, float]]


@dataclass(frozen=True)
class Interior:
    """What a gland holds, in the gland frame.

    Parameters
    ----------
    transition : tuple of Ball
        The lobes of the transition zone.
    nodules : (m, 5) tensor
        Centre (mm), radius (mm), brightness in units of the palette's spread.
    front_band : (thickness_mm, reach)
        The fibromuscular stroma under the gland's front surface, and how far round it reaches: 0
        to the sides, -1 not at all.
    horns : (reach, height_mm)
        How far to the front the peripheral zone reaches round the sides, as for `front_band`, and
        from which height above the apex on; below it may close in front.
    apical : (height_mm, grey, dark)
        How far above the apex the peripheral zone loses its brightness, how much of it becomes
        grey all over, and how much turns dark in front, where stroma reaches down.
    front_half_mm : float
        Half width of that dark front.
    """

    transition: tuple[Ball, ...]
    nodules: Tensor
    lesions: tuple[Ball, ...]
    stroma: Ball
    front_band: tuple[float, float]
    horns: tuple[float, float]
    central: Ball
    apical: tuple[float, float, float]
    front_half_mm: float
    septa: float
    uniform: float
    capsule_mm: float
    urethra_mm: float
    calcified: bool


def draw_interior(dice: Dice, shape: GlandShape) -> Interior:
    """Random zones; the transition zone grows with the gland's volume."""
    transition = _draw_transition(dice, shape)
    width, depth, height = shape.body_mm
    lesions = tuple(_draw_lesion(dice, shape) for _ in range(dice.integer(0, 2)))
    stroma = (
        (dice.normal(0, 1.5), -0.5 * depth + dice.uniform(0, 3), dice.normal(0.04, 0.06) * height),
        (width * dice.uniform(0.14, 0.26), dice.uniform(3, 8), height * dice.uniform(0.36, 0.5)),
    )
    central = (
        (0.0, 0.26 * depth, 0.33 * height),
        (dice.uniform(8, 15), dice.uniform(4, 7), dice.uniform(7, 12)),
    )
    return Interior(
        transition=transition,
        nodules=_draw_nodules(dice, transition, shape),
        lesions=lesions,
        stroma=stroma,
        front_band=(dice.uniform(1.5, 6.0), dice.uniform(-0.85, -0.2)),
        horns=(dice.uniform(-0.7, 0.1) if dice.chance(0.85) else -2.0, dice.uniform(2.0, 14.0)),
        central=central,
        apical=(
            dice.uniform(3.0, 14.0),
            # half of the tips keep their bright horseshoe round the dark ring of the urethra
            dice.uniform(0.2, 0.9) if dice.chance(0.5) else 0.0,
            dice.uniform(0.0, 1.0),
        ),
        front_half_mm=dice.uniform(4.0, 9.0) if dice.chance(0.7) else 25.0,
        septa=dice.uniform(0.0, 0.6),
        uniform=1.0 if dice.chance(0.15) else dice.uniform(0.0, 0.35),
        capsule_mm=dice.uniform(0.3, 1.6),
        urethra_mm=dice.uniform(1.8, 3.6),
        calcified=dice.chance(0.35),
    )


def paint_interior(
    canvas: Canvas, dice: Dice, shape: GlandShape, interior: Interior, sphincter: Sphincter
) -> Tensor:
    """Paint the gland over the canvas; returns its (n,) signed distance in mm."""
    rotation = shape.gland_from_patient.to(canvas.points)
    distance = shape.distance(rotation @ canvas.points)
    part, index = canvas.part(distance < 3.0)
    points, depth = rotation @ part.points, distance.index_select(0, index)
    behind = part.values.clone()
    _paint_peripheral(part, points, shape, interior)
    _paint_transition(part, points, depth, interior)
    _paint_rest(part, points, interior)
    _paint_front_band(part, points, depth, shape, interior)
    _paint_apical(part, points, shape, interior)
    _paint_urethra(part, points, shape, interior, sphincter)
    if interior.calcified:
        _paint_calcifications(part, dice, points, shape)
    _flatten(part, interior.uniform)
    within = inside(depth, part.edge_mm)
    part.values.copy_(behind + (part.values - behind) * within)
    if interior.capsule_mm > 0.5:
        part.paint(Tissue.CAPSULE, 0.8 * shell(depth, interior.capsule_mm, part.edge_mm))
    canvas.put(part, index)
    return distance


def _draw_transition(dice: Dice, shape: GlandShape) -> tuple[Ball, ...]:
    width, depth, height = shape.body_mm
    grown = min(max((shape.volume_ml - 20.0) / 70.0, 0.0), 1.0)
    half = 0.5 * width * min(dice.uniform(0.42, 0.58) + 0.27 * grown, 0.84)
    ry = 0.5 * depth * min(dice.uniform(0.50, 0.66) + 0.25 * grown, 0.88)
    rz = 0.5 * height * min(dice.uniform(0.55, 0.75) + 0.2 * grown, 0.9)
    # in front the zone reaches the surface: no peripheral zone lies there
    y = -0.5 * depth + ry + dice.uniform(-2.0, 2.0)
    z = height * dice.uniform(0.03, 0.12)
    balls: list[Ball] = []
    for side in (-1.0, 1.0):
        size = dice.normal(1.0, 0.07)
        rx = 0.62 * half * size
        balls.append(((side * (half - rx), y, z), (rx, ry * size, rz * size)))
    return (*balls, *shape.lobes)


def _draw_nodules(dice: Dice, transition: tuple[Ball, ...], shape: GlandShape) -> Tensor:
    count = dice.integer(3, 9) + int(min(shape.volume_ml, 120) / 8)
    rows = []
    for _ in range(count):
        center, radii = transition[dice.integer(0, len(transition) - 1)]
        offset = [dice.normal(0, 0.5) * r for r in radii]
        x, y, z = (c + o for c, o in zip(center, offset, strict=True))
        radius = dice.uniform(2.5, 5.0) + dice.uniform(0.0, 0.45) * min(radii)
        rows.append([x, y, z, radius, dice.normal(0, 1)])
    return torch.tensor(rows, device=dice.device)


def _draw_lesion(dice: Dice, shape: GlandShape) -> Ball:
    width, depth, height = shape.body_mm
    side = -1.0 if dice.chance(0.5) else 1.0
    center = (
        side * dice.uniform(0.1, 0.38) * width,
        dice.uniform(0.1, 0.4) * depth,
        dice.uniform(-0.35, 0.3) * height,
    )
    radius = dice.uniform(2.5, 7.0)
    return center, (radius * dice.uniform(0.8, 1.6), radius, radius * dice.uniform(0.8, 1.6))


def _paint_peripheral(part: Canvas, points: Tensor, shape: GlandShape, interior: Interior) -> None:
    where = torch.ones_like(points[0])
    part.paint(Tissue.PERIPHERAL, where, part.noise[0] * part.palette.spread[:, None] * 0.35)
    septa = (1.0 - part.noise[2].abs() * 3.0).clamp_min(0.0)
    part.paint(Tissue.SEPTUM, septa * interior.septa)
    reach, height_mm = interior.horns
    above = torch.sigmoid((points[2] - shape.apex_mm[2] - height_mm) / 2.0)
    front = torch.sigmoid((reach - _facing(points, shape) + 0.1 * part.noise[1]) / 0.08)
    part.paint(Tissue.TRANSITION, above * front)


def _facing(points: Tensor, shape: GlandShape) -> Tensor:
    """(n,) -1 at the front surface of a section, 1 at its back."""
    _, half_depth, center, _ = shape.sections(points[2])
    return (points[1] - center) / half_depth


def _paint_transition(part: Canvas, points: Tensor, depth: Tensor, interior: Interior) -> None:
    zone = ellipsoid(points, *interior.transition[0])
    for center, radii in interior.transition[1:]:
        zone = smooth_union(zone, ellipsoid(points, center, radii), 5.0)
    zone = torch.maximum(zone + part.noise[1] * 0.9, depth + 1.0)
    opacity = inside(zone, 1.2)
    part.paint(Tissue.TRANSITION, opacity, part.noise[1] * part.palette.spread[:, None] * 0.3)
    # nearest nodule by distance over radius; its rim is a thin dark capsule
    nodules = interior.nodules
    gap = torch.cdist(points.T + 1.2 * part.noise[[1, 2, 0]].T, nodules[:, :3])
    ratio, which = (gap / nodules[:, 3]).min(1)
    radius = nodules[which, 3]
    change = nodules[which, 4] * part.palette.spread[:, None]
    edge = (ratio - 1.0) * radius
    whorl = torch.sin(ratio * radius * 1.6) * 0.25 * part.palette.spread[:, None]
    part.paint(Tissue.NODULE, inside(edge, 0.9) * opacity, change + whorl)
    part.paint(Tissue.NODULE_RIM, shell(edge, 0.9, 0.7) * opacity * 0.7)
    part.paint(Tissue.NODULE_RIM, shell(zone, 1.0, 0.8) * 0.6)


def _paint_rest(part: Canvas, points: Tensor, interior: Interior) -> None:
    central = ellipsoid(points, *interior.central, turn(-25.0))
    part.paint(Tissue.CENTRAL, inside(central, 2.0) * 0.85)
    stroma = ellipsoid(points, *interior.stroma)
    part.paint(Tissue.STROMA, inside(stroma + part.noise[1], 2.0))
    for center, radii in interior.lesions:
        lesion = ellipsoid(points, center, radii) + part.noise[1] * 1.5
        part.paint(Tissue.LESION, inside(lesion, 2.0) * 0.8)


def _paint_front_band(
    part: Canvas, points: Tensor, depth: Tensor, shape: GlandShape, interior: Interior
) -> None:
    """Dark stroma under the front surface, where real glands have no bright rim."""
    thick_mm, reach = interior.front_band
    front = torch.sigmoid((reach - _facing(points, shape)) / 0.08)
    # thickest in the midline
    band = -depth - thick_mm * (0.4 + 0.6 * torch.exp(-((points[0] / 9.0) ** 2)))
    part.paint(Tissue.STROMA, inside(band + part.noise[1], 1.5) * front)


def _paint_apical(part: Canvas, points: Tensor, shape: GlandShape, interior: Interior) -> None:
    """The tip: a bright horseshoe round the sphincter, or grey; dark in front, where stroma is."""
    height, grey, dark = interior.apical
    _, apex_y, apex_z = shape.apex_mm
    x, y, z = points
    low = torch.sigmoid((apex_z + height - z + part.noise[1]) / 2.0)
    part.paint(Tissue.TRANSITION, low * grey * (1 - 0.4 * part.noise[2].clamp(-1, 1)) * 0.8)
    front = torch.sigmoid((apex_y - y + part.noise[1]) / 1.5)
    middle = torch.sigmoid((interior.front_half_mm - x.abs() + part.noise[1]) / 1.5)
    part.paint(Tissue.SPHINCTER, low * front * middle * dark)


def _paint_urethra(
    part: Canvas, points: Tensor, shape: GlandShape, interior: Interior, sphincter: Sphincter
) -> None:
    below = (0.0, shape.apex_mm[1] - 1.0, shape.apex_mm[2] - 12.0)
    axis = polyline(points, (shape.neck_mm, shape.bend_mm, shape.apex_mm, below), 0.0)
    wall = axis - interior.urethra_mm
    part.paint(Tissue.SPHINCTER, inside(wall - 1.6, 1.2) * 0.75)
    part.paint(Tissue.URETHRA, inside(wall + 0.4, 1.0) * 0.8)
    paint_sphincter(part, sphincter, axis, points[2] - shape.apex_mm[2])
    veru = ellipsoid(points, shape.bend_mm, (2.6, 2.2, 4.5))
    part.paint(Tissue.VERU, inside(veru, 1.0))


def _paint_calcifications(part: Canvas, dice: Dice, points: Tensor, shape: GlandShape) -> None:
    for _ in range(dice.integer(1, 4)):
        x, y, z = shape.bend_mm
        center = (x + dice.normal(0, 6), y + dice.normal(0, 3), z + dice.normal(2, 6))
        grain = ellipsoid(points, center, (1.6, 1.2, 1.6))
        part.paint(Tissue.CALCIFICATION, inside(grain, 0.8))


def _flatten(part: Canvas, amount: float) -> None:
    """Some glands show no zones: pull all values towards their mean."""
    mean = part.values.mean(1, keepdim=True)
    part.values.add_((mean - part.values) * amount)
