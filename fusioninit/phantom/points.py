"""Where the landmarks lie on a gland, by the readers' definitions. Order: `ALL_NAMES`.

Apex: where the urethra leaves the gland. Bladder neck: the internal orifice, in the notch in front
of any lobe. Posterior median: on the posterior surface, in the midline, at half the height from
apex to neck, heights measured along the patient's z. Laterals: outermost at that height. Anterior
median: in front in the midline, there too. Apical and basal points: outermost at a quarter and at
three quarters of the height.
"""

from __future__ import annotations

import torch
from torch import Tensor

from fusioninit.phantom.gland import GlandShape

_STEP_MM = 0.25


def locate_landmarks(shape: GlandShape) -> Tensor:
    """(L, 3) landmark positions in the patient frame (mm)."""
    to_patient = shape.gland_from_patient.T
    apex = to_patient @ torch.tensor(shape.apex_mm)
    neck = to_patient @ torch.tensor(shape.neck_mm)
    quarter, half, three_quarters = (
        torch.lerp(apex[2], neck[2], share).item() for share in (0.25, 0.5, 0.75)
    )
    return torch.stack(
        [
            apex,
            neck,
            _in_midline(shape, half, back=True),
            *_widest(shape, half),
            _in_midline(shape, half, back=False),
            *_widest(shape, quarter),
            *_widest(shape, three_quarters),
        ]
    )


def _distance(shape: GlandShape, points: Tensor) -> Tensor:
    return shape.distance(shape.gland_from_patient @ points)


def _in_midline(shape: GlandShape, height: float, *, back: bool) -> Tensor:
    """The surface behind or in front of the axis."""
    way = 1.0 if back else -1.0
    y = way * torch.arange(-10.0, 60.0, _STEP_MM)
    points = torch.stack([torch.zeros_like(y), y, torch.full_like(y, height)])
    distance = _distance(shape, points)
    last = int(torch.nonzero(distance < 0)[-1])
    near, beyond = float(distance[last]), float(distance[last + 1])
    surface = float(y[last]) + way * _STEP_MM * near / (near - beyond)
    return torch.tensor([0.0, surface, height])


def _widest(shape: GlandShape, height: float) -> tuple[Tensor, Tensor]:
    x = torch.arange(0.0, 70.0, _STEP_MM)
    y = torch.arange(-45.0, 45.0, 1.0)
    grid_y, grid_x = torch.meshgrid(y, x, indexing="ij")
    ends = []
    for side in (1.0, -1.0):
        flat = torch.stack(
            [side * grid_x.reshape(-1), grid_y.reshape(-1), torch.full((grid_x.numel(),), height)]
        )
        within = _distance(shape, flat).reshape(grid_x.shape) < 0
        reach = torch.where(within, grid_x, torch.zeros_like(grid_x)).amax(1)
        # the side is nearly flat: the mean of all rows within 0.5 mm of the widest is stabler
        near = (reach > reach.max() - 0.5).float()
        middle = float((near * y).sum() / near.sum())
        ends.append(torch.tensor([side * float(reach.max()), middle, height]))
    return ends[0], ends[1]
