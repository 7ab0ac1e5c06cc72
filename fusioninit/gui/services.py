"""What the window cannot do alone, handed in by the application."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fusioninit.session import (
    Detecting,
    Exporting,
    LearningPrior,
    Opening,
    Preparing,
    ReadingTargets,
    Saving,
    Work,
)
from fusioninit.state import Case

OpenCase = Callable[[Any], Case]
"""Builds a case with a `VolumeReader`, off the GUI thread."""
HoldsTargets = Callable[[Path], bool]
"""Whether a file is one of targets rather than a volume, from its name or its first bytes."""


def _never(_path: Path) -> bool:
    return False


@dataclass(frozen=True)
class Services:
    """Opening files is needed; a window without the rest lacks what it stands for."""

    opening: Opening
    detecting: Detecting | None = None
    exporting: Exporting | None = None
    reading_targets: ReadingTargets | None = None
    saving: Saving | None = None
    preparing: Preparing | None = None
    learning_prior: LearningPrior | None = None
    open_demo: OpenCase | None = None
    holds_targets: HoldsTargets = _never

    @property
    def works(self) -> list[Work]:
        """What can be running, in the order in which it is stopped."""
        every = (
            self.detecting,
            self.opening,
            self.reading_targets,
            self.learning_prior,
            self.exporting,
            self.saving,
            self.preparing,
        )
        return [work for work in every if work is not None]
