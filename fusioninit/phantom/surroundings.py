"""Paints what lies around the gland, from back to front: fat, muscles, bones, organs, vessels."""

from __future__ import annotations

import torch
from torch import Tensor

from fusioninit.phantom.dice import Dice
from fusioninit.phantom.pelvis import RECTUM_LOW_MM, RECTUM_STEP_MM, Pelvis
from fusioninit.phantom.solids import (
    capsule,
    ellipsoid,
    inside,
    lookup,
    polyline,
    shell,
    turn,
)
from fusioninit.phantom.tissues import Canvas, Tissue, box


def paint_surroundings(canvas: Canvas, dice: Dice, pelvis: Pelvis) -> None:
    """Paint everything but the gland."""
    _paint_fat(canvas, pelvis)
    _paint_side_walls(canvas, dice, pelvis)
    _paint_back(canvas, dice, pelvis)
    _paint_front(canvas, dice, pelvis)
    _paint_levator(canvas, pelvis)
    _paint_near(canvas, dice, pelvis)
    _paint_bladder(canvas, dice, pelvis)
    if pelvis.rectum_fill != "probe":
        _paint_rectum(canvas, dice, pelvis)


def paint_over_gland(canvas: Canvas, pelvis: Pelvis, gland_mm: Tensor) -> None:
    """The bladder's wall where the gland bulges into it, and the funnel of its neck."""
    center, radii = pelvis.bladder
    top = canvas.points[2] > pelvis.neck[2] - 8
    part, index = canvas.part(top & (gland_mm.abs() < 8))
    gland = gland_mm.index_select(0, index)
    bladder = ellipsoid(part.points, center, radii)
    wall = pelvis.bladder_wall_mm * 0.7
    part.paint(Tissue.BLADDER_WALL, inside(gland - wall) * inside(-gland) * inside(bladder))
    x, y, z = pelvis.neck
    part.fill(Tissue.BLADDER_WALL, ellipsoid(part.points, (x, y, z - 1.5), (6.5, 5.5, 3.5)))
    part.paint(Tissue.URINE, inside(wall - gland) * inside(bladder))
    part.fill(Tissue.URINE, capsule(part.points, (x, y, z + 1.0), (x, y - 1.0, z + 7), 1.8))
    canvas.put(part, index)


def _paint_fat(canvas: Canvas, pelvis: Pelvis) -> None:
    canvas.values.copy_(canvas.palette.row(Tissue.FAT).expand_as(canvas.values))
    threads = (1.0 - canvas.noise[1].abs() * 6.0).clamp_min(0.0)
    threads = threads * (canvas.noise[0] + 0.6).clamp(0.0, 1.0)
    canvas.paint(Tissue.FASCIA, threads * pelvis.threads)
    vessels = (canvas.noise[2] - 1.5).clamp(0.0, 0.8)
    canvas.paint(Tissue.VESSEL, vessels * pelvis.threads)


def _mirrored(part: Canvas) -> Tensor:
    """(3, n) points with |x|: what is painted on one side is painted on both."""
    x, y, z = part.points
    return torch.stack([x.abs(), y, z])


def _bone(part: Canvas, distance: Tensor, cortex_mm: float) -> None:
    part.fill(Tissue.CORTEX, distance)
    marrow = part.noise[0] * part.palette.spread[:, None] * 0.25
    part.fill(Tissue.MARROW, distance + cortex_mm, marrow)


def _paint_side_walls(canvas: Canvas, dice: Dice, pelvis: Pelvis) -> None:
    """Ischium and hip, lined by the obturator internus: a curved plate, thickest in the middle."""
    s = pelvis.size
    part, index = canvas.part(canvas.points[0].abs() > 22)
    side, y, z = mirrored = _mirrored(part)
    low, front = pelvis.apex[2], pelvis.symphysis[0][1]
    wall = pelvis.wall_half_mm + 0.12 * (z - low).clamp(-30, 60)
    wall = wall + dice.uniform(0.0, 0.16) * (y - 5).clamp(-50, 50)
    wall = wall - dice.uniform(0.003, 0.006) * (y - dice.uniform(4, 18)).clamp(-50, 50) ** 2
    full = dice.uniform(15, 26) * s
    thick = full * (1.0 - 0.00045 * (y - 4).clamp(-44, 44) ** 2)
    hip = wall + thick - side
    hip = torch.maximum(hip, (y - (front + 38)).abs() - 34 * s - 0.3 * (z - low - 20))
    _bone(part, torch.maximum(hip, low + dice.normal(-6, 8) - z), dice.uniform(1.0, 2.4))
    ischium = capsule(mirrored, (46 * s, front + 50, low - 34), (62 * s, front + 44, low), 12.0 * s)
    _bone(part, ischium, dice.uniform(1.0, 2.2))
    plate = (side - wall - thick / 2).abs() - thick / 2
    plate = torch.maximum(plate, (y - 4).abs() - dice.uniform(38, 46) * s)
    plate = torch.maximum(plate, low - dice.uniform(18, 32) - z)
    part.fill(Tissue.MUSCLE, plate + part.noise[0] * 1.6)
    seam = (plate + full * dice.uniform(0.15, 0.35)).abs() - 0.6
    part.paint(Tissue.FASCIA, 0.35 * inside(seam))
    canvas.put(part, index)


def _paint_back(canvas: Canvas, dice: Dice, pelvis: Pelvis) -> None:
    """Gluteus maximus on both sides of the cleft, coccyx and sacrum."""
    behind = pelvis.half[1] + 26
    part, index = canvas.part(canvas.points[1] > behind)
    side, y, z = _mirrored(part)
    low = pelvis.apex[2]
    back = dice.uniform(36, 52) + pelvis.half[1]
    gluteus = back - y - 0.5 * side + 18 + 0.15 * (z - low)
    gluteus = torch.maximum(gluteus, dice.uniform(6, 16) - side - 0.2 * (z - low).clamp(0, 40))
    part.fill(Tissue.MUSCLE, gluteus + part.noise[0] * 2.0)
    part.paint(Tissue.FASCIA, inside(gluteus) * (1 - part.noise[1].abs() * 4).clamp_min(0) * 0.5)
    tail = pelvis.half[1] + dice.uniform(38, 54)
    ends = (0.0, tail, low + 16), (0.0, tail + 16, low + 72)
    _bone(part, capsule(part.points, *ends, dice.uniform(5, 9)), 1.2)
    canvas.put(part, index)


def _paint_front(canvas: Canvas, dice: Dice, pelvis: Pelvis) -> None:
    """Pubic bones and symphysis, the muscles in front of and below them, the abdominal wall."""
    s = pelvis.size
    center, radii, lean = pelvis.symphysis
    x0, y0, z0 = center
    part, index = canvas.part(canvas.points[1] < y0 + 42)
    side, y, z = mirrored = _mirrored(part)
    low = pelvis.apex[2]
    anterior = torch.maximum(y - (y0 - dice.uniform(2, 9)), z - (z0 + dice.uniform(14, 24)))
    anterior = torch.maximum(anterior, 4.0 - side)
    part.fill(Tissue.MUSCLE, anterior + part.noise[0] * 2.0)
    # obturator externus and adductors: everything before a line from the symphysis to the ischium
    externus = (y - y0 - dice.uniform(6, 16) - dice.uniform(0.8, 1.3) * (side - 14)) * 0.7
    externus = torch.maximum(externus, (z - low - dice.uniform(0, 12)) * 0.8)
    externus = torch.maximum(externus, dice.uniform(3, 10) - side)
    part.fill(Tissue.MUSCLE, externus + part.noise[0] * 2.0)
    seams = (1 - part.noise[0].abs() * 9).clamp_min(0) * inside(externus + 2)
    part.paint(Tissue.FASCIA, seams * dice.uniform(0.1, 0.6))
    rectus = (y - (y0 - 0.42 * (z - low - 25))).abs() - dice.uniform(4, 7)
    rectus = torch.maximum(torch.maximum(rectus, 2 - side), low + 30 - z)
    part.fill(Tissue.MUSCLE, torch.maximum(rectus, side - 32))
    rotation = turn(lean)
    cortex = dice.uniform(0.7, 2.0)
    half = radii[0] + dice.uniform(6, 10)
    swung = turn(lean, 0.0, dice.uniform(15, 40))
    body_mm = (half, radii[1] + dice.uniform(0, 3), radii[2])
    body = ellipsoid(mirrored, (half * 0.85, y0 + 4, z0), body_mm, swung)
    thick = dice.uniform(7.0, 9.5) * s
    upper = capsule(mirrored, (14, y0 - 1, z0 + 6), (56 * s, y0 + 22, z0 + 24), thick)
    lower = capsule(mirrored, (12, y0 + 6, z0 - 10), (38 * s, y0 + 38, z0 - 40), 6.5 * s)
    _bone(part, torch.minimum(torch.minimum(body, upper), lower), cortex)
    disc_mm = (dice.uniform(2.0, 4.5), radii[1] + 1.5, radii[2] * 0.95)
    part.fill(Tissue.CARTILAGE, ellipsoid(part.points, (x0, y0 + 1, z0), disc_mm, rotation))
    canvas.put(part, index)


def _paint_levator(canvas: Canvas, pelvis: Pelvis) -> None:
    """A sheet that hugs the gland: a V round the apex, a funnel that widens to the side wall."""
    reach = pelvis.wall_half_mm + 8
    front = pelvis.symphysis[0][1] + 6.0
    low_z = pelvis.apex[2] - 40.0
    part, index = canvas.part(
        box(canvas.points, (-reach, front, low_z), (reach, 90.0, pelvis.apex[2] + 75.0))
    )
    x, y, z = part.points
    above = z - pelvis.apex[2]
    hug = pelvis.half[0] + pelvis.levator_gap_mm
    low = pelvis.sling_half_mm
    half = low + (hug - low) * (above / (1.1 * pelvis.half[2])).clamp(-0.3, 1.0)
    half = half + pelvis.levator_rise * (above - 1.2 * pelvis.half[2]).clamp(0.0, 60.0)
    half = half.clamp_max(pelvis.wall_half_mm - 1)
    table = lookup(pelvis.rectum.to(x.device), (z - RECTUM_LOW_MM) / RECTUM_STEP_MM)
    back = table[0] + 2 * table[1] + 5.0
    middle, depth = (back + front) / 2, (back - front) / 2
    v = (y - middle) / depth
    half = half * (1.0 - 0.22 * v.clamp(-1.0, 1.0))
    u = x / half
    u2, v2 = u * u, v * v
    norm = (0.5 * (u2 + v2 + (u2 * u2 + v2 * v2).sqrt())).sqrt()
    # high up the sheet ends beside the rectum; low down it closes behind it
    thin = (above - 18.0).clamp(0.0, 30.0) * (v - 0.1).clamp(0.0, 1.0) * 0.35
    low_down = torch.sigmoid((4.0 - above) / 5.0)
    thick = pelvis.levator_mm * (0.5 + 0.5 * low_down)
    sheet = ((norm - 1.0) * half).abs() - thick + thin
    # round the apex the sling holds little but muscle: sphincters, perineal body
    within = (norm - 1.0) * half + 60.0 * (above / 12.0 - pelvis.floor_fill).clamp(0.0, 1.0)
    part.paint(Tissue.LEVATOR, inside(within, 2.0) * (1 - 0.25 * part.noise[1].clamp(0, 2)))
    part.fill(Tissue.LEVATOR, sheet + part.noise[1] * 0.6)
    # perineal membrane and muscles close the floor below the apex
    floor = torch.maximum((above + 17.0).abs() - 2.5, x.abs() - 24.0)
    floor = torch.maximum(floor, (y - pelvis.apex[1]).abs() - 16.0)
    part.fill(Tissue.LEVATOR, floor + part.noise[1])
    canvas.put(part, index)


def _paint_near(canvas: Canvas, dice: Dice, pelvis: Pelvis) -> None:
    hx, hy, hz = pelvis.half
    ax, ay, az = pelvis.apex
    reach = box(canvas.points, (-60, -hy - 32, az - 45), (60, hy + 26, hz + 34))
    part, index = canvas.part(reach)
    p = part.points
    # dorsal venous complex in front, venous plexus along the sides
    dorsal = ellipsoid(p, (ax, ay - hy * 0.8, az + 6), (hx * 0.75, hy * 0.55, hz * 0.9))
    veins = part.noise[2] * part.palette.spread[:, None] * 0.4
    part.paint(Tissue.VENOUS, inside(dorsal + part.noise[1] * 2.5, 2.0) * 0.9, veins)
    plexus = ellipsoid(p, (0.0, -2.0, 0.0), (hx + pelvis.levator_gap_mm, hy + 3.0, hz * 0.9))
    part.paint(Tissue.VENOUS, inside(plexus + part.noise[1] * 2.0, 1.5) * pelvis.plexus, veins)
    for side in (-1.0, 1.0):
        bundle = capsule(p, (side * hx * 0.62, hy * 0.9, az), (side * hx * 0.72, hy * 0.9, hz), 2.2)
        part.paint(Tissue.NERVE, inside(bundle + part.noise[2] * 1.2) * 0.8)
    _paint_vesicles(part, pelvis)
    _paint_below_apex(part, dice, pelvis)
    canvas.put(part, index)


def _paint_below_apex(part: Canvas, dice: Dice, pelvis: Pelvis) -> None:
    """Membranous urethra in its ring of sphincter, bulb and crura."""
    ax, ay, az = pelvis.apex
    p = part.points
    path = [(ax, ay, az + 2), (ax, ay - 1, az - 14), pelvis.bulb[0]]
    urethra = polyline(p, path, dice.uniform(2.0, 3.0))
    part.fill(Tissue.SPHINCTER, urethra - dice.uniform(2.5, 4.5))
    part.fill(Tissue.URETHRA, urethra)
    bulb = ellipsoid(p, *pelvis.bulb)
    part.fill(Tissue.BULB, bulb)
    part.paint(Tissue.FASCIA, 0.7 * shell(bulb, 1.2))
    for side in (-1.0, 1.0):
        crus = capsule(p, (side * 10, ay - 16, az - 22), (side * 30, ay + 14, az - 42), 6.0)
        part.fill(Tissue.BULB, crus)


def _paint_vesicles(part: Canvas, pelvis: Pelvis) -> None:
    for nodes in pelvis.vesicles:
        tube = polyline(part.points, nodes, pelvis.vesicle_mm) + part.noise[1] * 1.6
        part.fill(Tissue.SEMINAL_WALL, tube)
        folds = (part.noise[2].abs() - 0.25).clamp(0.0, 0.3) / 0.3
        part.paint(Tissue.SEMINAL_FLUID, inside(tube + 1.2) * folds)
        vas = capsule(part.points, nodes[0], (nodes[0][0], nodes[2][1] - 2, nodes[2][2] + 12), 2.8)
        part.fill(Tissue.SEMINAL_WALL, vas)


def _paint_bladder(canvas: Canvas, dice: Dice, pelvis: Pelvis) -> None:
    part, index = canvas.part(canvas.points[2] > pelvis.neck[2] - 14)
    center, radii = pelvis.bladder
    x, y, z = center
    if dice.chance(0.5):
        # a loop of bowel on the dome
        loop = (x + dice.normal(0, 22), y + dice.normal(10, 14), z + radii[2] + dice.uniform(8, 18))
        bowel = ellipsoid(part.points, loop, (dice.uniform(12, 26), 12.0, 12.0))
        part.fill(Tissue.RECTAL_WALL, bowel + part.noise[0] * 2.0)
        part.fill(Tissue.BOWEL, bowel + 2.5 + part.noise[0] * 2.0)
    bladder = ellipsoid(part.points, center, radii) + part.noise[0] * 1.0
    part.fill(Tissue.BLADDER_WALL, bladder - pelvis.bladder_wall_mm)
    part.fill(Tissue.URINE, bladder)
    canvas.put(part, index)


def _paint_rectum(canvas: Canvas, dice: Dice, pelvis: Pelvis) -> None:
    part, index = canvas.part((canvas.points[1] > -12) & (canvas.points[0].abs() < 50))
    x, y, z = part.points
    position = (z - RECTUM_LOW_MM) / RECTUM_STEP_MM
    front, half_depth, half_width, shift = lookup(pelvis.rectum.to(x.device), position)
    u, v = (x - shift) / half_width, (y - front - half_depth) / half_depth
    norm = (u * u + v * v).sqrt()
    rough = 0.4 if pelvis.rectum_fill == "coil" else 1.6
    lumen = (norm - 1.0) * torch.minimum(half_width, half_depth) + part.noise[0] * rough
    wall = 2.0 if pelvis.rectum_fill == "coil" else pelvis.rectum_wall_mm
    part.fill(Tissue.RECTAL_WALL, lumen - wall)
    {
        "collapsed": _fill_collapsed,
        "gas": _fill_open,
        "stool": _fill_open,
        "coil": _fill_coil,
    }[pelvis.rectum_fill](part, dice, pelvis, lumen, (x - shift, y - front, half_depth))
    canvas.put(part, index)


Inner = tuple[Tensor, Tensor, Tensor]
"""Offset to the side, offset behind the front, half depth (mm), each (n,)."""


def _fill_collapsed(part: Canvas, dice: Dice, pelvis: Pelvis, lumen: Tensor, _: Inner) -> None:
    folds = (part.noise[1].abs() - 0.3).clamp(0.0, 0.4) / 0.4
    part.paint(Tissue.MUCOSA, inside(lumen + 1.0) * folds)
    part.fill(Tissue.GAS, lumen + dice.uniform(4.0, 8.0) + part.noise[1])


def _fill_coil(part: Canvas, dice: Dice, pelvis: Pelvis, lumen: Tensor, inner: Inner) -> None:
    part.fill(Tissue.BALLOON, lumen)
    across, behind, half_depth = inner
    forward = half_depth * dice.uniform(0.7, 1.2)
    shaft = (across**2 + (behind - forward) ** 2).sqrt() - dice.uniform(2.5, 5.5)
    part.fill(Tissue.COIL, shaft)


def _fill_open(part: Canvas, dice: Dice, pelvis: Pelvis, lumen: Tensor, inner: Inner) -> None:
    part.fill(Tissue.MUCOSA, lumen + 0.3)
    above = part.points[2] - pelvis.apex[2]
    opened = lumen + 1.2 + (4.0 - above).clamp(0.0, 12.0)
    if pelvis.rectum_fill == "gas":
        part.fill(Tissue.GAS, opened)
        return
    part.fill(Tissue.STOOL, opened, part.noise[1] * part.palette.spread[:, None] * 0.5)
    if dice.chance(0.5):
        _, behind, half_depth = inner
        part.fill(Tissue.GAS, torch.maximum(opened, behind - 0.6 * half_depth))
