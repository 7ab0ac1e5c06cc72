"""What the window cannot do alone, handed in by the application."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fusioninit.session import Detecting, Exporting, Opening
from fusioninit.state import Case, Target

OpenCase = Callable[[Any], Case]
"""Builds a case with a `VolumeReader`, off the GUI thread."""
ReadTargets = Callable[[Path], tuple[Target, ...]]


@dataclass(frozen=True)
class Services:
    """Opening files is needed; a window without the rest lacks what it stands for."""

    opening: Opening
    detecting: Detecting | None = None
    exporting: Exporting | None = None
    open_demo: OpenCase | None = None
    read_targets: ReadTargets | None = None

    @property
    def works(self) -> list[Opening | Detecting | Exporting]:
        """What can be running, in the order in which it is stopped."""
        every = (self.detecting, self.opening, self.exporting)
        return [work for work in every if work is not None]
