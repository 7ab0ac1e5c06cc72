"""Losses, one value per landmark; `masked_mean` alone reduces.

Positions are (B, L, 3) x y z in mm from the grid's centre; `half_extent_mm` (3,) x y z turns
normalised coordinates into mm. Equation numbers are those of the paper.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from fusioninit.detection.dsnt import cell_centres, covariance, expectation

TINY_MM2 = 1e-6
"""Added under square roots: keeps the gradient of a distance finite where it is zero."""


def euclidean_losses(position_mm: Tensor, target_mm: Tensor) -> Tensor:
    """Equation 3, L_coord: Euclidean distance, not squared; (B, L, 3) twice to (B, L), mm."""
    return ((position_mm - target_mm).square().sum(-1) + TINY_MM2).sqrt()


def spread_losses(probability: Tensor, half_extent_mm: Tensor) -> Tensor:
    """Equation 4, plain reading: sum_j H_j ||v_j - P||^2; (B, L, D, H, W) to (B, L), mm^2."""
    axes = _voxel_axes_mm(probability, half_extent_mm)
    position = expectation(probability) * half_extent_mm
    return (probability * _squared_distances(axes, position)).sum((2, 3, 4))


def variance_losses(probability: Tensor, half_extent_mm: Tensor, sigma_mm: float) -> Tensor:
    """Equation 4, Nibali's reading: sum_d (Var_d - sigma^2)^2; to (B, L), mm^4."""
    variances = covariance(probability).diagonal(dim1=-2, dim2=-1) * half_extent_mm.square()
    return (variances - sigma_mm**2).square().sum(-1)


def expected_distance_losses(
    probability: Tensor, target_mm: Tensor, half_extent_mm: Tensor
) -> Tensor:
    """Equation 5, L_Dist: sum_j H_j ||v_j - G||; (B, L, D, H, W) and (B, L, 3) to (B, L), mm.

    By Jensen's inequality an upper bound of the coordinate error.
    """
    axes = _voxel_axes_mm(probability, half_extent_mm)
    distance = (_squared_distances(axes, target_mm) + TINY_MM2).sqrt()
    return (probability * distance).sum((2, 3, 4))


def heatmap_matching_losses(
    heatmaps: Tensor, target_mm: Tensor, half_extent_mm: Tensor, sigma_mm: float
) -> Tensor:
    """Summed squared difference from a Gaussian blob of height 1 at the target; to (B, L).

    References
    ----------
    Payer et al. 2016, Regressing heatmaps for multiple landmark localization using CNNs.
    """
    axes = _voxel_axes_mm(heatmaps, half_extent_mm)
    blob = torch.exp(-_squared_distances(axes, target_mm) / (2 * sigma_mm**2))
    return (heatmaps.float() - blob).square().sum((2, 3, 4))


def gland_losses(logit: Tensor, target: Tensor) -> Tensor:
    """Binary cross entropy plus one minus soft Dice of each sample; (B, D, H, W) twice to (B,)."""
    logit, target = logit.float(), target.float()
    entropy = F.binary_cross_entropy_with_logits(logit, target, reduction="none").mean((1, 2, 3))
    probability = logit.sigmoid()
    overlap = (probability * target).sum((1, 2, 3))
    total = probability.sum((1, 2, 3)) + target.sum((1, 2, 3))
    return entropy + 1 - (2 * overlap + 1) / (total + 1)


def masked_mean(losses: Tensor, weight: Tensor) -> Tensor:
    """Mean of (B, L) losses weighted by (B, L) `weight` >= 0; zero where every weight is zero."""
    weight = weight.to(losses)
    kept = torch.where(weight > 0, losses, torch.zeros_like(losses))
    return (kept * weight).sum() / weight.sum().clamp_min(1e-6)


def _voxel_axes_mm(heatmaps: Tensor, half_extent_mm: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Voxel centres along z, y, x in mm from the grid's centre."""
    z, y, x = (cell_centres(n, heatmaps.device) for n in heatmaps.shape[2:])
    return z * half_extent_mm[2], y * half_extent_mm[1], x * half_extent_mm[0]


def _squared_distances(axes: tuple[Tensor, Tensor, Tensor], point_mm: Tensor) -> Tensor:
    """(B, L, D, H, W) squared mm from every voxel to (B, L, 3) points."""
    z, y, x = (
        (axis - point_mm[..., 2 - number, None]).square() for number, axis in enumerate(axes)
    )
    return z[..., :, None, None] + y[..., None, :, None] + x[..., None, None, :]
