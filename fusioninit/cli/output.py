"""What the command prints: JSON on standard output, words for a person on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from enum import IntEnum
from pathlib import Path
from typing import Any

import numpy as np


class Status(IntEnum):
    """Exit statuses that other programs rely on."""

    DONE = 0
    WRONG_USE = 2
    UNUSABLE_INPUT = 3
    FAILED_CHECKS = 4


def tell(text: str) -> None:
    """One line for a person, on standard error."""
    print(text, file=sys.stderr, flush=True)


def answer(text: str) -> None:
    """One line of the answer itself, on standard output."""
    print(text, flush=True)


def answer_json(value: Mapping[str, Any]) -> None:
    """The whole answer as one JSON object on standard output."""
    print(json.dumps(value, default=_plain, indent=1, allow_nan=False), flush=True)


class ProgressLine:
    """Progress of a long step on one line of standard error, where that is a terminal."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()

    def __call__(self, fraction: float, text: str) -> None:
        if self._shown:
            end = "\n" if fraction >= 1 else ""
            print(f"\r{fraction:4.0%} {text:<50}", end=end, file=sys.stderr, flush=True)


def _plain(value: object) -> object:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"not JSON: {type(value).__name__}")
