"""Signed distances (mm, negative inside) of simple solids, and how soft their edges are drawn.

Points are (3, n) tensors of x, y, z. Distances are exact near a surface and approximate far away.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor


def inside(distance_mm: Tensor, edge_mm: float = 1.0) -> Tensor:
    """Fraction inside, 0 to 1: a ramp `2 * edge_mm` wide over the surface."""
    return torch.clamp(0.5 - distance_mm * (0.5 / edge_mm), 0.0, 1.0)


def shell(distance_mm: Tensor, thickness_mm: float, edge_mm: float = 1.0) -> Tensor:
    """Fraction inside a layer of `thickness_mm` centred on the surface."""
    return inside(distance_mm.abs() - thickness_mm / 2, edge_mm)


def column(values: Sequence[float], like: Tensor) -> Tensor:
    """(n, 1) tensor of numbers on the device of `like`."""
    return torch.tensor(values, dtype=torch.float32, device=like.device)[:, None]


def ellipsoid(
    points: Tensor,
    center: Sequence[float],
    radii: Sequence[float],
    rotation: Tensor | None = None,
) -> Tensor:
    """Signed distance of an ellipsoid; `rotation` (3, 3) has its axes as columns."""
    scaled = points - column(center, points)
    if rotation is not None:
        scaled = rotation.T.to(points) @ scaled
    scaled = scaled / column(radii, points)
    norm = (scaled * scaled).sum(0).sqrt()
    return (norm - 1.0) * min(radii)


def capsule(points: Tensor, start: Sequence[float], end: Sequence[float], radius: float) -> Tensor:
    """Signed distance of a rod with round ends."""
    a, b = column(start, points), column(end, points)
    along = b - a
    offset = points - a
    t = ((offset * along).sum(0) / (along * along).sum()).clamp(0.0, 1.0)
    rest = offset - along * t
    return (rest * rest).sum(0).sqrt() - radius


def polyline(points: Tensor, nodes: Sequence[Sequence[float]], radius: float) -> Tensor:
    """Signed distance of a bent rod through `nodes`."""
    rods = [capsule(points, a, b, radius) for a, b in pairwise(nodes)]
    return torch.stack(rods).amin(0)


def smooth_union(first: Tensor, second: Tensor, blend_mm: float) -> Tensor:
    """Union of two solids with a fillet of `blend_mm`."""
    h = (blend_mm - (first - second).abs()).clamp_min(0.0) / blend_mm
    return torch.minimum(first, second) - h * h * (blend_mm / 4.0)


def turn(about_x_deg: float, about_y_deg: float = 0.0, about_z_deg: float = 0.0) -> Tensor:
    """(3, 3) rotation Rz @ Ry @ Rx."""
    angles = torch.deg2rad(torch.tensor([about_x_deg, about_y_deg, about_z_deg]))
    (cx, cy, cz), (sx, sy, sz) = angles.cos().tolist(), angles.sin().tolist()
    rx = torch.tensor([[1.0, 0.0, 0.0], [0.0, cx, -sx], [0.0, sx, cx]])
    ry = torch.tensor([[cy, 0.0, sy], [0.0, 1.0, 0.0], [-sy, 0.0, cy]])
    rz = torch.tensor([[cz, -sz, 0.0], [sz, cz, 0.0], [0.0, 0.0, 1.0]])
    return rz @ ry @ rx


def lookup(table: Tensor, position: Tensor) -> Tensor:
    """Linear interpolation of (m,) or (m, c) tables at (n,) positions in entries; clamped.

    Returns (n,) or (c, n).
    """
    position = position.clamp(0.0, table.shape[0] - 1.001)
    lower = position.floor()
    rest = position - lower
    first = lower.long()
    if table.ndim == 1:
        below = table[first]
        return below + rest * (table[first + 1] - below)
    below = table.index_select(0, first)
    above = table.index_select(0, first + 1)
    return (below + rest[:, None] * (above - below)).T
