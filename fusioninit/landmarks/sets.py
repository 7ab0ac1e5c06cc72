"""A landmark and an immutable set of them in one space. A change is a new set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fusioninit.geometry import Space
from fusioninit.landmarks.error_correlation import ErrorCorrelation
from fusioninit.landmarks.names import ALL_NAMES, LandmarkName

FloatArray = NDArray[np.float64]

DEFAULT_SD_MM = 3.0
"""Observer standard deviation per axis of a hand-placed landmark, where nothing better is known."""

_CHI2_95 = 7.815
"""95 % quantile of chi-square with 3 degrees of freedom."""


class Source(StrEnum):
    """Who put a landmark where it is."""

    PREDICTED = "predicted"
    EDITED = "edited"
    CONFIRMED = "confirmed"


@dataclass(frozen=True, eq=False)
class Landmark:
    """One named point.

    Parameters
    ----------
    name : str
        One of `fusioninit.landmarks.ALL_NAMES`.
    position_mm : (3,) array
        LPS mm in the set's space.
    covariance_mm2 : (3, 3) array
        Uncertainty of the position; symmetric, positive definite.
    source : Source
    confidence : float
        0 to 1; 1 for a point placed by a person.
    locked : bool
        A locked landmark refuses moves until it is unlocked.
    provenance : str
        Free text: the model's name and hash, or the reader.

    Raises
    ------
    ValueError
        Unknown name, or a position or covariance that is not finite or has a wrong shape.
    """

    name: LandmarkName
    position_mm: FloatArray
    covariance_mm2: FloatArray = field(
        default_factory=lambda: np.eye(3) * DEFAULT_SD_MM**2, repr=False
    )
    source: Source = Source.EDITED
    confidence: float = 1.0
    locked: bool = False
    provenance: str = ""

    def __post_init__(self) -> None:
        if self.name not in ALL_NAMES:
            known = ", ".join(ALL_NAMES)
            raise ValueError(f"unknown landmark '{self.name}': expected one of {known}")
        for attribute, want in (("position_mm", (3,)), ("covariance_mm2", (3, 3))):
            value = np.array(getattr(self, attribute), dtype=np.float64)
            if value.shape != want or not np.isfinite(value).all():
                raise ValueError(
                    f"landmark {self.name}: {attribute} must be finite with shape {want}"
                )
            value.setflags(write=False)
            object.__setattr__(self, attribute, value)

    @property
    def sd_mm(self) -> float:
        """Root mean variance over the three axes."""
        return float(np.sqrt(np.trace(self.covariance_mm2) / 3))

    def region_outline_mm(self, axes: ArrayLike, *, points: int = 32) -> FloatArray:
        """(points, 2) outline of the 95 % region's shadow on a plane, about the position.

        `axes` (2, 3) are the plane's unit world directions. The region is the ellipsoid that
        holds the true point with probability 0.95 (chi-square, 3 degrees of freedom, 7.815).
        """
        directions = np.asarray(axes, dtype=np.float64)
        shadow = directions @ self.covariance_mm2 @ directions.T
        turn = np.linspace(0, 2 * np.pi, points, endpoint=False)
        circle = np.sqrt(_CHI2_95) * np.stack([np.cos(turn), np.sin(turn)])
        outline = np.linalg.cholesky(shadow + 1e-9 * np.eye(2)) @ circle
        return np.asarray(outline.T, dtype=np.float64)

    def region_from_unit_mm(self) -> FloatArray:
        """(3, 3) matrix that takes the unit sphere to the 95 % region, about the position."""
        root = np.linalg.cholesky(self.covariance_mm2 + 1e-9 * np.eye(3))
        return np.asarray(np.sqrt(_CHI2_95) * root, dtype=np.float64)

    def at(self, position_mm: ArrayLike, *, source: Source = Source.EDITED) -> Landmark:
        """The same landmark moved by a person: full confidence, the observer's covariance."""
        return replace(
            self,
            position_mm=np.asarray(position_mm, dtype=np.float64),
            covariance_mm2=np.eye(3) * DEFAULT_SD_MM**2,
            source=source,
            confidence=1.0,
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Landmark):
            return NotImplemented
        return (
            (self.name, self.source, self.confidence, self.locked, self.provenance)
            == (other.name, other.source, other.confidence, other.locked, other.provenance)
            and np.array_equal(self.position_mm, other.position_mm)
            and np.array_equal(self.covariance_mm2, other.covariance_mm2)
        )

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, eq=False)
class LandmarkSet(Mapping[LandmarkName, Landmark]):
    """Landmarks of one space, by name, in the order of `ALL_NAMES`. Immutable.

    `correlation` is that of the errors of predicted landmarks, where their network's card states
    it; those that a person placed or confirmed err on their own, whatever it says of their names.

    >>> marks = LandmarkSet(Space.US).with_position("apex", [1, 2, 3])
    >>> marks["apex"].position_mm
    array([1., 2., 3.])
    """

    space: Space
    landmarks: tuple[Landmark, ...] = ()
    correlation: ErrorCorrelation | None = None

    def __post_init__(self) -> None:
        names = [landmark.name for landmark in self.landmarks]
        if len(set(names)) != len(names):
            raise ValueError(f"a landmark set holds each name once, found {names}")
        ordered = tuple(sorted(self.landmarks, key=lambda mark: ALL_NAMES.index(mark.name)))
        object.__setattr__(self, "landmarks", ordered)

    @classmethod
    def from_positions(
        cls,
        space: Space,
        positions_mm: Mapping[LandmarkName, ArrayLike],
        *,
        source: Source = Source.EDITED,
        provenance: str = "",
    ) -> LandmarkSet:
        """A set from plain positions (LPS mm)."""
        return cls(
            space,
            tuple(
                Landmark(
                    name, np.asarray(xyz, dtype=np.float64), source=source, provenance=provenance
                )
                for name, xyz in positions_mm.items()
            ),
        )

    def __getitem__(self, name: LandmarkName) -> Landmark:
        for landmark in self.landmarks:
            if landmark.name == name:
                return landmark
        raise KeyError(name)

    def __iter__(self) -> Iterator[LandmarkName]:
        return (landmark.name for landmark in self.landmarks)

    def __len__(self) -> int:
        return len(self.landmarks)

    def positions_mm(self, names: Iterable[LandmarkName] | None = None) -> FloatArray:
        """(N, 3) positions in the order of `names` (default: the set's own order)."""
        chosen = list(self) if names is None else list(names)
        return np.array([self[name].position_mm for name in chosen]).reshape(-1, 3)

    def with_landmark(self, landmark: Landmark) -> LandmarkSet:
        """A set in which `landmark` replaces the one of its name, or is added."""
        rest = tuple(mark for mark in self.landmarks if mark.name != landmark.name)
        return replace(self, landmarks=(*rest, landmark))

    def with_position(
        self, name: LandmarkName, position_mm: ArrayLike, *, source: Source = Source.EDITED
    ) -> LandmarkSet:
        """A set in which `name` lies at `position_mm` (LPS mm), placed by a person."""
        old = self.get(name)
        if old is not None:
            return self.with_landmark(old.at(position_mm, source=source))
        return self.with_landmark(
            Landmark(name, np.asarray(position_mm, dtype=np.float64), source=source)
        )

    def without(self, name: LandmarkName) -> LandmarkSet:
        """A set that lacks `name`."""
        return replace(self, landmarks=tuple(m for m in self.landmarks if m.name != name))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, LandmarkSet):
            return NotImplemented
        return (self.space, self.landmarks, self.correlation) == (
            other.space,
            other.landmarks,
            other.correlation,
        )

    __hash__ = None  # type: ignore[assignment]
