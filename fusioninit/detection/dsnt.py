"""From heatmaps to coordinates (the paper's equations 1 and 2) and their covariance.

Coordinates are cell-centred: voxel i of N lies at (2 i + 1) / N - 1, so the grid's outer faces are
at -1 and +1 and a heatmap of half the resolution spans the same extent. Vectors are x, y, z, the
reverse of the tensor's axes. Times half the grid's extent in mm they are mm from its centre.
Softmax and sums are float32 whatever comes in.

References
----------
Nibali et al. 2018, Numerical coordinate regression with convolutional neural networks.
"""

from __future__ import annotations

import torch
from torch import Tensor


def cell_centres(size: int, device: torch.device | str = "cpu") -> Tensor:
    """(size,) coordinates of the voxel centres, in (-1, 1).

    >>> cell_centres(4)
    tensor([-0.7500, -0.2500,  0.2500,  0.7500])
    """
    index = torch.arange(size, dtype=torch.float32, device=device)
    return (2 * index + 1) / size - 1


def flat_softmax(logits: Tensor) -> Tensor:
    """Equation 1: softmax over all voxels of each heatmap; (B, L, D, H, W) to the same, float32."""
    flat = logits.float().flatten(2)
    return flat.softmax(dim=-1).reshape(logits.shape)


def expectation(probability: Tensor) -> Tensor:
    """Equation 2: mean coordinate of each heatmap, (B, L, D, H, W) to (B, L, 3) x y z."""
    return torch.stack([m @ c for m, c in _marginals(probability)], dim=-1)


def covariance(probability: Tensor) -> Tensor:
    """Second central moments of each heatmap, (B, L, D, H, W) to (B, L, 3, 3), squared units.

    Holds the variance of a uniform voxel (its side squared over 12) on the diagonal, without which
    a heatmap of one voxel would claim certainty.
    """
    probability = probability.float()
    centred = [m @ c for m, c in _marginals(probability)]
    z, y, x = (cell_centres(n, probability.device) for n in probability.shape[2:])
    planes = {
        (0, 1): torch.einsum("blyx,y,x->bl", probability.sum(2), y, x),
        (0, 2): torch.einsum("blzx,z,x->bl", probability.sum(3), z, x),
        (1, 2): torch.einsum("blzy,z,y->bl", probability.sum(4), z, y),
    }
    result = probability.new_zeros((*probability.shape[:2], 3, 3))
    for axis, (marginal, centre) in enumerate(_marginals(probability)):
        deviation = centre - centred[axis][..., None]
        within_voxel = (2 / len(centre)) ** 2 / 12
        result[..., axis, axis] = (marginal * deviation**2).sum(-1) + within_voxel
    for (a, b), mixed in planes.items():
        result[..., a, b] = result[..., b, a] = mixed - centred[a] * centred[b]
    return result


def mode(probability: Tensor) -> Tensor:
    """Coordinate of each heatmap's largest voxel, (B, L, D, H, W) to (B, L, 3) x y z."""
    depth, height, width = probability.shape[2:]
    index = probability.flatten(2).argmax(-1)
    k, j, i = index // (height * width), index // width % height, index % width
    sizes = (width, height, depth)
    return torch.stack(
        [(2 * n + 1) / size - 1 for n, size in zip((i, j, k), sizes, strict=True)], dim=-1
    ).float()


def _marginals(probability: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Per axis x, y, z: the (B, L, n) marginal and the (n,) voxel centres."""
    probability = probability.float()
    centres = [cell_centres(n, probability.device) for n in probability.shape[2:]]
    over = {0: (2, 3), 1: (2, 4), 2: (3, 4)}
    return [(probability.sum(over[axis]), centres[2 - axis]) for axis in range(3)]
