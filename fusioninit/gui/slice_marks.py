"""The landmarks of both images in one slice view: which are drawn, where, and how strongly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF
from PySide6.QtGui import QPainter, QPolygonF

from fusioninit.geometry import PixelFrame, Space
from fusioninit.gui.slice_labels import Label, SliceLabels
from fusioninit.gui.slice_painting import GLYPH_RADIUS, Mark, draw_ghost, draw_link, draw_mark
from fusioninit.gui.theme import SPACE_COLOUR
from fusioninit.gui.view_state import ViewState
from fusioninit.landmarks import LABELS, REQUIRED_NAMES, Landmark, LandmarkName
from fusioninit.session import Session

FADE_MM = 12.0
"""Distance from the plane at which a landmark has faded to its weakest."""
NAME_MM = 8.0
"""Farther from the plane a landmark has faded so much that its name could not be read."""
HIDE_MM = 30.0
WEAKEST = 0.28
REGION_MM = 4.0
"""Only landmarks nearer to the plane than this show their 95 % region."""

_OTHER = {Space.US: Space.MR, Space.MR: Space.US}


@dataclass(frozen=True)
class Placed:
    """A landmark of `space` where it stands in a view."""

    mark: Landmark
    space: Space
    at: QPointF
    """Continuous view coordinates."""
    off_mm: float
    """Distance from the plane shown, at least 0."""


class SliceMarks:
    """Places all landmarks in one go, and keeps the outlines of their regions between pictures."""

    def __init__(self, session: Session, view_state: ViewState, space: Space) -> None:
        self._session, self._view_state, self._space = session, view_state, space
        self._regions: dict[object, QPolygonF] = {}

    def paint(self, painter: QPainter, frame: PixelFrame, labels: SliceLabels) -> None:
        """Draw residuals, the second network's answers, the other image's landmarks, the own.

        The names of the own ones are left to `labels`.
        """
        placed = self.placed(frame)
        own = {each.mark.name: each for each in placed if each.space is self._space}
        others = [each for each in placed if each.space is not self._space]
        for other in others:
            mine = own.get(other.mark.name)
            if mine is not None and max(mine.off_mm, other.off_mm) < FADE_MM:
                draw_link(painter, mine.at, other.at)
        if self._view_state.flag("second"):
            self._paint_ghosts(painter, frame, own)
        seen = [each for each in (*others, *own.values()) if each.off_mm <= HIDE_MM]
        for each in seen:
            look = self._look(each, frame)
            draw_mark(painter, look)
            if look.label:
                labels.add(_name(each.mark.name, look))
            else:
                labels.keep_clear(look.at, GLYPH_RADIUS)

    def placed(self, frame: PixelFrame) -> list[Placed]:
        """Every landmark whose place in the view's space is known and that is to be shown."""
        found = list(self._wanted())
        if not found:
            return []
        positions = np.stack([position for _, _, position in found])
        off = np.abs(frame.plane.distance_mm(positions)).tolist()
        places = (frame.to_pixel(positions) + 0.5).tolist()
        return [
            Placed(mark, space, QPointF(x, y), off_mm)
            for (mark, space, _), (x, y), off_mm in zip(found, places, off, strict=True)
        ]

    def is_shown(self, name: LandmarkName) -> bool:
        """Auxiliary landmarks only when asked for."""
        return name in REQUIRED_NAMES or self._view_state.flag("auxiliary")

    def _wanted(self) -> Iterator[tuple[Landmark, Space, NDArray[np.float64]]]:
        case, here = self._session.case, self._space
        for mark in case.landmarks(here).landmarks:
            if self.is_shown(mark.name):
                yield mark, here, mark.position_mm
        us_from_mr = self._view_state.shown_us_from_mr(case.us_from_mr)
        if us_from_mr is None:
            return
        here_from_other = us_from_mr if here is Space.US else us_from_mr.inverse()
        for mark in case.landmarks(_OTHER[here]).landmarks:
            if self.is_shown(mark.name):
                yield mark, _OTHER[here], here_from_other.apply(mark.position_mm)

    def _paint_ghosts(
        self, painter: QPainter, frame: PixelFrame, own: dict[LandmarkName, Placed]
    ) -> None:
        """Where the second network has the view's own landmarks, each joined to its landmark."""
        second = self._session.case.second(self._space)
        for mark in second.landmarks:
            off_mm = abs(float(frame.plane.distance_mm(mark.position_mm)))
            if off_mm > HIDE_MM or not self.is_shown(mark.name):
                continue
            x, y = frame.to_pixel(mark.position_mm) + 0.5
            mine = own.get(mark.name)
            from_at = None if mine is None else mine.at
            draw_ghost(
                painter, QPointF(x, y), self._space, from_at=from_at, strength=_strength(off_mm)
            )

    def _look(self, placed: Placed, frame: PixelFrame) -> Mark:
        mark, off_mm, state = placed.mark, placed.off_mm, self._view_state
        is_own = placed.space is self._space
        selected = state.selection == (placed.space, mark.name)
        label, outline = "", None
        if is_own and state.flag("regions") and (off_mm < REGION_MM or selected):
            outline = self._region(mark, frame).translated(placed.at)
        if is_own and state.flag("names") and (off_mm < NAME_MM or selected):
            label = LABELS[mark.name] + (f" · {off_mm:.0f} mm" if off_mm >= 2 else "")
        return Mark(
            placed.at,
            placed.space,
            label,
            _strength(off_mm),
            mark.source,
            is_own,
            selected,
            outline,
        )

    def _region(self, mark: Landmark, frame: PixelFrame) -> QPolygonF:
        """The outline of the 95 % region about (0, 0), in pixels of `frame`."""
        axes = np.stack([frame.plane.right, frame.plane.down])
        key = (mark.covariance_mm2.tobytes(), axes.tobytes(), frame.mm_per_px)
        if key not in self._regions:
            if len(self._regions) > 32:
                self._regions.clear()
            outline = mark.region_outline_mm(axes) / frame.mm_per_px
            self._regions[key] = QPolygonF([QPointF(x, y) for x, y in outline.tolist()])
        return self._regions[key]


def _name(name: LandmarkName, look: Mark) -> Label:
    """The chosen landmark's name comes first, then the others."""
    rank = 0 if look.is_selected else 1
    colour = SPACE_COLOUR[look.space]
    reach_px = GLYPH_RADIUS + 1
    return Label(name, look.at, look.label, colour, reach_px, strength=look.strength, rank=rank)


def _strength(off_mm: float) -> float:
    """How strongly something this far off the plane is drawn."""
    return max(WEAKEST, 1.0 - (1.0 - WEAKEST) * off_mm / FADE_MM)
