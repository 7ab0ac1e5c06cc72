"""The rectum behind the gland, and the anal canal that leads down from it behind the apex.

Patient frame: LPS mm about the middle of the gland's body. On real MR the lumen ends some way
above the apex; from there down runs a round muscular canal, the width of the apex itself, with
folds of mucosa in its middle.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from fusioninit.phantom.dice import Dice
from fusioninit.phantom.gland import GlandShape
from fusioninit.phantom.solids import inside, lookup, shell
from fusioninit.phantom.tissues import Canvas, Tissue

LOW_MM, STEP_MM, LEVELS = -100.0, 5.0, 41
"""First height, step and length of the tables over height."""


@dataclass(frozen=True)
class Rectum:
    """Sizes and places over height.

    Parameters
    ----------
    lumen : (m, 4) tensor
        Front (y), half depth, half width, sideways shift (mm).
    canal : (m, 4) tensor
        The same of the muscular tube that takes over below `junction_mm`.
    fill : str
        "collapsed", "gas", "stool", "coil" (an endorectal coil's balloon) or "probe".
    junction_mm : float
        Height (z) at which the lumen ends.
    """

    lumen: Tensor
    canal: Tensor
    fill: str
    wall_mm: float
    junction_mm: float

    def lumen_at(self, z: Tensor) -> Tensor:
        """(4, n) front, half depth, half width and shift of the lumen at (n,) heights."""
        return lookup(self.lumen.to(z.device), (z - LOW_MM) / STEP_MM)

    def canal_at(self, z: Tensor) -> Tensor:
        """(4, n) the same of the canal."""
        return lookup(self.canal.to(z.device), (z - LOW_MM) / STEP_MM)


def draw_rectum(dice: Dice, shape: GlandShape, *, fill: str) -> Rectum:
    """A rectum that lies on the gland's back; `fill` as in `Rectum`."""
    z = LOW_MM + STEP_MM * torch.arange(LEVELS)
    to_patient = shape.gland_from_patient.T
    apex = to_patient @ torch.tensor(shape.apex_mm)
    front, base_z = _front(dice, shape, z, fill)
    radius: float | Tensor = {
        "collapsed": dice.uniform(7, 11),
        "gas": dice.uniform(10, 21),
        "stool": dice.uniform(11, 21),
        "coil": dice.uniform(17, 24),
        "probe": 10.0,
    }[fill]
    waves = sum(
        dice.normal(0, 0.09) * torch.cos(z / dice.uniform(7.0, 16.0) + dice.uniform(0, 6))
        for _ in "ab"
    )
    if fill in ("gas", "stool"):
        radius = radius * (1 + waves)
    # a coil's balloon reaches down past the apex
    above_apex = dice.uniform(-22, 2) if fill == "coil" else dice.uniform(0, 20)
    junction = float(apex[2]) + above_apex
    opened = torch.sigmoid((z - junction - 4.0) / 4.0)
    if fill == "coil":
        opened = opened * torch.sigmoid((base_z + 12 * dice.uniform(0.8, 1.3) - z) / 5.0)
    half_depth = 4.5 + (radius - 4.5) * opened
    half_width = 5.0 + (radius * dice.uniform(0.95, 1.8) - 5.0) * opened
    if fill == "coil":
        half_width = half_depth * dice.uniform(1.0, 1.15)
    shift = dice.normal(0, 3) + dice.normal(0, 3) * z / 50.0
    canal_depth, canal_width = dice.uniform(12.0, 19.0), dice.uniform(11.0, 16.0)
    canal = (front, torch.full_like(z, canal_depth), torch.full_like(z, canal_width), shift)
    return Rectum(
        lumen=torch.stack([front, half_depth, half_width, shift], 1),
        canal=torch.stack(canal, 1),
        fill=fill,
        wall_mm=dice.uniform(2.2, 4.5),
        junction_mm=junction,
    )


def _front(dice: Dice, shape: GlandShape, z: Tensor, fill: str) -> tuple[Tensor, float]:
    """Front of the rectum (y) at heights `z`: on the gland's back, closing in on the apex below."""
    to_patient = shape.gland_from_patient.T
    apex = to_patient @ torch.tensor(shape.apex_mm)
    heights = torch.linspace(-0.5, 0.5, LEVELS // 2 + 1) * shape.body_mm[2]
    sections = shape.sections(heights)
    back = to_patient @ torch.stack([0 * heights, sections[2] + sections[1], heights])
    base_z = float(back[2, -1])
    gap = dice.uniform(0.5, 3.0) if fill in ("coil", "gas", "stool") else dice.uniform(0.5, 4.0)
    middle = float(back[1, 6:16].max()) - shape.concavity_mm * 0.5 + gap
    apical = min(float(apex[1]) + dice.uniform(7.0, 14.0), middle)
    above_apex = z - float(apex[2])
    rise = (above_apex + 3.0) / (dice.uniform(0.30, 0.50) * shape.body_mm[2])
    rise = rise.clamp(0.0, 1.0)
    rise = rise * rise * (3.0 - 2.0 * rise)
    below = (-above_apex).clamp_min(0.0)
    over = (z - base_z + 6).clamp_min(0.0)
    slope = dice.uniform(0.25, 0.75)
    front = apical + (middle - apical) * rise + dice.uniform(0.1, 0.5) * below + slope * over
    return front, base_z


def paint_rectum(canvas: Canvas, dice: Dice, rectum: Rectum) -> None:
    """Paint canal, wall and what fills the lumen."""
    part, index = canvas.part((canvas.points[1] > -16) & (canvas.points[0].abs() < 50))
    _paint_canal(part, dice, rectum)
    x, y, z = part.points
    front, half_depth, half_width, shift = rectum.lumen_at(z)
    u, v = (x - shift) / half_width, (y - front - half_depth) / half_depth
    norm = (u * u + v * v).sqrt()
    rough = 0.4 if rectum.fill == "coil" else 1.6
    lumen = (norm - 1.0) * torch.minimum(half_width, half_depth) + part.noise[0] * rough
    wall = 2.0 if rectum.fill == "coil" else rectum.wall_mm
    below = rectum.junction_mm - z
    part.fill(Tissue.RECTAL_WALL, torch.maximum(lumen - wall, below))
    lumen = lumen + 1.5 * below.clamp_min(0.0)
    {
        "collapsed": _fill_collapsed,
        "gas": _fill_open,
        "stool": _fill_open,
        "coil": _fill_coil,
    }[rectum.fill](part, dice, rectum.fill, lumen, (x - shift, y - front, half_depth))
    canvas.put(part, index)


def _paint_canal(part: Canvas, dice: Dice, rectum: Rectum) -> None:
    """Sling and outer sphincter, the paler inner sphincter, mucosal folds."""
    x, y, z = part.points
    front, half_depth, half_width, shift = rectum.canal_at(z)
    u, v = (x - shift) / half_width, (y - front - half_depth) / half_depth
    # narrower behind, where the sling's arms meet
    u = u * (1.0 + dice.uniform(0.0, 0.35) * v.clamp(-0.3, 1.0))
    norm = (u * u + v * v).sqrt()
    tube = (norm - 1.0) * torch.minimum(half_width, half_depth) + part.noise[1] * 0.7
    below = z - rectum.junction_mm - dice.uniform(2.0, 9.0)
    tube = torch.maximum(tube, below)
    muscle = part.noise[1] * part.palette.spread[:, None] * 0.2
    part.fill(Tissue.LEVATOR, tube, muscle)
    inner = tube + dice.uniform(2.0, 5.0)
    part.paint(Tissue.RECTAL_WALL, inside(inner, 1.5) * dice.uniform(0.3, 1.0))
    seam = shell(inner, 1.4, 0.8) * dice.uniform(0.0, 0.6)
    part.paint(Tissue.FASCIA, seam)
    folds = inside(inner + dice.uniform(3.0, 5.5), 1.5) * (0.6 + 0.5 * part.noise[2]).clamp(0, 1)
    part.paint(Tissue.MUCOSA, folds * dice.uniform(0.1, 0.9))


Inner = tuple[Tensor, Tensor, Tensor]
"""Offset to the side, offset behind the front, half depth (mm), each (n,)."""


def _fill_collapsed(part: Canvas, dice: Dice, _fill: str, lumen: Tensor, _: Inner) -> None:
    folds = (part.noise[1].abs() - 0.3).clamp(0.0, 0.4) / 0.4
    part.paint(Tissue.MUCOSA, inside(lumen + 1.0) * folds)
    part.fill(Tissue.GAS, lumen + dice.uniform(4.0, 8.0) + part.noise[1])


def _fill_coil(part: Canvas, dice: Dice, _fill: str, lumen: Tensor, inner: Inner) -> None:
    part.fill(Tissue.BALLOON, lumen)
    across, behind, half_depth = inner
    forward = half_depth * dice.uniform(0.7, 1.2)
    shaft = (across**2 + (behind - forward) ** 2).sqrt() - dice.uniform(2.5, 5.5)
    part.fill(Tissue.COIL, shaft)


def _fill_open(part: Canvas, dice: Dice, fill: str, lumen: Tensor, inner: Inner) -> None:
    part.fill(Tissue.MUCOSA, lumen + 0.3)
    opened = lumen + 1.2
    if fill == "gas":
        part.fill(Tissue.GAS, opened)
        return
    part.fill(Tissue.STOOL, opened, part.noise[1] * part.palette.spread[:, None] * 0.5)
    if dice.chance(0.5):
        _, behind, half_depth = inner
        part.fill(Tissue.GAS, torch.maximum(opened, behind - 0.6 * half_depth))
