"""Transrectal ultrasound of a synthetic patient: formed beam by beam, then scan-converted.

World: the US image frame, LPS by convention, depth from the probe along -y (anterior).
"""

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
from fusioninit.phantom.solids import inside
from fusioninit.phantom.tissues import Palette, Tissue

T = Tissue

ECHOES: dict[Tissue, tuple[float, float, float, float]] = {
    # echogenicity against the peripheral zone (dB), how far patients differ, texture (dB),
    # attenuation there and back at working frequency (dB per mm)
    T.FAT: (9.0, 4.0, 2.5, 0.55),
    T.FASCIA: (12.0, 4.0, 2.0, 0.6),
    T.VESSEL: (-8.0, 6.0, 2.0, 0.3),
    T.MUSCLE: (-4.0, 4.0, 2.5, 0.8),
    T.LEVATOR: (-4.0, 4.0, 2.5, 0.8),
    T.MARROW: (-10.0, 5.0, 2.0, 3.0),
    T.CORTEX: (16.0, 4.0, 2.0, 6.0),
    T.CARTILAGE: (0.0, 5.0, 2.0, 2.0),
    T.URINE: (-28.0, 5.0, 0.5, 0.02),
    T.BLADDER_WALL: (3.0, 4.0, 2.0, 0.5),
    T.BOWEL: (0.0, 5.0, 3.0, 1.0),
    T.RECTAL_WALL: (-3.0, 4.0, 2.0, 0.6),
    T.MUCOSA: (4.0, 4.0, 2.0, 0.6),
    T.GAS: (12.0, 5.0, 2.0, 5.0),
    T.STOOL: (6.0, 5.0, 3.0, 2.5),
    T.BALLOON: (-20.0, 5.0, 1.0, 0.1),
    T.COIL: (10.0, 5.0, 1.0, 3.0),
    T.SPHINCTER: (-7.0, 4.0, 2.0, 0.7),
    T.URETHRA: (-5.0, 6.0, 2.0, 0.9),
    T.VENOUS: (-3.0, 5.0, 3.0, 0.5),
    T.NERVE: (2.0, 5.0, 3.0, 0.5),
    T.BULB: (-8.0, 4.0, 2.0, 0.6),
    T.SEMINAL_FLUID: (-11.0, 4.0, 3.0, 0.3),
    T.SEMINAL_WALL: (-4.0, 4.0, 2.5, 0.5),
    T.CAPSULE: (6.0, 4.0, 1.0, 0.6),
    T.PERIPHERAL: (0.0, 2.0, 2.0, 0.6),
    T.SEPTUM: (1.0, 2.5, 1.0, 0.6),
    T.TRANSITION: (-2.5, 4.0, 2.5, 0.8),
    T.NODULE: (-1.5, 4.0, 2.0, 0.8),
    T.NODULE_RIM: (-5.0, 4.0, 1.0, 0.7),
    T.CENTRAL: (1.0, 3.0, 1.5, 0.6),
    T.STROMA: (-6.0, 4.0, 1.5, 0.9),
    T.LESION: (-4.0, 3.5, 1.5, 0.6),
    T.VERU: (-2.0, 5.0, 1.0, 1.6),
    T.CALCIFICATION: (20.0, 5.0, 1.0, 8.0),
    T.URETHRAL_MUSCLE: (-4.0, 5.0, 2.0, 0.8),
}


@dataclass(frozen=True)
class Sweep:
    """A transducer and how it sweeps.

    Parameters
    ----------
    kind : str
        "side": a fan across, many frames along the probe (first axis: along z in mm).
        "end": a fan from the probe's tip, turned about its axis (first axis: turn in radians).
    tip_mm : (3,) tuple
        Middle of the probe's arc: fan angles and depths count from here.
    ranges : three (low, high) pairs
        Of frame (mm or rad), fan angle (rad) and distance from the middle of the arc (mm).
    shape : (frames, beams, samples)
    box_mm : (3, 2) tensor
        The stored image's box in the world; outside is empty.
    """

    kind: str
    tip_mm: tuple[float, float, float]
    ranges: tuple[tuple[float, float], tuple[float, float], tuple[float, float]]
    shape: tuple[int, int, int]
    box_mm: Tensor

    def points(self, shape: tuple[int, int, int]) -> Tensor:
        """(3, n) world points of a lattice of `shape` over the ranges."""
        axes = [
            torch.linspace(low, high, count)
            for (low, high), count in zip(self.ranges, shape, strict=True)
        ]
        frame, angle, distance = torch.meshgrid(*axes, indexing="ij")
        across, forward = distance * angle.sin(), distance * angle.cos()
        if self.kind == "side":
            x, z = across, frame
        else:
            x, z = across * frame.cos(), across * frame.sin()
        flat = torch.stack([x.reshape(-1), -forward.reshape(-1), z.reshape(-1)])
        return flat + torch.tensor(self.tip_mm)[:, None]

    def position(self, world_mm: Tensor) -> Tensor:
        """(3, n) frame, beam and sample of world points, each -1 to 1 inside the sweep."""
        x, y, z = world_mm - torch.tensor(self.tip_mm, device=world_mm.device)[:, None]
        if self.kind == "side":
            frame, across = z, x
        else:
            frame = torch.atan2(z, x)
            back = frame < 0
            frame = torch.where(back, frame + math.pi, frame)
            across = torch.where(back, -1.0, 1.0) * (x * x + z * z).sqrt()
        angle = torch.atan2(across, -y)
        distance = (across * across + y * y).sqrt()
        parts = [
            (value - (low + high) / 2) * (2 / (high - low))
            for value, (low, high) in zip((frame, angle, distance), self.ranges, strict=True)
        ]
        return torch.stack(parts)

    def contains(self, world_mm: Tensor) -> Tensor:
        """(n,) bool: inside the imaged sector and the stored box."""
        return (self.position(world_mm).abs() <= 1.0).all(0) & self.stored(world_mm)

    def stored(self, world_mm: Tensor) -> Tensor:
        """(n,) bool: inside the stored box."""
        box = self.box_mm.to(world_mm)
        return ((world_mm >= box[:, :1]) & (world_mm <= box[:, 1:])).all(0)


def draw_palette(dice: Dice) -> Palette:
    """Echogenicities as measured, their contrasts scaled and sometimes made random."""
    rows = torch.tensor([ECHOES[tissue] for tissue in Tissue])
    count = len(rows)
    jitter = torch.tensor([dice.normal(0, 1) for _ in range(count)])
    contrast = dice.uniform(0.6, 1.2)
    echo = rows[:, 0] * contrast + rows[:, 1] * jitter
    if dice.chance(0.2):
        random = dice.uniforms(count).cpu() * 30 - 15
        echo = echo + 0.6 * (random - echo)
    # the gland's own level against what surrounds it
    gland = dice.normal(-1.0, 3.0)
    echo[int(T.PERIPHERAL) : int(T.VERU)] += gland
    absorption = rows[:, 3] * dice.uniform(0.5, 1.3)
    table = torch.stack([echo, rows[:, 2] * dice.uniform(0.5, 1.4), absorption], 1)
    spread = torch.tensor([dice.uniform(1.0, 4.0), 0.5, 0.1])
    return Palette(table.to(dice.device), spread.to(dice.device))


def render(
    anatomy: Anatomy, dice: Dice, placement: Placement, sweep: Sweep
) -> tuple[Tensor, Tensor]:
    """Image (about 0 to 255) and gland (0 to 1) in probe coordinates, both `sweep.shape`."""
    palette = draw_palette(dice)
    coarse = coarse_shape(sweep.shape)
    patient = placement.to_patient(sweep.points(sweep.shape).to(dice.device))
    corners = placement.to_patient(sweep.points(coarse).to(dice.device))
    displacement = placement.displacement(corners).reshape(3, *coarse)
    points = patient + upsampled(displacement, sweep.shape)
    frames, beams, samples = sweep.shape
    noise = torch.cat(
        [
            noise_on_grid(dice, sweep.shape, (frames / 7 / k, beams / 7 / k, samples / 9 / k))
            for k in (1, 2, 4)
        ]
    )
    noise = _close_turn(noise, sweep).reshape(3, -1)
    values, gland_mm = paint(anatomy, dice, points, noise, palette, 0.8)
    echo = values[0] + values[1] * noise[1]
    echo = echo.reshape(sweep.shape)
    _add_interfaces(echo, dice)
    low, high = sweep.ranges[2]
    echo = echo - _absorbed(values[2].reshape(sweep.shape), (high - low) / samples, dice)
    echo = echo + _near_field(dice, sweep)
    _add_shadows(echo, dice, sweep)
    echo = echo + _speckle(dice, sweep)
    gain = dice.uniform(0.45, 0.7)
    image = (gain + echo / dice.uniform(38, 62)).clamp(0.0, 1.0) * 254 + 1
    return image, inside(gland_mm, 0.8).reshape(sweep.shape)


def _add_interfaces(echo: Tensor, dice: Dice) -> None:
    """Surfaces that face the beam reflect: brighter where echogenicity jumps along it."""
    jump = (echo[..., 2:] - echo[..., :-2]).abs()
    echo[..., 1:-1] += dice.uniform(0.0, 0.35) * jump.clamp_max(14.0)


def _absorbed(absorption: Tensor, step_mm: float, dice: Dice) -> Tensor:
    """DB lost on the way, less what the time-gain curve gives back."""
    total = torch.cumsum(absorption, -1) * step_mm
    samples = absorption.shape[-1]
    depth = torch.arange(samples, device=absorption.device) * step_mm
    slope = dice.uniform(0.3, 0.7)
    return total - slope * depth.clamp_max(dice.uniform(30, 70))


def _near_field(dice: Dice, sweep: Sweep) -> Tensor:
    """(samples,) bright band at the probe, rectal wall layers, reverberation rings (dB)."""
    low, high = sweep.ranges[2]
    depth = torch.linspace(0.0, high - low, sweep.shape[2], device=dice.device)
    band = dice.uniform(0.0, 26.0) * torch.exp(-((depth / dice.uniform(4.0, 15.0)) ** 2))
    wall = -dice.uniform(0.0, 9.0) * torch.exp(
        -0.5 * ((depth - dice.uniform(2.0, 4.0)) / dice.uniform(0.7, 1.4)) ** 2
    )
    echo = band + wall
    if dice.chance(0.35):
        rings = (torch.cos(2 * math.pi * depth / dice.uniform(2.5, 6.0)) - 0.5).clamp_min(0.0)
        echo = echo + dice.uniform(2.0, 14.0) * rings * torch.exp(-depth / dice.uniform(4, 14))
    return echo


def _add_shadows(echo: Tensor, dice: Dice, sweep: Sweep) -> None:
    """Dark beams: the midline's urethra column, lost contact at the sides, stray shadows."""
    frames, beams, samples = sweep.shape
    (low, high), (near, far) = sweep.ranges[1], sweep.ranges[2]
    angle = torch.linspace(low, high, beams, device=dice.device)
    depth = torch.linspace(0.0, far - near, samples, device=dice.device)
    frame = torch.linspace(0.0, 1.0, frames, device=dice.device)
    count = 1 if dice.chance(0.5) else 0
    for number in range(count + dice.integer(0, 2)):
        midline = number == 0 and count == 1
        middle = dice.normal(0, 0.05) if midline else dice.uniform(low, high)
        width = dice.uniform(0.03, 0.13) if midline else dice.uniform(0.02, 0.10)
        start = dice.uniform(4, 22)
        across = torch.exp(-0.5 * ((angle - middle) / width) ** 2)
        begins = torch.sigmoid((depth - start) / 3.0)
        dark = dice.uniform(3.0, 16.0) * across[:, None] * begins
        # a column in the midline is in all frames of a sideways sweep; other shadows come and go
        reach = 9.0 if midline else dice.uniform(0.06, 0.3)
        along = torch.exp(-0.5 * ((frame - dice.uniform(0, 1)) / reach) ** 2)
        echo -= along[:, None, None] * dark
    edge = dice.uniform(0.6, 1.1) * high
    lost = torch.sigmoid((angle.abs() - edge) / 0.06)
    echo -= dice.uniform(0.0, 25.0) * lost[:, None]


def _close_turn(noise: Tensor, sweep: Sweep) -> Tensor:
    """(k, frames, beams, samples) noise whose last frame continues the first, mirrored, one."""
    if sweep.kind == "side":
        return noise
    frames = sweep.shape[0]
    weight = ((torch.arange(frames, device=noise.device) / (frames - 1) - 0.8) / 0.2).clamp_min(0)
    weight = weight[:, None, None]
    scale = ((1 - weight) ** 2 + weight**2).sqrt()
    return ((1 - weight) * noise + weight * noise[:, :1].flip(2)) / scale


def _speckle(dice: Dice, sweep: Sweep) -> Tensor:
    """Fully developed speckle (dB), correlated across beams and frames."""
    uniform = dice.uniforms(*sweep.shape).clamp_min(1e-6)
    power = -torch.log(uniform)
    wide = dice.integer(1, 2)
    if dice.chance(0.85):
        size = (1 + 2 * dice.integer(0, 1), 1 + 2 * (wide - 1), 1)
        if size != (1, 1, 1):
            pad = (size[0] // 2, size[1] // 2, 0)
            power = F.avg_pool3d(power[None, None], size, 1, pad)[0, 0]
    return 4.343 * torch.log(power.clamp_min(0.02)) * dice.uniform(0.5, 1.0)
