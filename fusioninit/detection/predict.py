"""Landmarks and gland of a volume, with covariances, a judgement of quality, and timings.

The volume is resampled upright around its centre and looked at; then it is looked at again around
the gland that was found, from slightly shifted grids, and the looks are averaged. A second network,
where there is one, looks once around that gland: how far its answer lies apart is part of the
judgement.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from fusioninit.bundled import has_model, model_path
from fusioninit.detection.looks import Eye, Look, merged
from fusioninit.detection.normalise import network_input
from fusioninit.detection.quality import check_volume, judge
from fusioninit.detection.unet import LandmarkNetwork
from fusioninit.detection.weights import Calibration, ModelCard, card_path, load_model
from fusioninit.errors import InputError
from fusioninit.geometry import Space
from fusioninit.imaging.volume import Volume, VolumeSource
from fusioninit.landmarks import Landmark, LandmarkSet, Source
from fusioninit.registration.disagreement import Disagreement, compare_answers

Progress = Callable[[float, str], None]
Cancelled = Callable[[], bool]
FloatArray = NDArray[np.float64]

FAR_MM = 15.0
"""A first look whose gland lies farther than this from the grid's centre is not averaged in."""

LOOK_SHIFTS_MM = ((0.0, 0.0, 0.0), (3.0, -3.0, 3.0))
"""Grid centres of the later looks, from the centre of the gland: the stem's stride is 4 mm."""

CONFIDENT_MM = 5.0
"""Confidence is the probability that the error is smaller than this."""


class DetectionCancelledError(InputError):
    """The answer was no longer wanted."""


@dataclass(frozen=True)
class Detection:
    """What the networks found.

    Parameters
    ----------
    landmarks : LandmarkSet
        Positions in LPS mm, calibrated covariances, confidences.
    gland : Volume or None
        0 and 1 (uint8) on the network's grid.
    quality : dict
        "ok" (bool), "warnings" and "notes" (lists of one sentence each), and the figures behind
        them.
    seconds : dict
        Time per stage.
    model_name, sha256 : str
        Which weights answered.
    second : LandmarkSet or None
        The second network's answer; None where only one looked.
    """

    landmarks: LandmarkSet
    gland: Volume | None
    quality: dict[str, Any]
    seconds: dict[str, float] = field(default_factory=dict)
    model_name: str = ""
    sha256: str = ""
    second: LandmarkSet | None = None

    @property
    def disagreement(self) -> Disagreement | None:
        """How far both networks' answers lie apart; None where only one looked."""
        return None if self.second is None else compare_answers(self.landmarks, self.second)

    @property
    def model(self) -> dict[str, str]:
        """Name and hash, as `fusioninit detect --json` gives them."""
        return {"name": self.model_name, "sha256": self.sha256}


class LandmarkPredictor:
    """Finds landmarks and gland in volumes of one space.

    Parameters
    ----------
    network : LandmarkNetwork
    card : ModelCard
    device : str, optional
        "cuda" where available, else "cpu".
    mirrored : bool
        Average over the image and its mirror image.
    repeated : bool
        Look again around the gland.
    second : LandmarkPredictor, optional
        Asked for its landmarks too, of the gland that this one found.
    """

    def __init__(
        self,
        network: LandmarkNetwork,
        card: ModelCard,
        *,
        device: str | None = None,
        mirrored: bool = True,
        repeated: bool = True,
        second: LandmarkPredictor | None = None,
    ) -> None:
        self.card = card
        self.second = second
        self._repeated = repeated
        self._correlation = card.error_correlation
        self._eye = Eye(
            network,
            card.input_grid,
            device=device or ("cuda" if torch.cuda.is_available() else "cpu"),
            method=card.method,
            mirrored=mirrored,
        )

    @classmethod
    def from_bundled(cls, space: Space, **options: Any) -> LandmarkPredictor:
        """The predictor with the weights that ship, and the second ones unless one is given."""
        if "second" not in options and has_model(f"second-{space}.safetensors"):
            options["second"] = cls(*_bundled(f"second-{space}"), **options)
        return cls(*_bundled(f"landmarks-{space}"), **options)

    @classmethod
    def from_files(cls, weights: Path, **options: Any) -> LandmarkPredictor:
        """The predictor with these weights and the card beside them."""
        network, card = load_model(weights, card_path(weights))
        return cls(network, card, **options)

    def __call__(self, volume: Volume, *, progress: Progress, cancelled: Cancelled) -> Detection:
        """As the session's protocol wants it; see `predict`."""
        return self.predict(volume, progress=progress, cancelled=cancelled)

    def predict(
        self,
        volume: Volume,
        *,
        progress: Progress | None = None,
        cancelled: Cancelled | None = None,
    ) -> Detection:
        """Find the landmarks and the gland of `volume`.

        Raises
        ------
        InputError
            The volume is of the other space, empty, constant, or far too small.
        DetectionCancelledError
            `cancelled` said so between two stages.
        """
        stages = _Stages(progress, cancelled)
        stages.begin(0.05, "checking the volume", "check")
        check_volume(volume, self.card.space)
        answer = self.examine(volume, stages)
        second = None
        if self.second is not None:
            stages.begin(0.85, "asking the second network", "second network")
            second = self.second.glance(volume, answer.grid.center_mm)
        stages.begin(0.9, "judging the answer", "judge")
        landmarks = self._landmarks(answer)
        gland = self._gland(answer, volume)
        quality = {
            **judge(volume, landmarks, gland, answer.mirror_difference_mm, second),
            "second_model": None if self.second is None else self.second.card.identity,
        }
        seconds = stages.finish()
        identity = self.card.name, self.card.sha256
        return Detection(landmarks, gland, quality, seconds, *identity, second)

    def glance(self, volume: Volume, center_mm: FloatArray) -> LandmarkSet:
        """Landmarks from one look with the grid's middle at `center_mm` (LPS)."""
        image, grid = network_input(volume, self.card.input_grid, center_mm)
        return self._landmarks(self._eye.look(image, grid))

    def examine(self, volume: Volume, stages: _Stages | None = None) -> Look:
        """All looks at `volume`, merged, not yet calibrated."""
        stages = stages or _Stages(None, None)
        stages.begin(0.1, "resampling", "resample")
        image, grid = network_input(volume, self.card.input_grid)
        stages.begin(0.3, "looking for landmarks", "first look")
        first = self._eye.look(image, grid)
        center_mm = first.gland_center_mm() if self._repeated else None
        if center_mm is None:
            return first
        near = np.linalg.norm(center_mm - grid.center_mm) <= FAR_MM
        looks = [first] if near else []
        stages.begin(0.5, "looking again around the gland", "later looks")
        # the unshifted look comes last: its grid is centred on the gland
        for shift_mm in reversed(LOOK_SHIFTS_MM):
            at_mm = center_mm + np.array(shift_mm)
            image, grid = network_input(volume, self.card.input_grid, at_mm)
            looks.append(self._eye.look(image, grid))
        return merged(looks)

    def _landmarks(self, answer: Look) -> LandmarkSet:
        covariances = calibrated(answer.spread_mm2, self.card.calibration)
        provenance = f"{self.card.name} {self.card.sha256[:12]}"
        marks = [
            Landmark(
                name,
                answer.position_mm[number],
                covariances[number],
                Source.PREDICTED,
                confidence(covariances[number]),
                provenance=provenance,
            )
            for number, name in enumerate(self.card.landmark_names)
        ]
        return LandmarkSet(self.card.space, tuple(marks), self._correlation)

    def _gland(self, answer: Look, volume: Volume) -> Volume | None:
        if answer.gland_logit is None:
            return None
        grid = answer.grid
        mask = answer.gland_mask() & volume.grid.contains(grid.points_mm())
        source = VolumeSource(format="predicted", description=f"gland by {self.card.name}")
        return Volume(mask.astype(np.uint8), grid, volume.space, source)


def _bundled(stem: str) -> tuple[LandmarkNetwork, ModelCard]:
    return load_model(model_path(f"{stem}.safetensors"), model_path(f"{stem}.json"))


def calibrated(spread_mm2: FloatArray, calibration: Calibration) -> FloatArray:
    """Covariances of the error, (..., L, 3, 3) mm^2, from the heatmaps' spreads."""
    scale = np.array(calibration.scale)[:, None, None]
    floor = np.array(calibration.floor_mm2)[:, None, None]
    return scale * spread_mm2 + floor * np.eye(3)


def confidence(covariance_mm2: FloatArray) -> float:
    """Probability that an error of this covariance, taken as isotropic, is below 5 mm."""
    variance = max(float(np.trace(covariance_mm2)) / 3, 1e-6)
    # chi-square of 3 degrees of freedom: P(x) = gammainc(3/2, x/2)
    return float(
        torch.special.gammainc(torch.tensor(1.5), torch.tensor(CONFIDENT_MM**2 / variance / 2))
    )


class _Stages:
    """Reports progress, polls for cancellation and takes times between stages."""

    def __init__(self, progress: Progress | None, cancelled: Cancelled | None) -> None:
        self._progress, self._cancelled = progress, cancelled
        self._seconds: dict[str, float] = {}
        self._start = self._last = time.perf_counter()
        self._name = ""

    def begin(self, fraction: float, text: str, name: str) -> None:
        """Start a stage, unless the answer is no longer wanted."""
        self._close()
        if self._cancelled is not None and self._cancelled():
            raise DetectionCancelledError("detection was cancelled")
        if self._progress is not None:
            self._progress(fraction, text)
        self._name = name

    def finish(self) -> dict[str, float]:
        """End the last stage; seconds per stage and in total."""
        self._close()
        if self._progress is not None:
            self._progress(1.0, "done")
        return {**self._seconds, "total": round(time.perf_counter() - self._start, 4)}

    def _close(self) -> None:
        now = time.perf_counter()
        if self._name:
            self._seconds[self._name] = round(now - self._last, 4)
        self._last = now
