"""One comparison from configuration to tables, readable from top to bottom."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain

import torch

from fusioninit.errors import InputError
from fusioninit.training.evaluation.config import ComparisonConfig
from fusioninit.training.evaluation.detecting import Method, gland_overlap, landmark_errors
from fusioninit.training.evaluation.label_folder import LabelFolder
from fusioninit.training.evaluation.pair_cases import PairCase, Source
from fusioninit.training.evaluation.phantom_pairs import PhantomPairs
from fusioninit.training.evaluation.records import Failure, Records, Way
from fusioninit.training.evaluation.registering import (
    MANUAL_ESTIMATORS,
    TRUE_RIGID_PART,
    Inputs,
    References,
    automatic_inputs,
    given_inputs,
    manual_inputs,
    register,
    ways,
)

_log = logging.getLogger(__name__)

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
        first = [] if phantom is None else [PhantomPairs(phantom.count, phantom.coarsening)]
        return [*first, *(LabelFolder(section) for section in self.config.pairs)]

    @property
    def registering(self) -> Method | None:
        """The method whose landmarks are registered."""
        wanted = self.config.register_with
        for method in self.methods:
            if method.is_complete and wanted in (None, method.name):
                return method
        return None

    def run(self) -> Records:
        """Measure every case of every source."""
        for source in self.sources:
            self.records.counts[source.name] = 0
            for number, case in self._cases(source):
                self._measure(source, case)
                self.records.counts[source.name] += 1
                if (number + 1) % PROGRESS_EVERY == 0:
                    _log.info("%s: %d of %d cases", source.name, number + 1, len(source))
        return self.records

    def _cases(self, source: Source) -> Iterator[tuple[int, PairCase]]:
        """The usable cases, until the time given to the source is over."""
        phantom = self.config.phantom
        minutes = phantom.max_minutes if phantom and isinstance(source, PhantomPairs) else None
        end = time.monotonic() + 60 * (minutes or float("inf"))
        for number in range(len(source)):
            if time.monotonic() > end:
                return
            try:
                yield number, source.case(number)
            except InputError as error:
                self._fail(source, str(number), str(error))

    def _measure(self, source: Source, case: PairCase) -> None:
        detections = {}
        for method in self.methods if source.detects else ():
            try:
                detections[method.name] = method.detect(case)
            except InputError as error:
                self._fail(source, case.name, f"{method.name}: {error}")
                continue
            for detection in detections[method.name].values():
                self.records.landmarks += landmark_errors(source.name, case, method.name, detection)
                self.records.glands.append(gland_overlap(source.name, case, method.name, detection))
        registering = self.registering
        found = detections.get(registering.name) if registering else None
        references = References(case)
        if case.us_from_mr is not None:
            self.records.attempts.append(
                references.attempt(source.name, TRUE_RIGID_PART, case.us_from_mr)
            )
        for way, inputs in chain(
            self._automatic(automatic_inputs(found)) if found else (),
            self._manual(case) if source.detects else self._given(given_inputs(case, references)),
        ):
            attempt, targets = register(source.name, references, inputs, way)
            self.records.attempts.append(attempt)
            self.records.targets += targets

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

    def _fail(self, source: Source, case: str, reason: str) -> None:
        _log.warning("%s, case %s: %s", source.name, case, reason)
        self.records.failures.append(Failure(source.name, case, reason))
