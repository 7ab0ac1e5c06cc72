"""What is measured, one row per answer: plain values that tables and CSV files are made from."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class LandmarkError:
    """One landmark found in one image.

    `x_mm`, `y_mm`, `z_mm` are found minus true position (LPS), `error_mm` their length,
    `distance2` is the squared Mahalanobis distance of the error under the claimed covariance,
    `inside` whether the true point lies in the image at all.
    """

    source: str
    case: str
    method: str
    space: str
    landmark: str
    error_mm: float
    x_mm: float
    y_mm: float
    z_mm: float
    distance2: float
    inside: bool


@dataclass(frozen=True)
class TwoAnswers:
    """One landmark that two networks found in one image.

    `apart_mm` is the distance of their answers, the others are the errors of the first, of the
    second and of the mean of both.
    """

    source: str
    case: str
    method: str
    space: str
    landmark: str
    apart_mm: float
    error_mm: float
    second_error_mm: float
    mean_error_mm: float


@dataclass(frozen=True)
class GlandOverlap:
    """One gland found in one image: Dice with the true mask, 0 where none was found."""

    source: str
    case: str
    method: str
    space: str
    dice: float


@dataclass(frozen=True)
class Way:
    """How a registration came about.

    Parameters
    ----------
    points : str
        "automatic" (detected), "manual" (true points with an observer's error), "given", or
        "reference" (no points: the true transform itself).
    glands : str
        "none", "predicted" or "given".
    estimator : str
        One of `fusioninit.registration.ESTIMATORS`.
    """

    points: str
    glands: str
    estimator: str

    @property
    def label(self) -> str:
        """As tables show it: "automatic, auto with predicted glands"."""
        glands = "" if self.glands == "none" else f" with {self.glands} glands"
        return f"{self.points}, {self.estimator}{glands}"


@dataclass(frozen=True)
class Attempt:
    """One registration against the references; NaN where there is no reference or no answer.

    `sre_mm` and `rotation_deg` are against ICP between the true glands (the paper's T_gt),
    `sre_truth_mm` and `rotation_truth_deg` against the true rigid transform.
    """

    source: str
    case: str
    points: str
    glands: str
    estimator: str
    sre_mm: float
    sre_truth_mm: float
    rotation_deg: float
    rotation_truth_deg: float
    dice: float
    unsolved: str = ""

    @property
    def way(self) -> Way:
        """How it came about."""
        return Way(self.points, self.glands, self.estimator)


@dataclass(frozen=True)
class ManualErrors:
    """Mean errors of one case over many simulated observers' three points.

    `sre_mm` is against ICP between the true glands, `sre_truth_mm` against the true transform.
    """

    source: str
    case: str
    estimator: str
    draws: int
    sre_mm: float
    sre_truth_mm: float


@dataclass(frozen=True)
class TargetError:
    """Predicted and actual registration error at one place that took no part in the fit."""

    source: str
    case: str
    points: str
    glands: str
    estimator: str
    target: int
    actual_mm: float
    predicted_mm: float
    predicted_95_mm: float

    @property
    def way(self) -> Way:
        """How the registration came about."""
        return Way(self.points, self.glands, self.estimator)


@dataclass(frozen=True)
class Failure:
    """A case that could not be used, and why in one sentence."""

    source: str
    case: str
    reason: str


Row = LandmarkError | TwoAnswers | GlandOverlap | Attempt | ManualErrors | TargetError | Failure
R = TypeVar("R", bound=Row)


@dataclass
class Records:
    """All rows of one comparison, in the order they were measured."""

    landmarks: list[LandmarkError] = field(default_factory=list)
    two_answers: list[TwoAnswers] = field(default_factory=list)
    glands: list[GlandOverlap] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    manual: list[ManualErrors] = field(default_factory=list)
    targets: list[TargetError] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    """Cases measured, by source."""

    def extend(self, other: Records) -> None:
        """Add the rows and counts of `other` behind these."""
        for kind in fields(self):
            rows = getattr(other, kind.name)
            if isinstance(rows, list):
                getattr(self, kind.name).extend(rows)
        for source, count in other.counts.items():
            self.counts[source] = self.counts.get(source, 0) + count

    def write_csv(self, folder: Path) -> None:
        """One file per kind of row, those without rows left out."""
        for kind in fields(self):
            rows = getattr(self, kind.name)
            if isinstance(rows, list) and rows:
                _write_rows(folder / f"{kind.name}.csv", rows)


def where(rows: Iterable[R], **wanted: Any) -> list[R]:
    """The rows whose attributes equal `wanted`."""
    return [row for row in rows if all(getattr(row, key) == v for key, v in wanted.items())]


def column(rows: Iterable[R], value: Callable[[R], float] | str) -> NDArray[np.float64]:
    """(N,) one number of each row: an attribute's name, or a function of the row."""
    if isinstance(value, str):
        return np.array([getattr(row, value) for row in rows], dtype=np.float64)
    return np.array([value(row) for row in rows], dtype=np.float64)


def by_case(rows: Iterable[R], value: str) -> dict[str, float]:
    """Mean of an attribute per case."""
    collected: dict[str, list[float]] = {}
    for row in rows:
        collected.setdefault(row.case, []).append(float(getattr(row, value)))
    return {case: float(np.mean(values)) for case, values in collected.items()}


def unique(values: Iterable[Any]) -> list[Any]:
    """Distinct values in the order of first appearance."""
    return list(dict.fromkeys(values))


def _write_rows(path: Path, rows: Sequence[Row]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [item.name for item in fields(rows[0])])
        writer.writeheader()
        for row in rows:
            writer.writerow({key: _short(value) for key, value in asdict(row).items()})


def _short(value: Any) -> Any:
    return round(value, 4) if isinstance(value, float) else value
