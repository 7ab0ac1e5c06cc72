"""What is doubtful about a file's geometry, and which part of it a person can state instead."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

NO_DIRECTIONS = (
    "the file states no patient directions: its axes are taken as left, posterior, superior"
)
NO_SPACING = "the file states no voxel size: 1 mm is taken"
CHECK = "check the geometry before relying on any distance"


class Part(StrEnum):
    """A part of the geometry that a person can state where a file does not."""

    SPACING = "spacing"
    DIRECTIONS = "directions"


class Doubt(NamedTuple):
    """One sentence; `unstated` names the part of the geometry whose statement would settle it."""

    sentence: str
    unstated: Part | None = None


def no_directions(why: str = "") -> Doubt:
    """The file does not say where its axes point."""
    return Doubt(f"{NO_DIRECTIONS}{_reason(why)}; {CHECK}", Part.DIRECTIONS)


def no_spacing(why: str = "") -> Doubt:
    """The file does not say how large its voxels are."""
    return Doubt(f"{NO_SPACING}{_reason(why)}; {CHECK}", Part.SPACING)


def sentences_of(doubts: Iterable[Doubt]) -> tuple[str, ...]:
    """The sentences alone, each once."""
    return tuple(dict.fromkeys(doubt.sentence for doubt in doubts))


def unstated_of(doubts: Iterable[Doubt]) -> dict[str, str]:
    """The sentence that says so, for each part of the geometry that is not stated."""
    return {doubt.unstated.value: doubt.sentence for doubt in doubts if doubt.unstated}


def _reason(why: str) -> str:
    return f" ({why})" if why else ""
