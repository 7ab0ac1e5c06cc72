"""Random changes to a training sample: parameters are drawn first, then applied.

Spatial changes move the image, the gland and the landmarks together. Intensity is left
unnormalised; normalisation follows, as in use.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from fusioninit.landmarks import MIRRORED


@dataclass(frozen=True)
class Sample:
    """One training case on the network's grid.

    Parameters
    ----------
    image : (D, H, W) tensor
        Intensity, exactly 0 outside the field of view.
    gland : (D, H, W) tensor
        0 to 1.
    landmarks_mm : (L, 3) tensor
        x y z in LPS mm from the grid's centre.
    visible : (L,) tensor of bool
    weight : (L,) tensor, optional
        Trust in each landmark, 0 to 1, in the loss; none: 1 each.
    gland_known : bool
        False where nobody outlined the gland: `gland` is then 0 and not learnt from.
    """

    image: Tensor
    gland: Tensor
    landmarks_mm: Tensor
    visible: Tensor
    weight: Tensor | None = None
    gland_known: bool = True


@dataclass(frozen=True)
class Motion:
    """new = matrix @ old + shift_mm, x y z about the grid's centre."""

    matrix: Tensor
    shift_mm: Tensor

    @classmethod
    def draw(cls, generator: torch.Generator) -> Motion:
        """Rotation of 6 degrees SD about each axis, scale within 10 %, shift of 4 mm SD."""
        angles = torch.randn(3, generator=generator) * 0.105
        scale = 1 + 0.1 * (2 * torch.rand(3, generator=generator) - 1)
        return cls(_rotation(angles) * scale, 4.0 * torch.randn(3, generator=generator))


@dataclass(frozen=True)
class Intensity:
    """Gamma, bias, noise, blur, a slab of slices kept, a box erased, inversion."""

    gamma: float
    bias: Tensor
    noise: float
    blur: tuple[bool, bool, bool]
    slab: tuple[float, float] | None
    box: tuple[float, float, float, float] | None
    inverted: bool

    @classmethod
    def draw(cls, generator: torch.Generator, *, inverting: bool) -> Intensity:
        """Parameters for one sample; `inverting` allows inversion (MR)."""
        u = torch.rand(14, generator=generator).tolist()
        strength = 0.3 * u[0] if u[1] < 0.5 else 0.0
        return cls(
            gamma=2 ** (1.4 * u[2] - 0.7),
            bias=strength * torch.randn(1, 1, 3, 3, 3, generator=generator),
            noise=0.08 * u[3] if u[4] < 0.5 else 0.0,
            blur=(u[5] < 0.15, u[6] < 0.1, u[6] < 0.1),
            slab=(0.5 * u[7], 0.5 * u[8]) if u[9] < 0.3 else None,
            box=(u[10], u[11], u[12], 0.1 + 0.2 * u[13]) if u[0] < 0.1 else None,
            inverted=inverting and u[1] > 0.96,
        )


def mirror(sample: Sample) -> Sample:
    """Left and right exchanged: x changes sign, and landmarks on a side change names."""
    order = list(MIRRORED[: len(sample.landmarks_mm)])
    sign = torch.tensor([-1.0, 1.0, 1.0], device=sample.landmarks_mm.device)
    return Sample(
        sample.image.flip(-1),
        sample.gland.flip(-1),
        sample.landmarks_mm[order] * sign,
        sample.visible[order],
        None if sample.weight is None else sample.weight[order],
        sample.gland_known,
    )


def move(sample: Sample, motion: Motion, half_extent_mm: tuple[float, float, float]) -> Sample:
    """Rotate, scale and shift image, gland and landmarks together; what leaves the grid is lost."""
    extent = torch.tensor(half_extent_mm)
    matrix, shift = motion.matrix, motion.shift_mm
    inverse = torch.linalg.inv(matrix)
    # grid_sample asks where each new voxel was, in coordinates divided by the half extent
    theta = torch.cat(
        [inverse * (extent[None, :] / extent[:, None]), -(inverse @ shift / extent)[:, None]], 1
    )
    both = torch.stack([sample.image, sample.gland])[None]
    where = F.affine_grid(theta[None].to(both), list(both.shape), align_corners=False)
    moved = F.grid_sample(both, where, align_corners=False)[0]
    points = sample.landmarks_mm @ matrix.T.to(sample.landmarks_mm) + shift.to(sample.landmarks_mm)
    return replace(sample, image=moved[0], gland=moved[1], landmarks_mm=points)


def change_intensity(sample: Sample, drawn: Intensity, generator: torch.Generator) -> Sample:
    """Apply the drawn appearance to the field of view; outside stays 0."""
    image, inside = sample.image, sample.image != 0
    low, high = float(image.min()), float(image.max())
    span = max(high - low, 1e-6)
    x = ((image - low) / span) ** drawn.gamma
    if drawn.inverted:
        x = 1 - x
    if bool(drawn.bias.any()):
        field = F.interpolate(drawn.bias, size=image.shape, mode="trilinear", align_corners=True)
        x = x * field[0, 0].exp()
    x = _blurred(x, drawn.blur)
    if drawn.noise > 0:
        x = (x + drawn.noise * torch.randn(x.shape, generator=generator)).abs()
    x = x + 1e-3
    x = torch.where(inside, x, torch.zeros_like(x))
    return replace(sample, image=_erased(_slab(x, sample, drawn.slab), drawn.box))


def augment(
    sample: Sample,
    generator: torch.Generator,
    *,
    half_extent_mm: tuple[float, float, float],
    inverting: bool,
) -> Sample:
    """Draw and apply a mirroring, a motion and an appearance."""
    u = torch.rand(3, generator=generator).tolist()
    if u[0] < 0.5:
        sample = mirror(sample)
    if u[1] < 0.7:
        sample = move(sample, Motion.draw(generator), half_extent_mm)
    if u[2] < 0.8:
        drawn = Intensity.draw(generator, inverting=inverting)
        sample = change_intensity(sample, drawn, generator)
    return sample


def _rotation(angles_rad: Tensor) -> Tensor:
    x, y, z = angles_rad.tolist()
    skew = torch.tensor([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return torch.matrix_exp(skew)


def _blurred(image: Tensor, axes: tuple[bool, bool, bool]) -> Tensor:
    for axis, wanted in enumerate(axes):
        if wanted:
            size, padding = [1, 1, 1], [0, 0, 0]
            size[axis], padding[axis] = 3, 1
            image = F.avg_pool3d(image[None, None], size, 1, padding, count_include_pad=False)[0, 0]
    return image


def _slab(image: Tensor, sample: Sample, cuts: tuple[float, float] | None) -> Tensor:
    """Slices far below and above the gland set to 0, as in a stack of few axial slices."""
    if cuts is None:
        return image
    present = torch.nonzero(sample.gland.amax((1, 2)) > 0.5)
    if len(present) == 0:
        return image
    first, last = int(present[0]), int(present[-1])
    low = int(first * 2 * cuts[0])
    high = last + 1 + int((len(image) - last - 1) * (1 - 2 * cuts[1]))
    kept = torch.zeros_like(image)
    kept[low:high] = image[low:high]
    return kept


def _erased(image: Tensor, box: tuple[float, float, float, float] | None) -> Tensor:
    if box is None:
        return image
    image = image.clone()
    z, y, x, size = box
    cut = [
        slice(int(p * n * (1 - size)), int(p * n * (1 - size) + n * size))
        for p, n in zip((z, y, x), image.shape, strict=True)
    ]
    image[cut[0], cut[1], cut[2]] = 0
    return image
