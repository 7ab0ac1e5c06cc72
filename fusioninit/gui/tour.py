"""The review tour: every landmark, then every target, one stop after the other, flickering."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from fusioninit.geometry import Space
from fusioninit.gui.view_state import FusionMode, ViewState
from fusioninit.landmarks import LABELS, REQUIRED_NAMES, LandmarkName
from fusioninit.session import Session


@dataclass(frozen=True, eq=False)
class Stop:
    """A place worth looking at: a point of a space, and what it is called."""

    title: str
    space: Space
    position_mm: NDArray[np.float64]
    landmark: LandmarkName | None = None


class Tour(QObject):
    """Steps the crosshair through the stops in flicker mode; ends with the decision."""

    changed = Signal()

    def __init__(
        self, session: Session, view_state: ViewState, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._session, self._view_state = session, view_state
        self._at: int | None = None
        self._mode_before = FusionMode.BLEND
        session.case_opened.connect(self.end)

    @property
    def is_on(self) -> bool:
        """Whether a tour is under way."""
        return self._at is not None

    @property
    def stops(self) -> list[Stop]:
        """Landmarks as seen in US, where both images know them; then targets."""
        case = self._session.case
        marks = [
            Stop(LABELS[name], Space.US, case.us_landmarks[name].position_mm, name)
            for name in REQUIRED_NAMES
            if name in case.us_landmarks and name in case.mr_landmarks
        ]
        targets = [Stop(t.name, Space.MR, t.position_mr_mm) for t in case.targets]
        return [*marks, *targets]

    @property
    def text(self) -> str:
        """Where the tour is, e.g. "2 of 4: Bladder neck"."""
        stops = self.stops
        if self._at is None or not stops:
            return ""
        at = min(self._at, len(stops) - 1)
        return f"{at + 1} of {len(stops)}: {stops[at].title}"

    @property
    def is_at_end(self) -> bool:
        """Whether the last stop is shown."""
        return self._at is not None and self._at >= len(self.stops) - 1

    def begin(self) -> None:
        """Go to the first stop and flicker."""
        if not self.stops:
            return
        self._mode_before = self._view_state.mode
        self._view_state.set_mode(FusionMode.FLICKER)
        self._go(0)

    def step(self, by: int) -> None:
        """On to the next stop, or back."""
        if self._at is not None:
            self._go(int(np.clip(self._at + by, 0, len(self.stops) - 1)))

    def end(self) -> None:
        """Leave the tour; views combine as before it."""
        if self._at is not None:
            self._at = None
            self._view_state.set_mode(self._mode_before)
            self.changed.emit()

    def _go(self, at: int) -> None:
        self._at = at
        stop = self.stops[at]
        if stop.landmark is not None:
            self._view_state.select(stop.space, stop.landmark)
        self._view_state.set_crosshair(stop.space, stop.position_mm)
        self.changed.emit()
