"""3D networks from an image to landmark heatmaps and a gland mask.

Two designs share one answer (`NetworkOutput`). "residual" is the shipped one: a strided stem, one
residual block per level, GroupNorm, heatmaps at half the input's resolution and the gland at full
resolution. "plain" is the paper's sentence, that of VoxelMorph: strided convolutions of kernel 3,
LeakyReLU 0.2, concatenated skips, no normalisation, heatmaps at full resolution.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fusioninit.landmarks import ALL_NAMES

LANDMARK_COUNTS = (3, 5, 6, 8, len(ALL_NAMES))
"""How many of `ALL_NAMES` a network may find: never a left point without its right one."""

NEGATIVE_SLOPE = 0.2
"""LeakyReLU parameter of the paper, section 3.1."""

PLAIN_DECODER = (32, 32, 32, 32, 32, 16, 16)
"""VoxelMorph's decoder: one layer per upsampling and three more at full resolution."""


@dataclass(frozen=True)
class UNetConfig:
    """What a network looks like; stored in the card beside its weights.

    Parameters
    ----------
    design : str
        "residual" or "plain".
    head : str
        "heatmap", or "direct": coordinates by a fully connected layer on the deepest features.
    channels : tuple of int
        Channels per level from fine to coarse; each level halves the resolution. Multiples of 16
        are fast. Keep 4 voxels a side at the coarsest: on CPU the bfloat16 weight gradient of a
        convolution over 2 voxels a side was seen to hold infinities (torch 2.13).
    landmarks : int
        Number of heatmaps, in the order of `fusioninit.landmarks.ALL_NAMES`, one of
        `LANDMARK_COUNTS`.
    gland : bool
        Whether a gland logit comes out as well.
    grid : tuple of 3 int
        Input voxels (k, j, i); only the direct head depends on it.
    """

    design: Literal["residual", "plain"] = "residual"
    head: Literal["heatmap", "direct"] = "heatmap"
    channels: tuple[int, ...] = (16, 48, 96, 128)
    landmarks: int = len(ALL_NAMES)
    gland: bool = True
    grid: tuple[int, int, int] = (64, 64, 64)


class NetworkOutput(NamedTuple):
    """What comes out: heatmaps or coordinates, and the gland."""

    heatmap_logits: Tensor | None
    """(B, L, d, h, w), before the softmax, already multiplied by the learned temperature."""
    position_norm: Tensor | None
    """(B, L, 3) x y z in cell-centred coordinates -1 to 1, only from the direct head."""
    gland_logit: Tensor | None
    """(B, D, H, W)."""


class ConvNorm(nn.Sequential):
    """Convolution of kernel 3, GroupNorm, LeakyReLU."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__(
            nn.Conv3d(inputs, outputs, 3, stride, 1, bias=False),
            nn.GroupNorm(max(1, outputs // 8) if outputs < 64 else 8, outputs),
            nn.LeakyReLU(NEGATIVE_SLOPE, inplace=True),
        )


class ResidualUNet(nn.Module):
    """Strided stem, one residual block per level on both ways, skips added."""

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        channels = config.channels
        steps = list(pairwise(channels))
        self.stem = ConvNorm(1, channels[0], stride=2)
        self.down = nn.ModuleList(ConvNorm(fine, coarse, stride=2) for fine, coarse in steps)
        self.encode = nn.ModuleList(ConvNorm(coarse, coarse) for _, coarse in steps)
        self.bottom = ConvNorm(channels[-1], channels[-1])
        self.lateral = nn.ModuleList(nn.Conv3d(coarse, fine, 1) for fine, coarse in steps)
        self.decode = nn.ModuleList(ConvNorm(fine, fine) for fine, _ in steps)
        self.output_channels = channels[0]
        self.bottom_channels = channels[-1]
        self.stride = 2

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Features at half resolution and the deepest features of `image` (B, 1, D, H, W)."""
        features = [self.stem(image)]
        for down, encode in zip(self.down, self.encode, strict=True):
            coarse = down(features[-1])
            features.append(coarse + encode(coarse))
        coarsest = features.pop()
        bottom = coarsest + self.bottom(coarsest)
        x = bottom
        for lateral, decode in zip(reversed(self.lateral), reversed(self.decode), strict=True):
            skip = features.pop()
            x = skip + F.interpolate(lateral(x), size=skip.shape[2:], mode="nearest")
            x = x + decode(x)
        return x, bottom


class PlainUNet(nn.Module):
    """The paper's sentence: VoxelMorph's layers, without normalisation."""

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        inputs = (1, *config.channels)
        self.encode = nn.ModuleList(
            nn.Conv3d(a, b, 3, 2, 1) for a, b in zip(inputs, config.channels, strict=False)
        )
        skips = inputs[-2::-1]
        levels = len(config.channels)
        decoder, last = [], config.channels[-1]
        for outputs, skip in zip(PLAIN_DECODER[:levels], skips, strict=False):
            decoder.append(nn.Conv3d(last, outputs, 3, 1, 1))
            last = outputs + skip
        self.decode = nn.ModuleList(decoder)
        finest = []
        for outputs in PLAIN_DECODER[-3:]:
            finest.append(nn.Conv3d(last, outputs, 3, 1, 1))
            last = outputs
        self.finest = nn.ModuleList(finest)
        self.output_channels = last
        self.bottom_channels = config.channels[-1]
        self.stride = 1

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Features at full resolution and the deepest features of `image` (B, 1, D, H, W)."""
        features = [image]
        for convolution in self.encode:
            features.append(F.leaky_relu(convolution(features[-1]), NEGATIVE_SLOPE))
        bottom = features.pop()
        x = bottom
        for convolution in self.decode:
            skip = features.pop()
            x = F.leaky_relu(convolution(x), NEGATIVE_SLOPE)
            x = torch.cat([F.interpolate(x, size=skip.shape[2:], mode="nearest"), skip], dim=1)
        for convolution in self.finest:
            x = F.leaky_relu(convolution(x), NEGATIVE_SLOPE)
        return x, bottom


class LandmarkNetwork(nn.Module):
    """A U-Net with its heads: heatmaps (or coordinates) and the gland."""

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        self.config = config
        self.body = ResidualUNet(config) if config.design == "residual" else PlainUNet(config)
        features, stride = self.body.output_channels, self.body.stride
        self.heatmaps = config.landmarks if config.head == "heatmap" else 0
        self.gland_cells = stride**3 if config.gland else 0
        # one layer for both: odd channel counts are slow, and were seen to give NaN gradients in
        # bfloat16 on CPU; channels beyond those used are ignored
        wanted = max(1, self.heatmaps + self.gland_cells)
        self.head = nn.Conv3d(features, -(-wanted // 16) * 16, 1)
        self.log_temperature = nn.Parameter(torch.zeros(max(1, self.heatmaps)))
        self.position_head: nn.Module | None = None
        if config.head == "direct":
            hidden = 256
            self.position_head = nn.Sequential(
                nn.Flatten(),
                nn.Linear(self.body.bottom_channels * _bottom_cells(config), hidden),
                nn.LeakyReLU(NEGATIVE_SLOPE),
                nn.Linear(hidden, 3 * config.landmarks),
            )

    def forward(self, image: Tensor) -> NetworkOutput:
        """Heatmaps or coordinates, and the gland, of normalised images (B, 1, D, H, W)."""
        features, bottom = self.body(image)
        maps = self.head(features).float()
        logits = position = gland = None
        if self.heatmaps:
            scale = self.log_temperature.exp()[:, None, None, None]
            logits = maps[:, : self.heatmaps].contiguous() * scale
        if self.position_head is not None:
            flat = self.position_head(bottom.contiguous()).float()
            position = flat.reshape(len(image), self.config.landmarks, 3)
        if self.gland_cells:
            cells = maps[:, self.heatmaps : self.heatmaps + self.gland_cells].contiguous()
            gland = _unshuffle(cells, self.body.stride)
        return NetworkOutput(logits, position, gland)


def _bottom_cells(config: UNetConfig) -> int:
    cells = 1
    for size in config.grid:
        # each level halves, rounding up
        cells *= -(-size // 2 ** len(config.channels))
    return cells


def _unshuffle(blocks: Tensor, stride: int) -> Tensor:
    """(B, stride^3, d, h, w) to (B, D, H, W): each coarse voxel holds its fine voxels."""
    batch, _, d, h, w = blocks.shape
    split = blocks.reshape(batch, stride, stride, stride, d, h, w)
    fine = split.permute(0, 4, 1, 5, 2, 6, 3)
    return fine.reshape(batch, d * stride, h * stride, w * stride)
