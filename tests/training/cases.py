"""Cases cheap enough to train on in a test: an ellipsoid with landmarks on its poles."""

import torch

from fusioninit.training.augment import Sample


def ellipsoid(seed, *, size=32, spacing_mm=2.0):
    """A bright noisy ellipsoid near the centre of a cubic grid; the same seed, the same case."""
    generator = torch.Generator().manual_seed(seed)
    unit = size * spacing_mm / 128
    center = 8 * unit * torch.randn(3, generator=generator)
    radii = (
        unit * torch.tensor([26.0, 18.0, 22.0]) * (0.8 + 0.4 * torch.rand(3, generator=generator))
    )
    axis = (torch.arange(size) - (size - 1) / 2) * spacing_mm
    z, y, x = torch.meshgrid(axis, axis, axis, indexing="ij")
    q = sum(((v - c) / r) ** 2 for v, c, r in zip((x, y, z), center, radii, strict=True))
    gland = (q < 1).float()
    image = 0.5 + gland + 0.1 * torch.randn(gland.shape, generator=generator)
    across, back, up = torch.diag(radii)
    # at half of the semi-axis an ellipsoid is sqrt(3) / 2 as wide as in the middle
    sides = [way * 0.75**0.5 * across + end * up / 2 for end in (-1, 1) for way in (1, -1)]
    landmarks = center + torch.stack([-up, up, back, across, -across, -back, *sides])
    visible = torch.ones(len(landmarks), dtype=torch.bool)
    return Sample(image.clamp_min(1e-3), gland, landmarks, visible)
