"""One synthetic patient: gland, interior, surroundings, landmarks; and how to paint them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from fusioninit.phantom.dice import Dice
from fusioninit.phantom.fields import Displacement
from fusioninit.phantom.gland import GlandShape, draw_gland
from fusioninit.phantom.interior import Interior, draw_interior, paint_interior
from fusioninit.phantom.pelvis import Pelvis, draw_pelvis
from fusioninit.phantom.points import locate_landmarks
from fusioninit.phantom.surroundings import paint_over_gland, paint_surroundings
from fusioninit.phantom.tissues import Canvas, Palette


@dataclass(frozen=True)
class Anatomy:
    """A patient in the patient frame. `landmarks_mm` is (L, 3); `variation` bends it all."""

    gland: GlandShape
    interior: Interior
    pelvis: Pelvis
    landmarks_mm: Tensor
    variation: Displacement


def draw_anatomy(dice: Dice, *, rectum_fill: str) -> Anatomy:
    """A random patient."""
    gland = draw_gland(dice)
    return Anatomy(
        gland=gland,
        interior=draw_interior(dice, gland),
        pelvis=draw_pelvis(dice, gland, rectum_fill=rectum_fill),
        landmarks_mm=locate_landmarks(gland),
        variation=Displacement.draw(dice, sd_mm=dice.uniform(0.3, 1.6), spacing_mm=24.0),
    )


def paint(
    anatomy: Anatomy, dice: Dice, points: Tensor, noise: Tensor, palette: Palette, edge_mm: float
) -> tuple[Tensor, Tensor]:
    """(c, n) channels and the gland's (n,) signed distance (mm) at (3, n) anatomy points."""
    values = points.new_zeros(palette.table.shape[1], points.shape[1])
    canvas = Canvas(points, values, noise, palette, edge_mm)
    paint_surroundings(canvas, dice, anatomy.pelvis)
    gland_mm = paint_interior(
        canvas, dice, anatomy.gland, anatomy.interior, anatomy.pelvis.sphincter
    )
    paint_over_gland(canvas, anatomy.pelvis, gland_mm)
    return canvas.values, gland_mm


def upsampled(coarse: Tensor, shape: tuple[int, ...]) -> Tensor:
    """(c, *coarse) to (c, n): trilinear, corners aligned."""
    return torch.nn.functional.interpolate(
        coarse[None], size=shape, mode="trilinear", align_corners=True
    )[0].reshape(coarse.shape[0], -1)


def coarse_shape(shape: tuple[int, int, int]) -> tuple[int, int, int]:
    """A lattice four times as coarse, on which smooth displacements are computed."""
    a, b, c = (max(4, -(-size // 4) + 1) for size in shape)
    return a, b, c
