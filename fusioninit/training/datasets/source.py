"""Cases by seed from data sets and the phantom: the same seed, the same case.

Every training seed is either synthetic or real, in the configured proportion, evenly spread; the
real ones go through the cases in rounds, each round in an order of its own. So a batch stays a
function of the step, and an interrupted training resumes to the same result.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

import numpy as np

from fusioninit.training.augment import Sample
from fusioninit.training.config import TrainingConfig
from fusioninit.training.data import (
    BENCHMARK_SEED,
    CALIBRATION_SEED,
    TRAINING_SEED,
    VALIDATION_SEED,
    Draw,
    phantom_source,
)
from fusioninit.training.datasets.gathering import Kept, gather
from fusioninit.training.datasets.prepare import draw_shift
from fusioninit.training.datasets.store import CaseStore, load

REPORT = "datasets.json"
"""In the output folder: how many cases of which set, and which rows were left out, and why."""


@dataclass(frozen=True)
class MixedSource:
    """Cases by seed; see the module.

    Parameters
    ----------
    training, validation : tuple
        Kept cases. Without any for validation, that is done on the phantom.
    phantom : callable
        The synthetic case of a seed.
    phantom_fraction : float
        Share of training seeds that are synthetic.
    spacing_mm : float
        Of the network's grid.
    reference_sd_mm : float
        See `DatasetsSection`.
    seed : int
        Decides the order of the cases and where windows lie.
    """

    training: tuple[Kept, ...]
    validation: tuple[Kept, ...]
    phantom: Draw
    phantom_fraction: float
    spacing_mm: float
    reference_sd_mm: float
    seed: int = 0

    def __call__(self, seed: int) -> Sample:
        """The case of a seed: training from `TRAINING_SEED` on, below it validation."""
        if seed >= TRAINING_SEED:
            number = self.real_number(seed - TRAINING_SEED)
            if number is None:
                return self.phantom(seed)
            return self._sample(self.training[self.position(number)], seed)
        number = seed - VALIDATION_SEED
        if 0 <= number < len(self.validation):
            return self._sample(self.validation[number], seed)
        return self.phantom(seed)

    def held_out(self, seed: int) -> Sample:
        """Validation cases by the seeds of calibration (every even one) and benchmark (odd ones).

        So covariances are fitted and measured on cases of files that were not trained on.
        """
        after = seed >= BENCHMARK_SEED
        number = seed - (BENCHMARK_SEED if after else CALIBRATION_SEED)
        place = 2 * number + int(after)
        return self._sample(self.validation[place], VALIDATION_SEED + place)

    def real_number(self, number: int) -> int | None:
        """How many real cases came before training case `number`; none where it is synthetic."""
        share = 1 - self.phantom_fraction
        before, after = math.floor(number * share), math.floor((number + 1) * share)
        return before if after > before else None

    def position(self, number: int) -> int:
        """Which training case real case `number` is: rounds through all, each shuffled."""
        turn, place = divmod(number, len(self.training))
        order = np.random.default_rng((self.seed, turn)).permutation(len(self.training))
        return int(order[place])

    def _sample(self, kept: Kept, seed: int) -> Sample:
        shift = draw_shift(np.random.default_rng((self.seed, seed)))
        return load(kept).window(
            shift, spacing_mm=self.spacing_mm, reference_sd_mm=self.reference_sd_mm
        )


def case_source(config: TrainingConfig) -> Draw:
    """The phantom, or the configuration's data sets mixed with it; what was used is written down.

    Raises
    ------
    InputError
        A set or a case that cannot be used, or too few cases.
    """
    phantom, section = phantom_source(config), config.datasets
    if not section.sets:
        return phantom
    store = CaseStore(
        config.modality, config.input_grid, folder=section.cache, isolated=section.isolated
    )
    gathered = gather(section, store)
    config.output.mkdir(parents=True, exist_ok=True)
    (config.output / REPORT).write_text(
        json.dumps(gathered.report(), indent=1) + "\n", encoding="utf-8"
    )
    return MixedSource(
        training=gathered.training,
        validation=gathered.validation,
        phantom=phantom,
        phantom_fraction=section.phantom_fraction,
        spacing_mm=config.input_grid.spacing_mm,
        reference_sd_mm=section.reference_sd_mm,
        seed=config.seed,
    )


def validation_count(config: TrainingConfig, draw: Draw) -> int:
    """Cases to validate on: no real one twice."""
    if isinstance(draw, MixedSource) and draw.validation:
        return min(config.validation_count, len(draw.validation))
    return config.validation_count
