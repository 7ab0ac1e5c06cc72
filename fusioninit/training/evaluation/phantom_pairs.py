"""The synthetic benchmark: pairs drawn from fixed seeds, never stored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fusioninit.geometry import Space
from fusioninit.imaging.volume import Volume
from fusioninit.phantom import draw_pair
from fusioninit.training.evaluation.pair_cases import PairCase

FloatArray = NDArray[np.float64]

PAIRS_SEED = 40_000
"""Seed of the first pair; far from the seeds of training, validation and calibration."""

TARGETS_PER_CASE = 20
"""Places in the MR gland at which registration error is predicted and measured."""


@dataclass(frozen=True)
class PhantomPairs:
    """`count` pairs with seeds from `PAIRS_SEED` on."""

    count: int
    coarsening: int = 1
    name: str = "phantom"
    detects: bool = True

    @property
    def description(self) -> str:
        """What it is, with its seeds."""
        last = PAIRS_SEED + self.count - 1
        return (
            f"Synthetic benchmark, {self.count} pairs, seeds {PAIRS_SEED} to {last}, pixels and US "
            f"voxels of {0.6 * self.coarsening:.1f} mm. "
            "Synthetic images: says nothing about clinical ones."
        )

    def __len__(self) -> int:
        return self.count

    def case(self, number: int) -> PairCase:
        """Draw one pair."""
        return phantom_case(PAIRS_SEED + number, coarsening=self.coarsening)


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
