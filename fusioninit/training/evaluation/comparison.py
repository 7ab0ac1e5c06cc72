"""One comparison from configuration to tables, readable from top to bottom."""

from __future__ import annotations

import logging
import time
from collections.abc import Generator, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from multiprocessing import get_context

import torch

from fusioninit.detection.predict import Detection
from fusioninit.errors import InputError
from fusioninit.geometry import Space
from fusioninit.training.evaluation.config import ComparisonConfig, PhantomSection
from fusioninit.training.evaluation.detecting import (
    Method,
    gland_overlap,
    landmark_errors,
    two_answers,
)
from fusioninit.training.evaluation.image_list import ImageList
from fusioninit.training.evaluation.label_folder import LabelFolder
from fusioninit.training.evaluation.observers import (
    MANUAL_ESTIMATORS,
    manual_inputs,
    many_observers,
)
from fusioninit.training.evaluation.pair_cases import IMAGED, PairCase, Source
from fusioninit.training.evaluation.phantom_pairs import PhantomPairs
from fusioninit.training.evaluation.records import Failure, Records, Way
from fusioninit.training.evaluation.registering import (
    TRUE_RIGID_PART,
    Inputs,
    References,
    automatic_inputs,
    given_inputs,
    register,
    ways,
)

_log = logging.getLogger(__name__)

Detections = dict[Space, Detection]
"""What one method found in the images of a case."""

PROGRESS_EVERY = 10
"""Cases between two lines of progress."""


@dataclass
class Comparison:
    """Measures what the configuration asks for; `records` then hold every answer.

    Raises
    ------
    InputError
        Weights are missing or damaged, or a folder holds no pairs.
    """

    config: ComparisonConfig
    records: Records = field(default_factory=Records)

    def __post_init__(self) -> None:
        if self.config.threads is not None:
            torch.set_num_threads(self.config.threads)
        self.sources = self._sources()
        for source in self.sources:
            # counting finds a folder without cases before the first is measured
            _log.info("%s: %d cases", source.name, len(source))
        device = "cpu" if self.config.device == "cpu" else None
        detecting = any(source.detects for source in self.sources)
        sections = self.config.methods if detecting else ()
        self.methods = [Method.load(section, device=device) for section in sections]

    def _sources(self) -> list[Source]:
        phantom = self.config.phantom
        first = [] if phantom is None else [_phantom_pairs(phantom)]
        pairs = [LabelFolder(section) for section in self.config.pairs]
        return [*first, *pairs, *(ImageList(section) for section in self.config.images)]

    @property
    def registering(self) -> Method | None:
        """The method whose landmarks are registered."""
        wanted = self.config.register_with
        for method in self.methods:
            if method.is_complete and wanted in (None, method.name):
                return method
        return None

    def run(self) -> Records:
        """Measure every case of every source, as far as the time given to it goes."""
        for source in self.sources:
            self.records.counts[source.name] = 0
            end = time.monotonic() + self._seconds_for(source)
            with closing(self._measured(source)) as measured:
                for done, rows in enumerate(measured, start=1):
                    self.records.extend(rows)
                    if done % PROGRESS_EVERY == 0:
                        _log.info("%s: %d of %d cases", source.name, done, len(source))
                    if time.monotonic() > end:
                        break
        return self.records

    def measure(self, source_number: int, number: int) -> Records:
        """The rows of one case of one source, or why it cannot be used."""
        source, rows = self.sources[source_number], Records()
        try:
            case = source.case(number)
        except InputError as error:
            _fail(rows, source, str(number), str(error))
            return rows
        rows.counts[source.name] = 1
        found = self._detect(rows, source, case)
        if len(case.glands) == len(IMAGED):
            self._register(rows, source, case, found)
        return rows

    def _seconds_for(self, source: Source) -> float:
        phantom = self.config.phantom
        minutes = phantom.max_minutes if phantom and isinstance(source, PhantomPairs) else None
        return 60 * (minutes or float("inf"))

    def _measured(self, source: Source) -> Generator[Records]:
        """Rows case by case, in order, from this process or from several."""
        one = partial(self.measure, self.sources.index(source))
        if self.config.workers == 1:
            yield from map(one, range(len(source)))
            return
        config = self.config.model_copy(update={"workers": 1, "threads": 1})
        with ProcessPoolExecutor(
            self.config.workers, get_context("spawn"), _start_worker, (config,)
        ) as pool:
            try:
                source_numbers = [self.sources.index(source)] * len(source)
                yield from pool.map(_measure_in_worker, source_numbers, range(len(source)))
            finally:
                pool.shutdown(cancel_futures=True)

    def _detect(self, rows: Records, source: Source, case: PairCase) -> dict[str, Detections]:
        found: dict[str, Detections] = {}
        for method in self.methods if source.detects else ():
            try:
                found[method.name] = method.detect(case)
            except InputError as error:
                _fail(rows, source, case.name, f"{method.name}: {error}")
                continue
            for detection in found[method.name].values():
                rows.landmarks += landmark_errors(source.name, case, method.name, detection)
                rows.two_answers += two_answers(source.name, case, method.name, detection)
                if detection.landmarks.space in case.glands:
                    rows.glands.append(gland_overlap(source.name, case, method.name, detection))
        return found

    def _register(
        self, rows: Records, source: Source, case: PairCase, found: dict[str, Detections]
    ) -> None:
        registering = self.registering
        automatic = found.get(registering.name) if registering else None
        references = References(case)
        if case.us_from_mr is not None:
            rows.attempts.append(references.attempt(source.name, TRUE_RIGID_PART, case.us_from_mr))
        if source.detects:
            rows.manual += many_observers(
                source.name,
                references,
                observer_difference_mm=self.config.observer_difference_mm,
            )
        for way, inputs in chain(
            self._automatic(automatic_inputs(automatic)) if automatic else (),
            self._manual(case) if source.detects else self._given(given_inputs(case, references)),
        ):
            attempt, targets = register(source.name, references, inputs, way)
            rows.attempts.append(attempt)
            rows.targets += targets

    def _automatic(self, inputs: Inputs) -> Iterator[tuple[Way, Inputs]]:
        for way in ways("automatic", self.config.estimators, glands="predicted"):
            yield way, inputs

    def _given(self, inputs: Inputs) -> Iterator[tuple[Way, Inputs]]:
        for way in ways("given", self.config.estimators, glands="given"):
            yield way, inputs

    def _manual(self, case: PairCase) -> Iterator[tuple[Way, Inputs]]:
        inputs = manual_inputs(case, observer_difference_mm=self.config.observer_difference_mm)
        for way in ways("manual", MANUAL_ESTIMATORS):
            yield way, inputs


def _phantom_pairs(section: PhantomSection) -> PhantomPairs:
    return PhantomPairs(section.count, section.coarsening, section.first_seed)


def _fail(rows: Records, source: Source, case: str, reason: str) -> None:
    _log.warning("%s, case %s: %s", source.name, case, reason)
    rows.failures.append(Failure(source.name, case, reason))


_workers_own: list[Comparison] = []
"""In a worker process: its comparison, with the networks loaded once."""


def _start_worker(config: ComparisonConfig) -> None:
    _workers_own.append(Comparison(config))


def _measure_in_worker(source_number: int, number: int) -> Records:
    return _workers_own[0].measure(source_number, number)
