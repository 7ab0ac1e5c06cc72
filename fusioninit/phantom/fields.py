"""Smooth random fields: cubic B-splines on a coarse lattice, sampled along axes or at points.

A field sampled on a regular grid is three small matrix products, whatever its wavelength, which
makes noise of any scale cheap.
"""

from __future__ import annotations

import torch
from torch import Tensor

from fusioninit.phantom.dice import Dice

_UNIT_SD = (2.0 / 3.0) ** 2 + 2 * (1.0 / 6.0) ** 2
"""Sum of squared cubic B-spline weights at a knot: the variance one axis keeps of white noise."""


def spline_weights(position: Tensor, knots: int) -> Tensor:
    """(n, knots) cubic B-spline weights at (n,) positions, in knots, between 1 and knots - 2."""
    distance = (position[:, None] - torch.arange(knots, device=position.device)).abs()
    near = 2.0 / 3.0 - distance**2 * (1.0 - distance / 2.0)
    far = (2.0 - distance).clamp_min(0.0) ** 3 / 6.0
    return torch.where(distance < 1.0, near, far)


def noise_on_grid(
    dice: Dice, shape: tuple[int, ...], cells: tuple[float, ...], *, channels: int = 1
) -> Tensor:
    """(channels, *shape) smooth noise of unit variance; `cells` voxels per knot along each axis."""
    knots = [max(4, int(size / cell) + 4) for size, cell in zip(shape, cells, strict=True)]
    field = dice.normals(channels, *knots)
    for size, cell, count in zip(shape, cells, knots, strict=True):
        steps = torch.arange(size, device=dice.device, dtype=torch.float32) / max(cell, 1.0)
        weights = spline_weights((1.0 + steps).clamp_max(count - 2.0), count)
        # the contracted axis goes last, so after three rounds the order is the original one
        field = torch.tensordot(field, weights, dims=([1], [1])) / _UNIT_SD**0.5
    return field


class Displacement:
    """A smooth displacement (mm) over a cube of the patient frame.

    Parameters
    ----------
    coefficients : (3, m, m, m) tensor
        Spline coefficients in mm; axes after the first are x, y, z.
    spacing_mm : float
        Distance of the knots, hence the correlation length. The lattice is centred at 0.
    """

    def __init__(self, coefficients: Tensor, spacing_mm: float) -> None:
        self.coefficients = coefficients
        self.spacing_mm = spacing_mm

    @classmethod
    def draw(
        cls, dice: Dice, *, sd_mm: float, spacing_mm: float, reach_mm: float = 90.0
    ) -> Displacement:
        """A random field of standard deviation `sd_mm` in each direction."""
        knots = 2 * int(reach_mm / spacing_mm + 1) + 3
        coefficients = dice.normals(3, knots, knots, knots) * (sd_mm / _UNIT_SD**1.5)
        return cls(coefficients, spacing_mm)

    def at(self, points_mm: Tensor) -> Tensor:
        """(3, n) displacement at (3, n) points."""
        knots = self.coefficients.shape[-1]
        position = points_mm / self.spacing_mm + (knots - 1) / 2
        position = position.clamp(1.0, knots - 2.0)
        along_x, along_y, along_z = (spline_weights(axis, knots) for axis in position)
        partial = along_x @ self.coefficients.to(points_mm).reshape(3, knots, -1)  # (3, n, m * m)
        partial = partial.reshape(3, -1, knots, knots)
        partial = (partial * along_y[None, :, :, None]).sum(2)
        return (partial * along_z[None]).sum(2)
