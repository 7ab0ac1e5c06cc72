"""Batches as a function of the step: the same step gives the same batch, however often asked.

Synthetic cases are drawn as training goes. Each batch holds some new ones and some of the latest
earlier ones, augmented anew, because a case costs about as much as a training step. The replayed
cases are only cached: after an interruption they are drawn again from their seeds, so a resumed
training sees what an uninterrupted one would have seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from fusioninit.detection.normalise import normalise_intensity
from fusioninit.geometry import Space
from fusioninit.phantom import draw_sample
from fusioninit.training.augment import Sample, augment
from fusioninit.training.config import DataSection, TrainingConfig

TRAINING_SEED = 1_000_000
"""Training cases have seeds from here on, plus `data.first_seed`."""

VALIDATION_SEED = 10_000
CALIBRATION_SEED = 20_000
BENCHMARK_SEED = 30_000
"""First seeds of the sets that training never sees; each holds fewer than 10,000 cases."""

Draw = Callable[[int], Sample]
"""A case from its seed."""

Batch = dict[str, Tensor]
"""image (B, 1, D, H, W), gland (B, D, H, W), landmarks_mm (B, L, 3), visible, inside (B, L)."""


def phantom_case(
    seed: int, *, space: Space, shape: tuple[int, int, int], spacing_mm: float
) -> Sample:
    """The synthetic case of `seed` on the network's grid."""
    drawn = draw_sample(space, seed=seed, shape=shape, spacing_mm=spacing_mm)
    return Sample(
        torch.as_tensor(drawn.image).float().cpu(),
        torch.as_tensor(drawn.gland).float().cpu(),
        torch.as_tensor(np.asarray(drawn.landmarks_mm)).float(),
        torch.as_tensor(np.asarray(drawn.visible)).bool(),
    )


def phantom_source(config: TrainingConfig) -> Draw:
    """Cases of the configuration's modality."""
    grid = config.input_grid
    return partial(
        phantom_case, space=config.modality, shape=grid.shape, spacing_mm=grid.spacing_mm
    )


class ReplayedBatches(Dataset[Batch]):
    """Batch number `step` of a training. Whole batches: use with `batch_size=None`."""

    def __init__(
        self,
        draw: Draw,
        section: DataSection,
        *,
        half_extent_mm: tuple[float, float, float],
        seed: int,
        inverting: bool,
    ) -> None:
        self._draw = draw
        self._section = section
        self._half_extent_mm = half_extent_mm
        self._seed = seed
        self._inverting = inverting
        self._cache: dict[int, Sample] = {}

    def __getitem__(self, step: int) -> Batch:
        """Collate the new and the replayed cases of this step."""
        return collate(
            [self._case(step, slot) for slot in range(self._section.batch_size)],
            self._half_extent_mm,
        )

    def numbers(self, step: int) -> list[int]:
        """Which cases make up the batch of `step`: the new ones, then the replayed ones."""
        fresh = self._section.fresh_per_batch
        first = step * fresh
        new = list(range(first, first + fresh))
        # workers see every n-th step; replaying their own cases keeps their caches useful
        stride = max(1, self._section.workers)
        steps_back = min(step // stride, self._section.replay_window // (fresh * stride))
        random = np.random.default_rng((self._seed, step))
        replayed = []
        for _ in range(self._section.batch_size - fresh):
            back = int(random.integers(0, steps_back + 1)) * stride
            replayed.append((step - back) * fresh + int(random.integers(0, fresh)))
        return new + replayed

    def _case(self, step: int, slot: int) -> Sample:
        sample = self._cached(self.numbers(step)[slot])
        if not self._section.augment:
            return sample
        generator = torch.Generator().manual_seed(
            int(np.random.SeedSequence((self._seed, step, slot)).generate_state(1)[0])
        )
        return augment(
            sample, generator, half_extent_mm=self._half_extent_mm, inverting=self._inverting
        )

    def _cached(self, number: int) -> Sample:
        if number not in self._cache:
            seed = TRAINING_SEED + self._section.first_seed + number
            self._cache[number] = _packed(self._draw(seed))
            if len(self._cache) > self._section.replay_window + self._section.batch_size:
                del self._cache[min(self._cache)]
        return _unpacked(self._cache[number])


class FixedCases(Dataset[Batch]):
    """Cases of consecutive seeds, drawn once and kept, as batches of one."""

    def __init__(
        self,
        draw: Draw,
        *,
        first_seed: int,
        count: int,
        half_extent_mm: tuple[float, float, float],
    ) -> None:
        self._draw, self._first_seed, self._count = draw, first_seed, count
        self._half_extent_mm = half_extent_mm
        self._kept: dict[int, Sample] = {}

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> Batch:
        """The case of seed first_seed + number."""
        if number not in self._kept:
            self._kept[number] = _packed(self._draw(self._first_seed + number))
        return collate([_unpacked(self._kept[number])], self._half_extent_mm)


class StepSampler(Sampler[int]):
    """Numbers of the batches of one epoch; each process of a distributed training has its own."""

    def __init__(self, steps_per_epoch: int, *, rank: int = 0, world_size: int = 1) -> None:
        self._steps, self._rank, self._world_size = steps_per_epoch, rank, world_size
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Called by Lightning before each epoch, also after a resume."""
        self._epoch = epoch

    def __len__(self) -> int:
        return self._steps

    def __iter__(self) -> Iterator[int]:
        # a generator: after a resume Lightning asks for the iterator before it sets the epoch
        for step in range(self._steps):
            yield (self._epoch * self._steps + step) * self._world_size + self._rank


def collate(samples: list[Sample], half_extent_mm: tuple[float, float, float]) -> Batch:
    """Normalise intensities and stack; `inside` says which landmarks lie in the grid.

    Only where a sample says how far it can be trusted, `landmark_weight` (B, L) and `gland_weight`
    (B,) are added.
    """
    landmarks = torch.stack([sample.landmarks_mm for sample in samples])
    inside = (landmarks.abs() <= torch.tensor(half_extent_mm)).all(-1)
    batch = {
        "image": torch.stack([normalise_intensity(sample.image) for sample in samples])[:, None],
        "gland": torch.stack([sample.gland for sample in samples]),
        "landmarks_mm": landmarks,
        "visible": torch.stack([sample.visible for sample in samples]) & inside,
        "inside": inside,
    }
    if any(sample.weight is not None or not sample.gland_known for sample in samples):
        whole = torch.ones(landmarks.shape[1])
        batch["landmark_weight"] = torch.stack(
            [whole if sample.weight is None else sample.weight for sample in samples]
        )
        batch["gland_weight"] = torch.tensor([float(sample.gland_known) for sample in samples])
    return batch


def _packed(sample: Sample) -> Sample:
    """Half precision, scaled to at most 1: hundreds of cases stay in memory."""
    largest = sample.image.abs().max().clamp_min(1e-6)
    return replace(sample, image=(sample.image / largest).half(), gland=sample.gland.half())


def _unpacked(sample: Sample) -> Sample:
    return replace(sample, image=sample.image.float(), gland=sample.gland.float())
