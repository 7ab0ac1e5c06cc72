"""Paints what lies around the gland, from back to front: fat, muscles, bones, organs, vessels."""

from __future__ import annotations

import torch
from torch import Tensor

from fusioninit.phantom.dice import Dice
from fusioninit.phantom.pelvic_walls import paint_back, paint_front, paint_side_walls
from fusioninit.phantom.pelvis import Pelvis
from fusioninit.phantom.rectum import paint_rectum
from fusioninit.phantom.solids import (
    capsule,
    ellipsoid,
    inside,
    polyline,
    shell,
)
from fusioninit.phantom.sphincter import paint_sphincter
from fusioninit.phantom.tissues import Canvas, Tissue, box


def paint_surroundings(canvas: Canvas, dice: Dice, pelvis: Pelvis) -> None:
    """Paint everything but the gland."""
    _paint_fat(canvas, pelvis)
    paint_side_walls(canvas, dice, pelvis)
    paint_back(canvas, dice, pelvis)
    paint_front(canvas, dice, pelvis)
    _paint_levator(canvas, pelvis)
    _paint_near(canvas, pelvis)
    _paint_bladder(canvas, dice, pelvis)
    if pelvis.rectum.fill != "probe":
        paint_rectum(canvas, dice, pelvis.rectum)


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


def _paint_levator(canvas: Canvas, pelvis: Pelvis) -> None:
    """A sheet that hugs the gland: a V round the apex, a funnel that widens to the side wall."""
    reach = pelvis.wall.high_half_mm + 8
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
    half = torch.minimum(half, (pelvis.wall.half_mm(y, z) - 1.0).clamp_min(8.0))
    lumen, canal = pelvis.rectum.lumen_at(z), pelvis.rectum.canal_at(z)
    canal_share = torch.sigmoid((pelvis.rectum.junction_mm - z) / 5.0)
    back = lumen[0] + 2 * (lumen[1] + canal_share * (canal[1] - lumen[1])) + 5.0
    middle, depth = (back + front) / 2, (back - front) / 2
    v = (y - middle) / depth
    # a sling: low down its arms meet behind the canal
    taper = 0.22 + (pelvis.sling_taper - 0.22) * torch.sigmoid((12.0 - above) / 6.0)
    half = half * (1.0 - taper * v.clamp(-0.6, 1.0))
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
    # with a few veins among it
    veins = (part.noise[2] - 1.1).clamp(0.0, 0.6) * low_down
    part.paint(Tissue.VENOUS, inside(within, 2.0) * veins * pelvis.plexus)
    part.fill(Tissue.LEVATOR, sheet + part.noise[1] * 0.6)
    # perineal membrane and muscles close the floor below the apex
    floor = torch.maximum((above + 17.0).abs() - 2.5, x.abs() - 24.0)
    floor = torch.maximum(floor, (y - pelvis.apex[1]).abs() - 16.0)
    part.fill(Tissue.LEVATOR, floor + part.noise[1])
    canvas.put(part, index)


def _paint_near(canvas: Canvas, pelvis: Pelvis) -> None:
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
    # beside the tip there are often no veins: the levator lies on the gland
    present = pelvis.plexus * torch.sigmoid((p[2] - pelvis.plexus_low_mm) / 2.5)
    part.paint(Tissue.VENOUS, inside(plexus + part.noise[1] * 2.0, 1.5) * present, veins)
    for side in (-1.0, 1.0):
        bundle = capsule(p, (side * hx * 0.62, hy * 0.9, az), (side * hx * 0.72, hy * 0.9, hz), 2.2)
        part.paint(Tissue.NERVE, inside(bundle + part.noise[2] * 1.2) * 0.8)
    _paint_vesicles(part, pelvis)
    _paint_below_apex(part, pelvis)
    canvas.put(part, index)


def _paint_below_apex(part: Canvas, pelvis: Pelvis) -> None:
    """Membranous urethra in its sphincter, bulb and crura."""
    ax, ay, az = pelvis.apex
    p = part.points
    path = [(ax, ay, az + 12), (ax, ay - 1, az - 14), pelvis.bulb[0]]
    urethra = polyline(p, path, 0.0)
    part.fill(Tissue.URETHRA, urethra - pelvis.sphincter.lumen_mm)
    paint_sphincter(part, pelvis.sphincter, urethra, p[2] - az)
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
