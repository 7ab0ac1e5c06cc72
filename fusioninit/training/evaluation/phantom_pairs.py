"""The synthetic benchmark: pairs drawn from fixed seeds, never stored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fusioninit.geometry import Space
from fusioninit.imaging.volume import Volume
from fusioninit.phantom import draw_pair
from fusioninit.training.evaluation.config import PAIRS_SEED
from fusioninit.training.evaluation.pair_cases import PairCase

FloatArray = NDArray[np.float64]

TARGETS_PER_CASE = 20
"""Places in the MR gland at which registration error is predicted and measured."""


@dataclass(frozen=True)
class PhantomPairs:
    """`count` pairs with seeds from `first_seed` on; the benchmark's unless it says otherwise."""

    count: int
    coarsening: int = 1
    first_seed: int = PAIRS_SEED
    name: str = "phantom"
    detects: bool = True

    @property
    def description(self) -> str:
        """What it is, with its seeds."""
        first, last = self.first_seed, self.first_seed + self.count - 1
        what = "benchmark" if first == PAIRS_SEED else "pairs outside the benchmark"
        return (
            f"Synthetic {what}, {self.count} pairs, seeds {first} to {last}, pixels and US "
            f"voxels of {0.6 * self.coarsening:.1f} mm. "
            "Synthetic images: says nothing about clinical ones."
        )

    def __len__(self) -> int:
        return self.count

    def case(self, number: int) -> PairCase:
        """Draw one pair."""
        return phantom_case(self.first_seed + number, coarsening=self.coarsening)


def phantom_case(seed: int, *, coarsening: int = 1) -> PairCase:
    """The pair of `seed`; its targets are spread over the MR gland, their true places dense."""
    pair = draw_pair(seed=seed, coarsening=coarsening)
    targets = _spread_voxels_mm(pair.mr_gland, seed)
    return PairCase(
        name=str(seed),
        number=seed,
        landmarks={Space.MR: pair.mr_landmarks, Space.US: pair.us_landmarks},
        glands={Space.MR: pair.mr_gland, Space.US: pair.us_gland},
        images={Space.MR: pair.mr, Space.US: pair.us},
        us_from_mr=pair.us_from_mr,
        targets_mr_mm=targets,
        targets_us_mm=pair.to_us(targets),
    )


def _spread_voxels_mm(gland: Volume, seed: int) -> FloatArray:
    """(N, 3) centres of voxels of the gland, drawn without repetition."""
    voxels = np.argwhere(gland.voxels > 0)
    count = min(TARGETS_PER_CASE, len(voxels))
    chosen = np.random.default_rng(seed).choice(len(voxels), count, replace=False)
    return gland.grid.to_world(voxels[np.sort(chosen)][:, ::-1])
