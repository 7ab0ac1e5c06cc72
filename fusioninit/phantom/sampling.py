"""Training samples: one synthetic patient imaged once and resampled onto the network's grid."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from fusioninit.geometry import Space
from fusioninit.phantom import mr, us
from fusioninit.phantom.anatomy import Anatomy, draw_anatomy
from fusioninit.phantom.dice import Dice
from fusioninit.phantom.placement import Placement
from fusioninit.phantom.scenes import draw_mr_scene, draw_us_scene

RECTA = {"collapsed": 0.38, "gas": 0.24, "stool": 0.18, "coil": 0.20}
"""What fills the rectum in MR, and how often."""


@dataclass(frozen=True)
class PhantomSample:
    """One synthetic case on an axis-aligned LPS cube.

    Parameters
    ----------
    image : (D, H, W) float32 tensor
        Arbitrary intensities; exactly 0 outside the imaged field, as a resampler leaves it.
    gland : (D, H, W) float32 tensor
        0 to 1.
    landmarks_mm : (L, 3) float32 tensor
        x y z (LPS) from the grid's CENTRE, in the order of `ALL_NAMES`.
    visible : (L,) bool tensor
        Landmark inside the imaged field and the grid.
    """

    image: Tensor
    gland: Tensor
    landmarks_mm: Tensor
    visible: Tensor


def draw_sample(
    space: Space,
    *,
    seed: int,
    shape: tuple[int, int, int] = (64, 64, 64),
    spacing_mm: float = 2.0,
    device: torch.device | str = "cpu",
) -> PhantomSample:
    """Draw the case of `seed`: the same seed gives the same bytes on the same version and device.

    Parameters
    ----------
    space : Space
        US or MR.
    shape : (D, H, W)
    spacing_mm : float
        Isotropic.
    """
    dice = Dice(2 * seed + (space is Space.US), device)
    with torch.no_grad():
        draw = _draw_us if space is Space.US else _draw_mr
        return draw(dice, shape, spacing_mm)


def grid_points(shape: tuple[int, int, int], spacing_mm: float) -> Tensor:
    """(3, n) LPS points of an axis-aligned grid centred at 0."""
    axes = [(torch.arange(size) - (size - 1) / 2) * spacing_mm for size in shape]
    z, y, x = torch.meshgrid(*axes, indexing="ij")
    return torch.stack([x.reshape(-1), y.reshape(-1), z.reshape(-1)])


def sample_field(fields: Tensor, position: Tensor, shape: tuple[int, ...]) -> Tensor:
    """(c, *shape) linear samples of (c, a, b, d) at (3, n) positions of a, b, d from -1 to 1.

    -1 and 1 are the outer voxels' centres; beyond them the value is 0.
    """
    where = position.flip(0).T.reshape(1, *shape, 3)
    values = F.grid_sample(fields[None], where, padding_mode="border", align_corners=True)[0]
    within = (position.abs() <= 1.0).all(0).reshape(shape)
    return values * within


def _draw_mr(dice: Dice, shape: tuple[int, int, int], spacing_mm: float) -> PhantomSample:
    anatomy = draw_anatomy(dice, rectum_fill=dice.choice(RECTA))
    placement, stack = draw_mr_scene(dice, anatomy)
    image, gland = mr.render(anatomy, dice, placement, stack, mr.draw_palette(dice))
    points = grid_points(shape, spacing_mm).to(dice.device)
    reach = [(n - 1) * s / 2 for n, s in zip(stack.shape, stack.spacing_mm, strict=True)]
    inner = (stack.world_from_stack.T.to(points) @ points).flip(0)
    position = inner / torch.tensor(reach, device=dice.device)[:, None]
    both = sample_field(torch.stack([image, gland]), position, shape)
    landmarks = _landmarks(anatomy, placement)
    seen = stack.contains(landmarks.T)
    return _finish(both, landmarks, seen, shape, spacing_mm)


def _draw_us(dice: Dice, shape: tuple[int, int, int], spacing_mm: float) -> PhantomSample:
    anatomy = draw_anatomy(dice, rectum_fill="probe")
    placement, sweep = draw_us_scene(dice, anatomy)
    image, gland = us.render(anatomy, dice, placement, sweep)
    points = grid_points(shape, spacing_mm).to(dice.device)
    both = sample_field(torch.stack([image, gland]), sweep.position(points), shape)
    both = both * sweep.stored(points).reshape(shape)
    if dice.chance(0.45):
        both[0] = _blurred(both[0], dice.integer(1, 2))
    landmarks = _landmarks(anatomy, placement)
    seen = sweep.contains(landmarks.T)
    return _finish(both, landmarks, seen, shape, spacing_mm)


def _landmarks(anatomy: Anatomy, placement: Placement) -> Tensor:
    return placement.to_world(anatomy.landmarks_mm.T).T


def _blurred(image: Tensor, rounds: int) -> Tensor:
    """Low-resolution variants; what was outside stays exactly 0."""
    within = (image != 0).float()[None, None]
    blurred = image[None, None]
    for _ in range(rounds):
        blurred = F.avg_pool3d(blurred, 3, 1, 1)
        weight = F.avg_pool3d(within, 3, 1, 1).clamp_min(1e-3)
        blurred = blurred / weight * within
    return blurred[0, 0]


def _finish(
    both: Tensor, landmarks: Tensor, seen: Tensor, shape: tuple[int, int, int], spacing_mm: float
) -> PhantomSample:
    reach = torch.tensor(shape[::-1]) * spacing_mm / 2
    visible = seen & (landmarks.abs() <= reach).all(1)
    return PhantomSample(
        image=both[0].contiguous(),
        gland=both[1].clamp(0.0, 1.0),
        landmarks_mm=landmarks.to(both.device),
        visible=visible.to(both.device),
    )
