"""The urethra below the prostate and its sphincter, which reach up into the gland's tip.

On axial T2w MR they are a target: a dark disc of 11 to 18 mm (striated sphincter), in it a paler
one (smooth muscle of the urethra), in its middle the lumen. The peripheral zone of the tip lies
round the target as a horseshoe or a ring, and a reader finds the apex where that has gone. Sizes
and reach were seen on the six real MR with readers' points.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from fusioninit.phantom.dice import Dice
from fusioninit.phantom.solids import inside, shell
from fusioninit.phantom.tissues import Canvas, Tissue


@dataclass(frozen=True)
class Sphincter:
    """Layers round the urethra's axis.

    Parameters
    ----------
    outer_mm, inner_mm, lumen_mm : float
        Radii of the striated sphincter, the smooth muscle, and the lumen with its mucosa.
    pale, ring, bright : float
        Opacities: of the smooth muscle, of a dark line around it, of the lumen.
    above_mm, below_mm : float
        How far the layers reach above and below the apex.
    """

    outer_mm: float
    inner_mm: float
    lumen_mm: float
    pale: float
    ring: float
    bright: float
    above_mm: float
    below_mm: float

    def share(self, height_mm: Tensor) -> Tensor:
        """(n,) 1 where the layers are whole, 0 where they have gone, at heights above the apex."""
        above = torch.sigmoid((self.above_mm - height_mm) / 1.8)
        return above * torch.sigmoid((height_mm + self.below_mm) / 2.5)


def draw_sphincter(dice: Dice) -> Sphincter:
    """Random layers: most are seen as a target, some as one grey or dark disc."""
    outer = dice.uniform(5.5, 9.0)
    return Sphincter(
        outer_mm=outer,
        inner_mm=outer * dice.uniform(0.45, 0.75),
        lumen_mm=dice.uniform(0.8, 2.4),
        pale=dice.uniform(0.4, 1.0) if dice.chance(0.8) else 0.0,
        ring=dice.uniform(0.0, 0.9),
        bright=dice.uniform(0.3, 1.0) if dice.chance(0.75) else 0.0,
        above_mm=dice.uniform(0.0, 13.0),
        below_mm=dice.uniform(10.0, 22.0),
    )


def paint_sphincter(part: Canvas, sphincter: Sphincter, axis_mm: Tensor, height_mm: Tensor) -> None:
    """Paint the layers at (n,) distances from the urethra's axis and heights above the apex."""
    share = sphincter.share(height_mm)
    narrowed = 0.6 + 0.4 * share
    muscle = axis_mm - sphincter.inner_mm * narrowed
    part.paint(Tissue.SPHINCTER, inside(axis_mm - sphincter.outer_mm * narrowed) * share)
    part.paint(Tissue.URETHRAL_MUSCLE, inside(muscle) * share * sphincter.pale)
    part.paint(Tissue.SPHINCTER, shell(muscle, 1.2, 0.8) * share * sphincter.ring)
    part.paint(Tissue.URETHRA, inside(axis_mm - sphincter.lumen_mm) * share * sphincter.bright)
