"""The networks that ship with the program, loaded once and kept."""

from __future__ import annotations

from functools import cache

from fusioninit.detection.predict import Cancelled, Detection, LandmarkPredictor, Progress
from fusioninit.geometry import Space
from fusioninit.imaging.volume import Volume


def predict_landmarks(
    volume: Volume, *, progress: Progress | None = None, cancelled: Cancelled | None = None
) -> Detection:
    """Landmarks (LPS mm) and gland of `volume`, by the bundled network of its space.

    `progress` hears a fraction and a word per stage; `cancelled` is polled between stages.

    Raises
    ------
    InputError
        The volume is empty, constant or far too small, or the installation is damaged.
    """
    return _predictor(volume.space).predict(volume, progress=progress, cancelled=cancelled)


@cache
def _predictor(space: Space) -> LandmarkPredictor:
    return LandmarkPredictor.from_bundled(space)
