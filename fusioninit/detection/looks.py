"""Looking: the network's answer for one placement of its grid, and several answers made one.

The network sees the image and its mirror image; a second and third look from shifted grids average
out where voxels happened to fall. How far looks disagree is part of the uncertainty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from fusioninit.detection.dsnt import covariance, expectation, flat_softmax, mode
from fusioninit.detection.normalise import InputGrid
from fusioninit.detection.unet import LandmarkNetwork
from fusioninit.geometry import Grid
from fusioninit.landmarks import MIRRORED

FloatArray = NDArray[np.float64]

MIN_GLAND_ML = 3.0
"""A smaller predicted gland is no evidence of where the gland is."""


@dataclass(frozen=True)
class Look:
    """What the network said, not yet calibrated.

    Parameters
    ----------
    position_mm : (L, 3) array
        World positions, LPS.
    spread_mm2 : (L, 3, 3) array
        Covariance of the heatmaps, and of the positions where looks were merged.
    gland_logit : (D, H, W) tensor or None
        On `grid`.
    grid : Grid
        The network's grid of this look.
    mirror_difference_mm : (L,) array
        How far the answers for the image and its mirror image lie apart.
    """

    position_mm: FloatArray
    spread_mm2: FloatArray
    gland_logit: Tensor | None
    grid: Grid
    mirror_difference_mm: FloatArray

    def gland_mask(self) -> NDArray[np.bool_]:
        """(k, j, i) the part of the predicted gland that the landmarks belong to.

        Of several connected parts large enough to be a gland, the one nearest to the middle of
        the landmarks; where none is large enough, the largest.
        """
        assert self.gland_logit is not None
        mask = self.gland_logit.numpy() > 0
        parts, count = ndimage.label(mask)
        if count < 2:
            return np.asarray(mask)
        sizes = np.bincount(parts.ravel())
        sizes[0] = 0
        large = np.flatnonzero(sizes * np.prod(self.grid.spacing_mm) / 1000 >= MIN_GLAND_ML)
        if len(large) < 2:
            return np.asarray(parts == sizes.argmax())
        centers = np.array(ndimage.center_of_mass(mask, parts, large))[:, ::-1]
        middle = self.position_mm.mean(axis=0)
        gaps = np.linalg.norm(self.grid.to_world(centers) - middle, axis=1)
        return np.asarray(parts == large[gaps.argmin()])

    def gland_center_mm(self) -> FloatArray | None:
        """World centre of the predicted gland, None where too little was found."""
        if self.gland_logit is None:
            return None
        mask = self.gland_mask()
        if mask.sum() * np.prod(self.grid.spacing_mm) / 1000 < MIN_GLAND_ML:
            return None
        return np.asarray(self.grid.to_world(np.argwhere(mask).mean(0)[::-1]))


class Eye:
    """A network ready to look: on its device, in the precision that is fast there."""

    def __init__(
        self,
        network: LandmarkNetwork,
        input_grid: InputGrid,
        *,
        device: str,
        method: str,
        mirrored: bool,
    ) -> None:
        self._device = device
        self._reduced = reduced_precision(device)
        self._mirrored = mirrored
        # left and right stand side by side in the order of names: any count a network may have
        # holds both or neither
        self._swapped = list(MIRRORED[: network.config.landmarks])
        self._locate = mode if method == "heatmap" else expectation
        self._half_extent_mm = torch.tensor(input_grid.half_extent_mm)
        self._network = network.eval().to(device)
        if self._reduced:
            for parameter in self._network.parameters():
                if parameter.ndim == 5:
                    layout = torch.channels_last_3d
                    parameter.data = parameter.data.contiguous(memory_format=layout)

    def look(self, image: Tensor, grid: Grid) -> Look:
        """The answer for a normalised image (D, H, W) on `grid`."""
        images = torch.stack([image, image.flip(-1)] if self._mirrored else [image])[:, None]
        images = images.to(self._device)
        if self._reduced:
            images = images.contiguous(memory_format=torch.channels_last_3d)
        with (
            torch.inference_mode(),
            torch.autocast(self._device, torch.bfloat16, enabled=self._reduced),
        ):
            output = self._network(images)
        gland = None if output.gland_logit is None else output.gland_logit.cpu()
        if gland is not None and self._mirrored:
            gland = (gland[:1] + gland[1:].flip(-1)) / 2
        if output.heatmap_logits is None:
            assert output.position_norm is not None
            both, spread = self._from_points(output.position_norm.cpu())
        else:
            both, spread = self._from_heatmaps(output.heatmap_logits.cpu())
        return Look(
            grid.center_mm + both.mean(0).double().numpy(),
            spread.double().numpy(),
            None if gland is None else gland[0],
            grid,
            (both[0] - both[-1]).norm(dim=-1).double().numpy(),
        )

    def _from_points(self, position_norm: Tensor) -> tuple[Tensor, Tensor]:
        both = position_norm * self._half_extent_mm
        if self._mirrored:
            mirrored = both[1][self._swapped] * torch.tensor([-1.0, 1.0, 1.0])
            both = torch.stack([both[0], mirrored])
        return both, torch.zeros(both.shape[1], 3, 3)

    def _from_heatmaps(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        probability = flat_softmax(logits)
        if self._mirrored:
            probability = torch.stack([probability[0], probability[1].flip(-1)[self._swapped]])
        scale = self._half_extent_mm
        both = self._locate(probability) * scale
        mean = probability.mean(0, keepdim=True)
        return both, covariance(mean)[0] * scale[:, None] * scale[None, :]


def merged(looks: Sequence[Look]) -> Look:
    """One answer from several looks; the gland, and its grid, are the last one's."""
    positions = np.stack([look.position_mm for look in looks])
    mean = positions.mean(0)
    apart = positions - mean
    scatter = np.einsum("nla,nlb->lab", apart, apart) / len(looks)
    return Look(
        mean,
        np.mean([look.spread_mm2 for look in looks], axis=0) + scatter,
        looks[-1].gland_logit,
        looks[-1].grid,
        np.max([look.mirror_difference_mm for look in looks], axis=0),
    )


def reduced_precision(device: str) -> bool:
    """Whether bfloat16 is fast on this device: GPUs that have it, CPUs with AVX512-BF16."""
    if device.startswith("cuda"):
        return torch.cuda.is_bf16_supported()
    info = Path("/proc/cpuinfo")
    flags = info.read_text() if info.is_file() else ""
    return torch.backends.mkldnn.is_available() and "avx512_bf16" in flags
