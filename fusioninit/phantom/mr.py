"""T2-weighted MR of a synthetic patient: a stack of slices, as a scanner would make it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from fusioninit.phantom.anatomy import Anatomy, coarse_shape, paint, upsampled
from fusioninit.phantom.dice import Dice
from fusioninit.phantom.fields import noise_on_grid
from fusioninit.phantom.placement import Placement
from fusioninit.phantom.solids import inside, turn
from fusioninit.phantom.tissues import Palette, Tissue

T = Tissue

PLAUSIBLE: dict[Tissue, tuple[float, float, float, float]] = {
    # relative T2w signal near TE 100 ms: mean, how far patients differ, coarse and fine texture
    T.FAT: (1.02, 0.18, 0.04, 0.02),
    T.FASCIA: (0.42, 0.12, 0.05, 0.02),
    T.VESSEL: (0.35, 0.25, 0.05, 0.02),
    T.MUSCLE: (0.15, 0.05, 0.02, 0.02),
    T.LEVATOR: (0.22, 0.06, 0.03, 0.03),
    T.MARROW: (0.50, 0.15, 0.06, 0.04),
    T.CORTEX: (0.08, 0.03, 0.01, 0.01),
    T.CARTILAGE: (0.30, 0.12, 0.03, 0.02),
    T.URINE: (1.2, 0.25, 0.03, 0.02),
    T.BLADDER_WALL: (0.30, 0.08, 0.03, 0.03),
    T.BOWEL: (0.55, 0.2, 0.1, 0.05),
    T.RECTAL_WALL: (0.35, 0.10, 0.04, 0.04),
    T.MUCOSA: (0.65, 0.18, 0.08, 0.05),
    T.GAS: (0.03, 0.01, 0.0, 0.0),
    T.STOOL: (0.45, 0.25, 0.15, 0.08),
    T.BALLOON: (0.07, 0.03, 0.01, 0.01),
    T.COIL: (0.03, 0.01, 0.0, 0.0),
    T.SPHINCTER: (0.27, 0.09, 0.03, 0.03),
    T.URETHRA: (0.72, 0.2, 0.04, 0.04),
    T.VENOUS: (0.85, 0.25, 0.18, 0.10),
    T.NERVE: (0.40, 0.15, 0.06, 0.05),
    T.BULB: (0.95, 0.25, 0.05, 0.03),
    T.SEMINAL_FLUID: (1.05, 0.3, 0.10, 0.08),
    T.SEMINAL_WALL: (0.38, 0.12, 0.04, 0.04),
    T.CAPSULE: (0.25, 0.08, 0.02, 0.02),
    T.PERIPHERAL: (0.92, 0.20, 0.08, 0.06),
    T.SEPTUM: (0.50, 0.12, 0.03, 0.03),
    T.TRANSITION: (0.43, 0.10, 0.07, 0.06),
    T.NODULE: (0.46, 0.12, 0.06, 0.05),
    T.NODULE_RIM: (0.28, 0.08, 0.02, 0.02),
    T.CENTRAL: (0.35, 0.08, 0.04, 0.03),
    T.STROMA: (0.22, 0.07, 0.04, 0.03),
    T.LESION: (0.33, 0.08, 0.04, 0.03),
    T.VERU: (0.85, 0.2, 0.03, 0.03),
    T.CALCIFICATION: (0.1, 0.05, 0.0, 0.0),
    T.URETHRAL_MUSCLE: (0.47, 0.13, 0.04, 0.03),
}

ALWAYS_BLACK = (T.GAS, T.CORTEX, T.COIL)
"""Stay dark in most of the random palettes too: no sequence lights up gas."""


FINE_PIXEL_MM = 1.0
"""Below this pixel size a texture of 1.3 mm is added, which the networks' grids cannot hold."""


@dataclass(frozen=True)
class Stack:
    """A stack of slices.

    Parameters
    ----------
    shape : (slices, rows, columns)
    spacing_mm : (3,) tuple
        Along z, y, x of the stack.
    world_from_stack : (3, 3) tensor
        Columns are the world directions of the stack's x, y, z; its middle is the world's origin.
    """

    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    world_from_stack: Tensor

    def points(self, shape: tuple[int, int, int]) -> Tensor:
        """(3, n) world points of a lattice of `shape` from centre to centre of the outer voxels."""
        axes = [
            torch.linspace(-0.5, 0.5, count) * (size - 1) * step
            for count, size, step in zip(shape, self.shape, self.spacing_mm, strict=True)
        ]
        z, y, x = torch.meshgrid(*axes, indexing="ij")
        flat = torch.stack([x.reshape(-1), y.reshape(-1), z.reshape(-1)])
        return self.world_from_stack @ flat

    def contains(self, world_mm: Tensor) -> Tensor:
        """(n,) bool for (3, n) world points: within the outer voxels' faces."""
        inner = self.world_from_stack.T @ world_mm
        reach = torch.tensor(
            [n * s / 2 for n, s in zip(self.shape[::-1], self.spacing_mm[::-1], strict=True)]
        )
        return (inner.abs() <= reach[:, None]).all(0)


def draw_palette(dice: Dice, *, plausible: bool = False) -> Palette:
    """Most plausible, the rest random per tissue or in between; `plausible` forbids those."""
    rows = torch.tensor([PLAUSIBLE[tissue] for tissue in Tissue])
    count = len(rows)
    jitter = torch.stack([torch.tensor(dice.normal(0, 1)) for _ in range(count)])
    means = (rows[:, 0] + rows[:, 1] * jitter).clamp_min(0.01)
    strength = dice.uniform(0.3, 1.3)
    table = torch.stack([means, rows[:, 2] * strength, rows[:, 3] * strength], 1)
    mixing = 0.0 if dice.chance(0.62) else (1.0 if dice.chance(0.4) else dice.uniform(0.1, 0.7))
    if mixing > 0 and not plausible:
        random = torch.stack(
            [
                0.1 + 1.1 * dice.uniforms(count).cpu(),
                0.15 * dice.uniforms(count).cpu(),
                0.08 * dice.uniforms(count).cpu(),
            ],
            1,
        )
        if dice.chance(0.75):
            random[list(ALWAYS_BLACK), 0] = 0.03
        table = table + mixing * (random - table)
    if dice.chance(0.5):
        table[T.BALLOON, 0] = dice.uniform(0.5, 1.4)  # filled with water, not with fluorocarbon
    table[:, 0] = table[:, 0] ** dice.uniform(0.8, 1.15)
    spread = torch.tensor([dice.uniform(0.04, 0.26), 0.02, 0.01])
    return Palette(table.to(dice.device), spread.to(dice.device))


def draw_stack(dice: Dice, *, tilt_deg: float) -> Stack:
    """A protocol: in-plane detail as it survives the resampling, slices and fields as in use."""
    thick = dice.choice({"thin": 0.35, "usual": 0.45, "thick": 0.2})
    step = {
        "thin": dice.uniform(1.5, 2.6),
        "usual": dice.uniform(2.8, 3.6),
        "thick": dice.uniform(3.4, 4.0),
    }[thick]
    slices = min(max(round(dice.uniform(56, 105) / step), 17), 60)
    field = min(dice.uniform(118, 210), 134.0)
    pixel = dice.uniform(1.6, 2.0)
    size = round(field / pixel)
    rotation = turn(tilt_deg, dice.normal(0, 2.5), dice.normal(0, 2.5))
    return Stack((slices, size, size), (step, pixel, pixel), rotation)


def render(
    anatomy: Anatomy, dice: Dice, placement: Placement, stack: Stack, palette: Palette
) -> tuple[Tensor, Tensor]:
    """Image and gland (0 to 1) on the stack, both (slices, rows, columns)."""
    coarse = coarse_shape(stack.shape)
    patient = placement.to_patient(stack.points(stack.shape).to(dice.device))
    corners = placement.to_patient(stack.points(coarse).to(dice.device))
    displacement = placement.displacement(corners).reshape(3, *coarse)
    points = patient + upsampled(displacement, stack.shape)
    step, pixel = stack.spacing_mm[0], stack.spacing_mm[1]
    noise = torch.cat(
        [
            noise_on_grid(dice, stack.shape, (wave / step, wave / pixel, wave / pixel))
            for wave in (9.0, 4.5, 2.6)
        ]
    ).reshape(3, -1)
    edge = max(0.45, 0.5 * pixel)
    values, gland_mm = paint(anatomy, dice, points, noise, palette, edge)
    image = values[0] + values[1] * noise[1] + values[2] * noise[2]
    if pixel < FINE_PIXEL_MM:
        cells = (1.0, 1.3 / pixel, 1.3 / pixel)
        image = image + values[2] * noise_on_grid(dice, stack.shape, cells).reshape(-1)
    image = image.clamp_min(0.0) * _coil_gain(dice, anatomy, patient, stack)
    image = _scanned(image.reshape(stack.shape), dice)
    return image, inside(gland_mm, edge).reshape(stack.shape)


def _coil_gain(dice: Dice, anatomy: Anatomy, patient: Tensor, stack: Stack) -> Tensor:
    """Bias field (n,); with an endorectal coil a strong bright near field."""
    cells = (12.0, 28.0, 28.0)
    bias = noise_on_grid(dice, stack.shape, cells).reshape(-1) * dice.uniform(0.05, 0.35)
    gain = bias.exp()
    if anatomy.pelvis.rectum.fill == "coil":
        middle = anatomy.pelvis.rectum.lumen[20]
        y = float(middle[0] + 0.6 * middle[1])
        away = (patient[0] ** 2 + (patient[1] - y) ** 2 + (0.5 * patient[2]) ** 2).sqrt()
        near = (away - float(middle[1])).clamp_min(0.0)
        strength, reach = dice.uniform(0.6, 5.0), dice.uniform(8.0, 24.0)
        floor = dice.uniform(0.25, 0.8)
        gain = gain * (floor + strength * torch.exp(-near / reach))
    return gain


def _scanned(image: Tensor, dice: Dice) -> Tensor:
    """Blur, motion ghosts, Rician noise, arbitrary scale. Never exactly 0."""
    if dice.chance(0.3):
        image = F.avg_pool3d(image[None, None], (1, 3, 3), 1, (0, 1, 1))[0, 0] * 0.6 + image * 0.4
    if dice.chance(0.4):
        weight = dice.uniform(0.05, 0.25)
        image = image.clone()
        mixed = image[1:-1] * (1 - 2 * weight) + weight * (image[2:] + image[:-2])
        image[1:-1] = mixed
    if dice.chance(0.25):
        shift, axis = dice.integer(4, 14), dice.integer(1, 2)
        image = image + dice.uniform(0.02, 0.1) * torch.roll(image, shift, axis)
    level = float(image.double().mean()) * 0.09 * dice.uniform(0.1, 1.0) ** 2 * math.sqrt(2)
    real = image + level * dice.normals(*image.shape)
    image = (real * real + (level * dice.normals(*image.shape)) ** 2).sqrt()
    return image * dice.uniform(50, 900) + 0.5
