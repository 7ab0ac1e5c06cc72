"""Random draws of one sample: every number of a synthetic case comes from here, from one seed."""

from __future__ import annotations

import math

import torch
from torch import Tensor


class Dice:
    """Seeded draws on the CPU, moved to `device`, so that a case has one anatomy everywhere."""

    def __init__(self, seed: int, device: torch.device | str = "cpu") -> None:
        self.device = torch.device(device)
        self._generator = torch.Generator().manual_seed(seed % (2**63))

    def split(self) -> Dice:
        """New dice, seeded by a draw from these: what they draw changes nothing here."""
        seed = torch.randint(2**62, (), generator=self._generator)
        return Dice(int(seed), self.device)

    def uniform(self, low: float, high: float) -> float:
        """A number from [low, high)."""
        return low + (high - low) * float(torch.rand((), generator=self._generator))

    def normal(self, mean: float, sd: float, *, within: float = 2.5) -> float:
        """A normal number cut at `within` standard deviations."""
        value = float(torch.randn((), generator=self._generator))
        return mean + sd * min(max(value, -within), within)

    def log_normal(self, median: float, sd_ln: float) -> float:
        """A log-normal number, cut at 2.5 standard deviations."""
        return median * math.exp(self.normal(0.0, sd_ln))

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self.uniform(0.0, 1.0) < probability

    def choice(self, weights: dict[str, float]) -> str:
        """One key, drawn with its weight."""
        names = list(weights)
        mark = self.uniform(0.0, sum(weights.values()))
        for name in names:
            mark -= weights[name]
            if mark < 0:
                return name
        return names[-1]

    def integer(self, low: int, high: int) -> int:
        """An integer from low to high, both included."""
        return low + min(int(self.uniform(0.0, high - low + 1)), high - low)

    def uniforms(self, *shape: int) -> Tensor:
        """A float32 tensor from [0, 1)."""
        return torch.rand(shape, generator=self._generator).to(self.device)

    def normals(self, *shape: int) -> Tensor:
        """A standard normal float32 tensor."""
        return torch.randn(shape, generator=self._generator).to(self.device)
