"""The pelvis's walls: hip bones, obturator and pubic arch, gluteus and sacrum, symphysis."""

from __future__ import annotations

import torch
from torch import Tensor

from fusioninit.phantom.dice import Dice
from fusioninit.phantom.pelvis import Pelvis
from fusioninit.phantom.solids import capsule, ellipsoid, inside, turn
from fusioninit.phantom.tissues import Canvas, Tissue


def _mirrored(part: Canvas) -> Tensor:
    """(3, n) points with |x|: what is painted on one side is painted on both."""
    x, y, z = part.points
    return torch.stack([x.abs(), y, z])


def _bone(part: Canvas, distance: Tensor, cortex_mm: float) -> None:
    part.fill(Tissue.CORTEX, distance)
    marrow = part.noise[0] * part.palette.spread[:, None] * 0.25
    part.fill(Tissue.MARROW, distance + cortex_mm, marrow)


def paint_side_walls(canvas: Canvas, dice: Dice, pelvis: Pelvis) -> None:
    """Hip bone and ischium, lined by the obturator internus; low down the arms of the arch."""
    s = pelvis.size
    part, index = canvas.part(canvas.points[0].abs() > 6)
    side, y, z = mirrored = _mirrored(part)
    low, front = pelvis.apex[2], pelvis.symphysis[0][1]
    wall = pelvis.wall
    inner, high = wall.half_mm(y, z), wall.share_high(z)
    full = wall.arch_thick_mm + (wall.thick_mm - wall.arch_thick_mm) * high
    thick = full * (1.0 - 0.00045 * (y - 4).clamp(-44, 44) ** 2 * high)
    hip = inner + thick - side
    hip = torch.maximum(hip, (y - (front + 38)).abs() - 34 * s - 0.3 * (z - low - 20))
    _bone(part, torch.maximum(hip, low + dice.normal(2, 8) - z), dice.uniform(1.0, 2.4))
    plate = torch.maximum(inner - side, side - inner - thick) * 0.87
    plate = torch.maximum(plate, (y - 4).abs() - dice.uniform(38, 46) * s)
    plate = torch.maximum(plate, low - dice.uniform(24, 45) - z)
    part.fill(Tissue.MUSCLE, plate + part.noise[0] * 1.6)
    seam = (plate + wall.thick_mm * dice.uniform(0.15, 0.35)).abs() - 0.6
    part.paint(Tissue.FASCIA, dice.uniform(0.1, 0.6) * inside(seam))
    ischium_x = float(wall.half_mm(torch.tensor(front + 50), torch.tensor(low - 20.0))) + 14 * s
    ends = (ischium_x, front + 50, low - 34), (ischium_x + 12 * s, front + 44, low)
    _bone(part, capsule(mirrored, *ends, dice.uniform(9.0, 13.0) * s), dice.uniform(1.0, 2.2))
    canvas.put(part, index)


def _paint_strands(part: Canvas, dice: Dice, pelvis: Pelvis, muscle_mm: Tensor) -> None:
    """Fat between the adductors' bellies, along the arms of the arch."""
    x, y, z = part.points
    across = x.abs() - pelvis.wall.half_mm(y, z)
    wave = torch.sin(6.28 * (across / dice.uniform(8.0, 16.0) + 0.5 * part.noise[0]))
    strands = ((wave - 0.8) * 5.0).clamp(0.0, 1.0) * inside(muscle_mm + 2.0)
    part.paint(Tissue.FAT, strands * dice.uniform(0.0, 0.7))


def paint_back(canvas: Canvas, dice: Dice, pelvis: Pelvis) -> None:
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


def paint_front(canvas: Canvas, dice: Dice, pelvis: Pelvis) -> None:
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
    # obturator externus and adductors: everything outside the arch
    externus = (pelvis.wall.half_mm(y, z) + dice.uniform(0, 5) - side) * 0.87
    externus = torch.maximum(externus, (z - low - dice.uniform(0, 12)) * 0.8)
    externus = torch.maximum(externus, torch.maximum(dice.uniform(3, 10) - side, y - y0 - 42))
    part.fill(Tissue.MUSCLE, externus + part.noise[0] * 2.0)
    seams = (1 - part.noise[0].abs() * 9).clamp_min(0) * inside(externus + 2)
    part.paint(Tissue.FASCIA, seams * dice.uniform(0.1, 0.6))
    _paint_strands(part, dice, pelvis, externus)
    rectus = (y - (y0 - 0.42 * (z - low - 25))).abs() - dice.uniform(4, 7)
    rectus = torch.maximum(torch.maximum(rectus, 2 - side), low + 30 - z)
    part.fill(Tissue.MUSCLE, torch.maximum(rectus, side - 32))
    rotation = turn(lean)
    cortex = dice.uniform(0.7, 2.0)
    half = radii[0] + dice.uniform(6, 16)
    swung = turn(lean, 0.0, dice.uniform(15, 40))
    body_mm = (half, radii[1] + dice.uniform(0, 3), radii[2])
    body = ellipsoid(mirrored, (half * 0.85, y0 + 4, z0), body_mm, swung)
    thick = dice.uniform(7.0, 12.0) * s
    upper = capsule(mirrored, (14, y0 - 1, z0 + 6), (56 * s, y0 + 22, z0 + 24), thick)
    along = torch.tensor([y0 + 8.0, y0 + 42.0])
    near, far = (pelvis.wall.half_mm(along, torch.tensor(low - 10.0)) + 6 * s).tolist()
    lower = capsule(
        mirrored, (near, y0 + 8, z0 - 10), (far, y0 + 42, z0 - 40), dice.uniform(4.5, 7.0) * s
    )
    _bone(part, torch.minimum(torch.minimum(body, upper), lower), cortex)
    disc_mm = (dice.uniform(2.0, 4.5), radii[1] + 1.5, radii[2] * 0.95)
    part.fill(Tissue.CARTILAGE, ellipsoid(part.points, (x0, y0 + 1, z0), disc_mm, rotation))
    canvas.put(part, index)
