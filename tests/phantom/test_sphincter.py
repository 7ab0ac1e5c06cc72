"""The target that sphincter and urethra make on axial slices at and below the apex."""

from dataclasses import replace

import pytest
import torch

from fusioninit.phantom.dice import Dice
from fusioninit.phantom.mr import PLAUSIBLE
from fusioninit.phantom.sphincter import draw_sphincter, paint_sphincter
from fusioninit.phantom.tissues import Canvas, Palette, Tissue

RADII_MM = torch.linspace(0.0, 14.0, 57)


def signal(sphincter, height_mm):
    """MR signal along a ray from the urethra's axis, over peripheral zone."""
    table = torch.tensor([[PLAUSIBLE[tissue][0]] for tissue in Tissue])
    values = table[Tissue.PERIPHERAL].expand(1, len(RADII_MM)).clone()
    nothing = torch.zeros(3, len(RADII_MM))
    canvas = Canvas(nothing, values, nothing, Palette(table, torch.zeros(1)), 1.0)
    paint_sphincter(canvas, sphincter, RADII_MM, torch.full_like(RADII_MM, height_mm))
    return canvas.values[0]


def at(values, radius_mm):
    return float(values[int((RADII_MM - radius_mm).abs().argmin())])


def test_below_the_apex_a_dark_disc_holds_a_paler_one_and_the_lumen():
    drawn = replace(
        draw_sphincter(Dice(1)),
        outer_mm=8.0, inner_mm=4.5, lumen_mm=1.5, pale=1.0, ring=0.0, bright=1.0,
        above_mm=8.0, below_mm=20.0,
    )  # fmt: skip
    values = signal(drawn, -5.0)
    lumen, muscle, striated, outside = (at(values, r) for r in (0.0, 3.2, 6.3, 12.0))
    assert striated < muscle < lumen
    assert outside == pytest.approx(PLAUSIBLE[Tissue.PERIPHERAL][0])


def test_it_reaches_into_the_tip_and_ends_there():
    drawn = replace(draw_sphincter(Dice(2)), outer_mm=8.0, above_mm=8.0, below_mm=15.0)
    heights = torch.tensor([-30.0, -5.0, 3.0, 18.0])
    share = drawn.share(heights)
    assert share[1] > 0.9
    assert share[2] > 0.9
    assert share[0] < 0.05
    assert share[3] < 0.05
    assert at(signal(drawn, 18.0), 6.0) == pytest.approx(PLAUSIBLE[Tissue.PERIPHERAL][0], abs=0.03)


def test_patients_differ():
    drawn = [draw_sphincter(Dice(seed)) for seed in range(60)]
    outer = torch.tensor([one.outer_mm for one in drawn])
    assert 5.4 < outer.min() < outer.max() < 9.1
    assert all(one.lumen_mm < one.inner_mm < one.outer_mm for one in drawn)
    assert 0 < sum(one.pale == 0 for one in drawn) < 30
