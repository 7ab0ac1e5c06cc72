"""Asks networks about the images of a case and compares their answers with the truth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fusioninit.detection.predict import Detection, LandmarkPredictor
from fusioninit.errors import InputError
from fusioninit.geometry import RigidTransform, Space
from fusioninit.registration.metrics import dice, mask_on_grid
from fusioninit.training.evaluation.config import BUNDLED, MethodSection
from fusioninit.training.evaluation.pair_cases import PairCase
from fusioninit.training.evaluation.records import GlandOverlap, LandmarkError, TwoAnswers


@dataclass(frozen=True)
class Method:
    """Networks under one name."""

    name: str
    predictors: dict[Space, LandmarkPredictor]

    @classmethod
    def load(cls, section: MethodSection, *, device: str | None = None) -> Method:
        """The networks that the configuration names.

        Raises
        ------
        InputError
            Weights are missing, damaged, or of the other modality.
        """
        named = {
            Space.MR: (section.mr, section.second_mr),
            Space.US: (section.us, section.second_us),
        }
        return cls(
            section.name,
            {
                space: _predictor(space, weights, second, device)
                for space, (weights, second) in named.items()
                if weights is not None
            },
        )

    @property
    def is_complete(self) -> bool:
        """Whether both modalities can be detected."""
        return len(self.predictors) == 2

    @property
    def weights_line(self) -> str:
        """Names and hashes, as tables' headings state them."""
        parts = [
            f"{space.upper()} {_identity(predictor)}"
            for space, predictor in self.predictors.items()
        ]
        return f"{self.name}: {', '.join(parts)}"

    def detect(self, case: PairCase) -> dict[Space, Detection]:
        """Answers for the images the case has; InputError where one cannot be used."""
        return {
            space: predictor.predict(case.images[space])
            for space, predictor in self.predictors.items()
            if space in case.images
        }


def landmark_errors(
    source: str, case: PairCase, method: str, detection: Detection
) -> list[LandmarkError]:
    """A row for each true landmark of the detection's space."""
    found, space = detection.landmarks, detection.landmarks.space
    rows = []
    for name, true in case.landmarks[space].items():
        if name not in found:
            continue
        gap = found[name].position_mm - true.position_mm
        distance2 = float(gap @ np.linalg.solve(found[name].covariance_mm2, gap))
        inside = bool(case.images[space].grid.contains(true.position_mm))
        error, (x, y, z) = float(np.linalg.norm(gap)), gap.tolist()
        key = (source, case.name, method, str(space), name)
        rows.append(LandmarkError(*key, error, x, y, z, distance2, inside))
    return rows


def two_answers(source: str, case: PairCase, method: str, detection: Detection) -> list[TwoAnswers]:
    """A row for each true landmark that two networks found; none where only one looked."""
    found, second, space = detection.landmarks, detection.second, detection.landmarks.space
    rows = []
    for name, true in case.landmarks[space].items():
        if second is None or name not in found or name not in second:
            continue
        positions = found[name].position_mm, second[name].position_mm
        errors = [
            float(np.linalg.norm(position - true.position_mm))
            for position in (*positions, np.mean(positions, axis=0))
        ]
        apart = float(np.linalg.norm(np.subtract(*positions)))
        rows.append(TwoAnswers(source, case.name, method, str(space), name, apart, *errors))
    return rows


def gland_overlap(source: str, case: PairCase, method: str, detection: Detection) -> GlandOverlap:
    """Dice with the true mask on the network's grid; 0 where no gland was found."""
    space = detection.landmarks.space
    overlap = 0.0
    if detection.gland is not None:
        true = case.glands[space]
        here = mask_on_grid(
            true.voxels,
            true.grid,
            onto=detection.gland.grid,
            onto_from_mask=RigidTransform.identity(space, space),
        )
        overlap = dice(here, detection.gland.voxels)
    return GlandOverlap(source, case.name, method, str(space), overlap)


def _identity(predictor: LandmarkPredictor) -> str:
    own = f"{predictor.card.name} sha256 {predictor.card.sha256[:12]}"
    return own if predictor.second is None else f"{own} with {_identity(predictor.second)}"


def _predictor(
    space: Space, weights: str, second_weights: str | None, device: str | None
) -> LandmarkPredictor:
    second = None
    if second_weights is not None:
        second = _from_files(space, second_weights, device=device)
    if weights != BUNDLED:
        return _from_files(space, weights, device=device, second=second)
    if second is None:
        return LandmarkPredictor.from_bundled(space, device=device)
    return LandmarkPredictor.from_bundled(space, device=device, second=second)


def _from_files(space: Space, weights: str, **options: Any) -> LandmarkPredictor:
    predictor = LandmarkPredictor.from_files(Path(weights), **options)
    if predictor.card.space is not space:
        raise InputError(
            f"{weights}: these are weights for {predictor.card.space.upper()}, "
            f"given as {space.upper()}; exchange them"
        )
    return predictor
