"""The networks that ship with the program, or others from files; loaded once and kept."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from fusioninit.detection.predict import Cancelled, Detection, LandmarkPredictor, Progress
from fusioninit.geometry import Space
from fusioninit.imaging.volume import Volume


def predict_landmarks(
    volume: Volume,
    *,
    weights: Path | None = None,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> Detection:
    """Landmarks (LPS mm) and gland of `volume`, by the network of its space.

    `weights` is a safetensors file with its card beside it, as training writes them, and answers
    alone; without it the bundled network answers, and the second bundled one is compared with it
    (`Detection.second`, `Detection.disagreement`). `progress` hears a fraction and a word per
    stage; `cancelled` is polled between stages.

    Raises
    ------
    InputError
        The volume is empty, constant or far too small; the weights cannot be used, or are for
        the other space; or the installation is damaged.
    """
    predictor = _predictor(volume.space, None if weights is None else weights.resolve())
    return predictor.predict(volume, progress=progress, cancelled=cancelled)


@cache
def _predictor(space: Space, weights: Path | None) -> LandmarkPredictor:
    if weights is None:
        return LandmarkPredictor.from_bundled(space)
    return LandmarkPredictor.from_files(weights)
