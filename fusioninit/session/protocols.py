"""What the session and the window need from outside. `app` hands in the real things."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from fusioninit.geometry import Space
from fusioninit.imaging.stated_geometry import StatedGeometry
from fusioninit.imaging.volume import Volume
from fusioninit.landmarks import LandmarkSet
from fusioninit.state import Case

Progress = Callable[[float, str], None]
"""Called with a fraction 0 to 1 and what is being done."""

Cancelled = Callable[[], bool]
"""Polled between stages; true when the answer is no longer wanted."""


class Detection(Protocol):
    """What a predictor answers."""

    @property
    def landmarks(self) -> LandmarkSet: ...
    @property
    def gland(self) -> Volume | None: ...
    @property
    def second(self) -> LandmarkSet | None: ...
    @property
    def quality(self) -> Mapping[str, Any]: ...


class LandmarkPredictor(Protocol):
    """Finds landmarks (and the gland) in a volume of either space. Called off the GUI thread."""

    def __call__(
        self, volume: Volume, *, progress: Progress, cancelled: Cancelled
    ) -> Detection: ...


class VolumeReader(Protocol):
    """Reads a volume, or raises InputError with one sentence. Called off the GUI thread."""

    def __call__(
        self,
        path: Path,
        *,
        space: Space,
        series_uid: str | None = None,
        cancelled: Cancelled | None = None,
        stated: StatedGeometry | None = None,
    ) -> Volume: ...


class CaseExporter(Protocol):
    """Writes everything that leaves, verified, into a folder. Called off the GUI thread.

    Who the patient is leaves only where `keep_identity` is true.
    """

    def __call__(
        self,
        case: Case,
        folder: Path,
        *,
        keep_identity: bool,
        progress: Progress,
        cancelled: Cancelled,
    ) -> Mapping[str, Path]: ...
