"""The prostate's outer shape, after profiles measured on masks of real glands, and its urethra.

Gland frame: mm, origin in the middle of the gland's body, x Left, y Posterior, z from apex to base.
It is tilted about x inside the patient frame by `tilt_deg`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from fusioninit.phantom.dice import Dice
from fusioninit.phantom.solids import ellipsoid, lookup, smooth_union, turn

Lobe = tuple[tuple[float, float, float], tuple[float, float, float]]
"""Centre and radii of an ellipsoid that rises into the bladder."""

HEIGHTS = (0.0, 0.02, 0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95, 0.985, 1.0)
"""Fractions of the height, apex to base, at which profiles are given."""

WIDTHS = (0.0, 0.28, 0.44, 0.60, 0.73, 0.85, 0.92, 0.97, 0.96, 0.91, 0.85, 0.70, 0.50, 0.0)
DEPTHS = (0.0, 0.32, 0.50, 0.66, 0.76, 0.85, 0.90, 0.94, 0.95, 0.92, 0.86, 0.70, 0.50, 0.0)
CENTERS_MM = (1.0, 1.0, 0.9, 0.8, 0.5, 0.2, 0.2, 0.1, -0.1, -0.3, -0.8, -1.2, -1.3, -1.3)
"""Means over 75 MR glands (fractions of the largest width and depth; mm posterior)."""

TABLE_SIZE = 129
NECK_HEIGHT = 0.93
"""Where experts' bladder necks lie on the body, as a fraction of its height."""


@dataclass(frozen=True)
class GlandShape:
    """A gland's outer shape.

    Parameters
    ----------
    table : (m, 4) tensor
        Half width, half depth, centre (mm) and slope factor over the height.
    body_mm : (width, depth, height)
    concavity_mm, flatness : float
        Posterior midline dent; 0 (elliptic) to 1 (boxy) sections.
    lobes : tuple of Lobe
    neck_mm, apex_mm, bend_mm : (3,) tuples
        Internal orifice, where the urethra leaves, and the bend at the verumontanum.
    """

    table: Tensor
    body_mm: tuple[float, float, float]
    volume_ml: float
    concavity_mm: float
    flatness: float
    tilt_deg: float
    lobes: tuple[Lobe, ...]
    apex_mm: tuple[float, float, float]
    bend_mm: tuple[float, float, float]
    neck_mm: tuple[float, float, float]
    rise_mm: float

    @property
    def gland_from_patient(self) -> Tensor:
        """(3, 3) rotation about the shared origin."""
        return turn(self.tilt_deg).T

    def sections(self, height_mm: Tensor) -> Tensor:
        """(4, n) half width, half depth, centre and slope factor at gland-frame z."""
        fraction = height_mm / self.body_mm[2] + 0.5
        return lookup(self.table.to(height_mm.device), fraction * (TABLE_SIZE - 1))

    def body_distance(self, points: Tensor) -> Tensor:
        """Signed distance (mm) of the body, without lobes, at (3, n) gland-frame points."""
        x, y, z = points
        half_width, half_depth, center, slope = self.sections(z)
        dent = 1.0 + (x / (0.22 * self.body_mm[0])) ** 2
        y = y - center
        y = y + (self.concavity_mm / (dent * dent)) * (y / half_depth).clamp(0.0, 1.0)
        # the widest line lies behind the middle: round in front, flat behind
        y = y - 0.14 * half_depth
        v = y / (half_depth * torch.where(y < 0, 1.14, 0.86))
        u = x / half_width
        u2, v2 = u * u, v * v
        boxy = (u2 * u2 + v2 * v2).sqrt()
        norm = ((1.0 - self.flatness) * (u2 + v2) + self.flatness * boxy).sqrt()
        distance = (norm - 1.0) * torch.minimum(half_width, half_depth) * slope
        beyond = (z.abs() - self.body_mm[2] / 2).clamp_min(0.0)
        return torch.where(beyond > 0, (distance.clamp_min(0.0) ** 2 + beyond**2).sqrt(), distance)

    def distance(self, points: Tensor) -> Tensor:
        """Signed distance (mm) of body and lobes at (3, n) gland-frame points."""
        distance = self.body_distance(points)
        for center, radii in self.lobes:
            distance = smooth_union(distance, ellipsoid(points, center, radii), 4.0)
        return distance


def draw_gland(dice: Dice, *, median_ml: float = 45.0) -> GlandShape:
    """A random gland: measured regressions of extents on volume, measured profiles."""
    volume = min(max(dice.log_normal(median_ml, 0.43), 12.0), 200.0)
    if dice.chance(0.2):
        # the tails, more often than they come
        volume = dice.uniform(85, 170) if dice.chance(0.6) else dice.uniform(17, 30)
    depth = math.exp(0.37 * math.log(volume) + 2.31 + dice.normal(0, 0.07)) * 1.04
    width = math.exp(0.27 * math.log(volume) + 2.92 + dice.normal(0, 0.07))
    height = math.exp(0.42 * math.log(volume) + 2.17 + dice.normal(0, 0.11))
    height = min(max(height, 27.0), 75.0)
    rise = dice.uniform(4.0, 13.0) if dice.chance(0.30 + min(0.35, volume / 250)) else 0.0
    body_height = (height - rise) / NECK_HEIGHT if rise else height
    body = (width, depth, max(body_height, 25.0))
    table = _profiles(dice, body, stretch=1.12 if rise else 1.0)
    shape = GlandShape(
        table=table,
        body_mm=body,
        volume_ml=volume,
        concavity_mm=max(-1.0, dice.normal(1.6, 1.4)),
        flatness=dice.uniform(0.0, 0.4),
        tilt_deg=dice.normal(-1.0, 12.0),
        lobes=(),
        apex_mm=(0.0, 0.0, 0.0),
        bend_mm=(0.0, 0.0, 0.0),
        neck_mm=(0.0, 0.0, 0.0),
        rise_mm=rise,
    )
    return _with_urethra(dice, shape)


def _profiles(dice: Dice, body: tuple[float, float, float], *, stretch: float) -> Tensor:
    # profiles were measured on glands with their lobes; a body alone is widest further up
    heights = torch.tensor(HEIGHTS)
    grid = torch.linspace(0.0, 1.0, TABLE_SIZE)
    ends = 0.10 + 0.10 * (2 * grid - 1).abs() ** 2
    # measured widths near the apex differ by half their mean: from a cone to a long narrow neck
    at = grid ** (stretch * dice.log_normal(0.98, 0.20))
    # the tip: from a cone to the blunt end of a cylinder round the urethra
    taper = 1.0 - dice.uniform(-0.75, 0.30) * torch.exp(-grid / 0.10)
    width = taper * _resampled(heights, WIDTHS, at) * (1 + ends * _wobble(dice, grid) * 0.8)
    depth = taper * _resampled(heights, DEPTHS, at) * (1 + ends * _wobble(dice, grid) * 0.8)
    spread = torch.where(grid < 0.5, 3.0 - 3.2 * grid, 1.4 + 5.5 * (grid - 0.5))
    center = _resampled(heights, CENTERS_MM, grid) + spread * _wobble(dice, grid)
    half_width = (width / width.max() * body[0] / 2).clamp_min(0.4)
    half_depth = (depth / depth.max() * body[1] / 2).clamp_min(0.4)
    step = body[2] / (TABLE_SIZE - 1)
    radius = (half_width + half_depth) / 2
    slope = torch.gradient(radius, spacing=step)[0]
    factor = 1 / (1 + slope**2).sqrt()
    return torch.stack([half_width, half_depth, center, factor], 1)


def _wobble(dice: Dice, grid: Tensor) -> Tensor:
    """Smooth unit-variance deviation over the height."""
    a, b, c = dice.normal(0, 1), dice.normal(0, 1), dice.normal(0, 1)
    t = 2 * grid - 1
    return 0.55 * a + 0.75 * b * t + 0.6 * c * (2 * t * t - 1) * 0.7


def _resampled(at: Tensor, values: tuple[float, ...], grid: Tensor) -> Tensor:
    """Linear interpolation of `values` given at `at`."""
    above = torch.searchsorted(at, grid.clamp(0.0, 1.0), right=True).clamp(1, len(at) - 1)
    value = torch.tensor(values)
    low, high = at[above - 1], at[above]
    t = (grid - low) / (high - low)
    return value[above - 1] + t * (value[above] - value[above - 1])


def _with_urethra(dice: Dice, shape: GlandShape) -> GlandShape:
    _, depth, height = shape.body_mm
    apex_z = (dice.uniform(0.02, 0.05) - 0.5) * height
    apex_y = float(shape.sections(torch.tensor([apex_z]))[2])
    neck_y = (dice.normal(0.30, 0.06) - 0.5) * depth
    neck_z = _top_of_body(shape, neck_y)
    length = math.hypot(neck_y - apex_y, neck_z - apex_z)
    back = 0.5 * length * math.tan(math.radians(dice.normal(35.0, 8.0) / 2))
    # perpendicular to the line from apex to neck, to posterior
    along_y, along_z = (neck_y - apex_y) / length, (neck_z - apex_z) / length
    t = dice.uniform(0.42, 0.55)
    bend = (
        0.0,
        apex_y + t * length * along_y + back * along_z,
        apex_z + t * length * along_z - back * along_y,
    )
    neck, apex = (0.0, neck_y, neck_z), (0.0, apex_y, apex_z)
    lobes = _lobes(dice, shape, neck) if shape.rise_mm else ()
    return replace(shape, apex_mm=apex, neck_mm=neck, bend_mm=bend, lobes=lobes)


def _top_of_body(shape: GlandShape, y: float) -> float:
    """Height (gland-frame z) of the body's upper surface in the midline at `y`."""
    z = torch.linspace(0.2, 0.5, 241) * shape.body_mm[2]
    points = torch.stack([torch.zeros_like(z), torch.full_like(z, y), z])
    within = shape.body_distance(points) < 0
    return float(z[within].max()) if bool(within.any()) else 0.4 * shape.body_mm[2]


def _lobes(dice: Dice, shape: GlandShape, neck: tuple[float, float, float]) -> tuple[Lobe, ...]:
    """Lobes whose tops lie `rise_mm` above the neck; the neck stays free in the notch in front."""
    top = neck[2] + shape.rise_mm
    kind = dice.choice({"median": 0.55, "lateral": 0.2, "both": 0.25})
    lobes: list[Lobe] = []
    if kind in ("median", "both"):
        ry, rx = dice.uniform(8.0, 13.0), dice.uniform(10.0, 18.0)
        rz = max(7.0, shape.rise_mm * dice.uniform(0.8, 1.3))
        behind = neck[1] + ry + dice.uniform(2.0, 5.0)
        lobes.append(((dice.normal(0, 2.5), behind, top - rz), (rx, ry, rz)))
    if kind in ("lateral", "both"):
        for side in (-1.0, 1.0):
            rx, ry = dice.uniform(8.0, 13.0), dice.uniform(10.0, 15.0)
            rz = max(8.0, shape.rise_mm)
            x = side * (rx + dice.uniform(1.5, 4.0))
            lower = dice.uniform(0.0, 4.0)
            center = (x, neck[1] + dice.uniform(2.0, 9.0), top - rz - lower)
            lobes.append((center, (rx, ry, rz)))
    return tuple(lobes)
