"""Biopsy cores as values: where a needle enters, where its tip stops, and what it is taken for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fusioninit.errors import ReadError

FloatArray = NDArray[np.float64]

SAMPLE_MM = 17.0
"""Notch of the usual 18-gauge side-notch needle: the tissue taken is the last 17 mm of the path."""


class CoreKind(StrEnum):
    """What a core is taken for."""

    SYSTEMATIC = "systematic"
    TARGETED = "targeted"


@dataclass(frozen=True, eq=False)
class Core:
    """One planned core: a straight needle path in US space.

    Parameters
    ----------
    name : str
        Unique within a case.
    entry_us_mm, tip_us_mm : (3,) array
        LPS mm in US space: where the planned path begins (the gland's rear surface for a
        transrectal needle, the perineal plane for a transperineal one), and its deepest point.
    kind : CoreKind
    target : str or None
        Name of the target that a targeted core is for.
    sample_mm : float
        Length of the tissue taken, ending at the tip; the whole path where that is shorter.

    Raises
    ------
    ValueError
        No name, a position that is not three finite mm, or entry and tip at one place.
    """

    name: str
    entry_us_mm: FloatArray
    tip_us_mm: FloatArray
    kind: CoreKind = CoreKind.SYSTEMATIC
    target: str | None = None
    sample_mm: float = SAMPLE_MM

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise ValueError("a core needs a name")
        for attribute in ("entry_us_mm", "tip_us_mm"):
            position = np.array(getattr(self, attribute), dtype=np.float64)
            if position.shape != (3,) or not np.isfinite(position).all():
                raise ValueError(f"core {self.name}: {attribute} must be three finite mm, x y z")
            position.setflags(write=False)
            object.__setattr__(self, attribute, position)
        object.__setattr__(self, "kind", CoreKind(self.kind))
        if not self.depth_mm > 0:
            raise ValueError(f"core {self.name}: entry and tip must lie apart")
        if not self.sample_mm > 0:
            raise ValueError(f"core {self.name}: the sample must be longer than 0 mm")

    @property
    def depth_mm(self) -> float:
        """How far the needle goes from entry to tip."""
        return float(np.linalg.norm(self.tip_us_mm - self.entry_us_mm))

    @property
    def direction_us(self) -> FloatArray:
        """(3,) unit vector from entry to tip."""
        direction: FloatArray = (self.tip_us_mm - self.entry_us_mm) / self.depth_mm
        return direction

    @property
    def sample_start_us_mm(self) -> FloatArray:
        """(3,) where the tissue taken begins; it ends at the tip."""
        start: FloatArray = self.tip_us_mm - self.direction_us * min(self.sample_mm, self.depth_mm)
        return start

    def distance_mm(self, point_us_mm: ArrayLike) -> float:
        """Shortest distance (mm) from a US point to the tissue taken."""
        start = self.sample_start_us_mm
        span = self.tip_us_mm - start
        offset = np.asarray(point_us_mm, dtype=np.float64) - start
        share = np.clip(offset @ span / (span @ span), 0.0, 1.0)
        return float(np.linalg.norm(offset - share * span))

    def moved(
        self, *, entry_us_mm: ArrayLike | None = None, tip_us_mm: ArrayLike | None = None
    ) -> Core:
        """The same core with another entry, another tip, or both (LPS mm)."""
        entry = self.entry_us_mm if entry_us_mm is None else np.asarray(entry_us_mm, np.float64)
        tip = self.tip_us_mm if tip_us_mm is None else np.asarray(tip_us_mm, np.float64)
        return replace(self, entry_us_mm=entry, tip_us_mm=tip)


def require_distinct_names(cores: tuple[Core, ...]) -> tuple[Core, ...]:
    """`cores` themselves; ValueError where a name occurs twice."""
    names = [core.name for core in cores]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"two cores are called {twice[0]}; give each its own name")
    return cores


def core_to_record(core: Core) -> dict[str, Any]:
    """JSON-ready form; positions LPS mm at full precision."""
    return {
        "name": core.name,
        "entry_us_lps_mm": core.entry_us_mm.tolist(),
        "tip_us_lps_mm": core.tip_us_mm.tolist(),
        "kind": core.kind.value,
        "target": core.target,
        "sample_mm": core.sample_mm,
    }


def core_from_record(record: Any) -> Core:
    """The core a record describes.

    Raises
    ------
    ReadError
        The record lacks a field, or a value has the wrong form.
    """
    try:
        return Core(
            name=str(record["name"]),
            entry_us_mm=np.asarray(record["entry_us_lps_mm"], dtype=np.float64),
            tip_us_mm=np.asarray(record["tip_us_lps_mm"], dtype=np.float64),
            kind=CoreKind(record["kind"]),
            target=None if record["target"] is None else str(record["target"]),
            sample_mm=float(record["sample_mm"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ReadError(
            f"a saved core is damaged ({error}): restore the file from a copy"
        ) from error
