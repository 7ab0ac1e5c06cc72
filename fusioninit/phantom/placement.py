"""How the anatomy lies in an image's world: a rigid pose, then smooth deformations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from fusioninit.phantom.fields import Displacement

_ROUNDS = 25
"""Fixed-point steps; deformations here have slopes below 0.5, so the rest is below a micrometre."""


@dataclass(frozen=True)
class Press:
    """A probe that pushes tissue away: anatomy seen at `y` lay `depth_mm` further back.

    Parameters
    ----------
    center_mm : (3,) tuple
        The middle of the contact, patient frame.
    width_mm : float
        Standard deviation of the dent across.
    reach_mm : float
        How deep the push is felt.
    """

    center_mm: tuple[float, float, float]
    depth_mm: float
    width_mm: float
    reach_mm: float

    def at(self, points_mm: Tensor) -> Tensor:
        """(3, n) displacement at (3, n) points."""
        x, y, z = points_mm
        cx, cy, cz = self.center_mm
        across = ((x - cx) / self.width_mm) ** 2 + ((z - cz) / (2.5 * self.width_mm)) ** 2
        deep = ((y - cy) / self.reach_mm).clamp(-3.0, 3.0)
        push = self.depth_mm * torch.exp(-0.5 * (across + deep * deep))
        return torch.stack([torch.zeros_like(x), push, torch.zeros_like(x)])


@dataclass(frozen=True)
class Stretch:
    """A linear deformation about a point: displacement = matrix @ (p - center)."""

    matrix: Tensor
    center_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def at(self, points_mm: Tensor) -> Tensor:
        """(3, n) displacement at (3, n) points."""
        center = torch.tensor(self.center_mm, device=points_mm.device)[:, None]
        return self.matrix.to(points_mm) @ (points_mm - center)


@dataclass(frozen=True)
class Placement:
    """World to anatomy: patient = rotation @ (world - origin), anatomy = patient + displacement.

    Parameters
    ----------
    rotation : (3, 3) tensor
    origin_mm : (3,) tensor
        World position of the anatomy's origin.
    deformations : sequence
        Added one after the other, each at the point the previous ones lead to.
    """

    rotation: Tensor
    origin_mm: Tensor
    deformations: Sequence[Displacement | Press | Stretch] = ()

    def to_patient(self, world_mm: Tensor) -> Tensor:
        """(3, n) patient points of (3, n) world points, before deformation."""
        return self.rotation.to(world_mm) @ (world_mm - self.origin_mm.to(world_mm)[:, None])

    def displacement(self, patient_mm: Tensor) -> Tensor:
        """(3, n) total displacement from patient to anatomy."""
        point = patient_mm
        for deformation in self.deformations:
            point = point + deformation.at(point)
        return point - patient_mm

    def to_anatomy(self, world_mm: Tensor) -> Tensor:
        """(3, n) anatomy points of (3, n) world points."""
        patient = self.to_patient(world_mm)
        return patient + self.displacement(patient)

    def to_world(self, anatomy_mm: Tensor) -> Tensor:
        """(3, n) world points of (3, n) anatomy points, by fixed-point iteration."""
        patient = anatomy_mm
        for _ in range(_ROUNDS):
            patient = anatomy_mm - self.displacement(patient)
        return self.rotation.T.to(patient) @ patient + self.origin_mm.to(patient)[:, None]
