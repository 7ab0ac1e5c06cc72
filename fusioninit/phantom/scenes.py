"""How a patient is imaged: poses, fields of view, probes and the deformation they cause."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor

from fusioninit.phantom.anatomy import Anatomy
from fusioninit.phantom.dice import Dice
from fusioninit.phantom.fields import Displacement
from fusioninit.phantom.gland import GlandShape
from fusioninit.phantom.mr import Stack, draw_stack
from fusioninit.phantom.placement import Placement, Press, Stretch
from fusioninit.phantom.solids import turn
from fusioninit.phantom.us import Sweep


def draw_mr_scene(dice: Dice, anatomy: Anatomy) -> tuple[Placement, Stack]:
    """A supine patient, nearly upright in the world; slices straight or tilted to the gland."""
    rotation = turn(dice.normal(0, 4), dice.normal(0, 3), dice.normal(0, 3)).T
    offsets = [dice.normal(-1, 6), dice.normal(-4, 9), dice.normal(0, 6)]
    origin = torch.tensor(offsets).clamp(-20.0, 20.0)
    tilt = dice.normal(11, 9) if dice.chance(0.5) else dice.normal(0, 1.5)
    return Placement(rotation, origin, (anatomy.variation,)), draw_stack(dice, tilt_deg=tilt)


def draw_us_scene(dice: Dice, anatomy: Anatomy, *, strain: float = 0.04) -> tuple[Placement, Sweep]:
    """A probe in the rectum that touches the gland's back; the image's middle is 0.

    `strain` is the standard deviation of the linear deformation.
    """
    kind = "end" if dice.chance(0.5) else "side"
    side_pitch = min(max(dice.normal(8, 9), -8.0), 25.0)
    pitch = dice.uniform(0, 60) if kind == "end" else side_pitch
    world_from_patient = turn(pitch, dice.normal(0, 6), dice.normal(0, 6))
    contact, press = _contact(dice, anatomy.gland, world_from_patient)
    deformations = (
        press,
        Stretch(strain * dice.normals(3, 3).cpu(), press.center_mm),
        Displacement.draw(dice, sd_mm=dice.uniform(0.5, 1.6), spacing_mm=dice.uniform(15, 25)),
        anatomy.variation,
    )
    arc = dice.uniform(8.0, 13.0)
    gap = dice.uniform(2.5, 6.5)
    tip = contact + torch.tensor([dice.normal(0, 3), gap + arc - press.depth_mm, 0.0])
    sweep = _draw_sweep(dice, kind, tip, arc, anatomy.gland)
    middle = sweep.box_mm.mean(1)
    centred = replace(
        sweep,
        tip_mm=_tuple(torch.tensor(sweep.tip_mm) - middle),
        box_mm=sweep.box_mm - middle[:, None],
    )
    return Placement(world_from_patient.T, -middle, deformations), centred


def _contact(dice: Dice, shape: GlandShape, world_from_patient: Tensor) -> tuple[Tensor, Press]:
    """World point (about the gland's origin) of the gland's back that lies nearest the probe."""
    heights = torch.linspace(-0.4, 0.4, 33) * shape.body_mm[2]
    sections = shape.sections(heights)
    back = torch.stack([torch.zeros(33), sections[2] + sections[1], heights])
    patient = shape.gland_from_patient.T @ back
    world = world_from_patient @ patient
    nearest = int(world[1].argmax())
    press = Press(
        center_mm=_tuple(patient[:, nearest]),
        depth_mm=dice.uniform(0.0, 4.5),
        width_mm=dice.uniform(9.0, 14.0),
        reach_mm=dice.uniform(11.0, 18.0),
    )
    return world[:, nearest], press


def _draw_sweep(dice: Dice, kind: str, tip: Tensor, arc: float, gland: GlandShape) -> Sweep:
    if kind == "side":
        return _draw_side_fire(dice, tip, arc, gland)
    half, depth = dice.uniform(0.85, 1.25), min(gland.body_mm[1] + dice.uniform(14, 38), 80.0)
    tip = tip + torch.tensor([0.0, 0.0, dice.normal(0, 6)])
    reach = (arc + depth) * math.sin(half)
    low = torch.tensor([-reach, -(arc + depth), -reach])
    high = torch.tensor([reach, -arc * math.cos(half) * dice.uniform(0.6, 1.0), reach])
    cut = torch.tensor([dice.uniform(0.75, 1.0), 1.0, dice.uniform(0.6, 1.0)])
    box = torch.stack([low * cut, high * cut], 1) + tip[:, None]
    ranges = ((0.0, math.pi), (-half, half), (arc, arc + depth))
    return Sweep("end", _tuple(tip), ranges, (36, 56, 72), box)


def _draw_side_fire(dice: Dice, tip: Tensor, arc: float, gland: GlandShape) -> Sweep:
    half = dice.uniform(0.6, 0.9) if dice.chance(0.2) else dice.uniform(0.85, 1.35)
    depth = min(gland.body_mm[1] + dice.uniform(2, 34), 78.0)
    length = gland.body_mm[2] / 2 + dice.uniform(2, 16)
    shift = dice.normal(0, 3)
    if dice.chance(0.18):
        shift += dice.uniform(9, 18) * (1 if dice.chance(0.5) else -1)
    reach = min(
        (arc + depth) * math.sin(min(half, math.pi / 2)), gland.body_mm[0] / 2 + dice.uniform(3, 30)
    )
    bottom = -arc * math.cos(half) * dice.uniform(0.5, 1.0)
    low = torch.tensor([-reach, -(arc + depth), shift - length])
    high = torch.tensor([reach, bottom, shift + length])
    # the frame axis starts at the gland's origin (z = 0), wherever the contact is
    middle = torch.tensor([float(tip[0]), float(tip[1]), 0.0])
    box = torch.stack([low, high], 1) + middle[:, None]
    ranges = ((shift - length, shift + length), (-half, half), (arc, arc + depth))
    return Sweep("side", _tuple(middle), ranges, (36, 48, 70), box)


def _tuple(point: Tensor) -> tuple[float, float, float]:
    x, y, z = point.tolist()
    return x, y, z
