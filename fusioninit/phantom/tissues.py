"""Tissues of the pelvis, and the canvas on which solids of tissue are laid over each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, auto

import torch
from torch import Tensor


class Tissue(IntEnum):
    """What a voxel is made of. A modality gives each tissue a row of its own table."""

    FAT = 0
    FASCIA = auto()
    VESSEL = auto()
    MUSCLE = auto()
    LEVATOR = auto()
    MARROW = auto()
    CORTEX = auto()
    CARTILAGE = auto()
    URINE = auto()
    BLADDER_WALL = auto()
    BOWEL = auto()
    RECTAL_WALL = auto()
    MUCOSA = auto()
    GAS = auto()
    STOOL = auto()
    BALLOON = auto()
    COIL = auto()
    SPHINCTER = auto()
    URETHRA = auto()
    VENOUS = auto()
    NERVE = auto()
    BULB = auto()
    SEMINAL_FLUID = auto()
    SEMINAL_WALL = auto()
    CAPSULE = auto()
    PERIPHERAL = auto()
    SEPTUM = auto()
    TRANSITION = auto()
    NODULE = auto()
    NODULE_RIM = auto()
    CENTRAL = auto()
    STROMA = auto()
    LESION = auto()
    VERU = auto()
    CALCIFICATION = auto()
    URETHRAL_MUSCLE = auto()


@dataclass(frozen=True)
class Palette:
    """How tissues look in one image.

    Parameters
    ----------
    table : (tissues, c) tensor
        Channel 0: intensity (MR, relative) or echogenicity (US, dB). Channel 1: strength of the
        coarse texture in the same unit. Channel 2: of the fine one (MR), attenuation (US, dB/mm).
    spread : (c,) tensor
        How far nodules, threads and lumps of one tissue differ.
    """

    table: Tensor
    spread: Tensor

    def row(self, tissue: Tissue) -> Tensor:
        """(c, 1) values of a tissue."""
        return self.table[tissue][:, None]


@dataclass(frozen=True)
class Canvas:
    """Channels over points, painted from back to front, in place.

    Parameters
    ----------
    points : (3, n) tensor
        Patient frame, mm.
    values : (c, n) tensor
    noise : (k, n) tensor
        Smooth unit noise of falling wavelength: about 14, 7 and 4 mm.
    edge_mm : float
        Half width of the ramp over a surface.
    """

    points: Tensor
    values: Tensor
    noise: Tensor
    palette: Palette
    edge_mm: float
    labels: dict[str, Tensor] = field(default_factory=dict)

    def paint(self, tissue: Tissue, where: Tensor, change: Tensor | None = None) -> None:
        """Lay a tissue over the points with (n,) opacity; `change` is added to its row."""
        row = self.palette.row(tissue)
        index = torch.nonzero(where)[:, 0]
        if 3 * len(index) > len(where):
            row = row if change is None else row + change
            self.values.add_((row - self.values) * where)
            return
        if change is not None:
            row = row + change.index_select(1, index)
        old = self.values.index_select(1, index)
        self.values.index_copy_(1, index, old + (row - old) * where.index_select(0, index))

    def fill(self, tissue: Tissue, distance_mm: Tensor, change: Tensor | None = None) -> None:
        """Fill a solid given by its signed distance."""
        where = torch.clamp(0.5 - distance_mm * (0.5 / self.edge_mm), 0.0, 1.0)
        self.paint(tissue, where, change)

    def part(self, chosen: Tensor) -> tuple[Canvas, Tensor]:
        """A canvas of the points where (n,) `chosen` holds, and their indices."""
        index = torch.nonzero(chosen)[:, 0]
        part = Canvas(
            self.points.index_select(1, index),
            self.values.index_select(1, index),
            self.noise.index_select(1, index),
            self.palette,
            self.edge_mm,
        )
        return part, index

    def put(self, part: Canvas, index: Tensor) -> None:
        """Write a part's values back."""
        self.values.index_copy_(1, index, part.values)


def box(
    points: Tensor, low: tuple[float, float, float], high: tuple[float, float, float]
) -> Tensor:
    """(n,) bool: points within an axis-aligned box."""
    x, y, z = points
    return (
        (x > low[0]) & (x < high[0]) & (y > low[1]) & (y < high[1]) & (z > low[2]) & (z < high[2])
    )
