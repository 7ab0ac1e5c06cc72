"""Planned cores in a slice view: a line where a needle runs in the plane, a dot where it crosses.

The thick part is the tissue taken. In MR the cores stand where the alignment puts them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from fusioninit.geometry import PixelFrame, Space
from fusioninit.gui.slice_labels import Label, SliceLabels
from fusioninit.state import Case, Core, CoreKind

FloatArray = NDArray[np.float64]

CORE_COLOUR = {
    CoreKind.SYSTEMATIC: QColor("#7fd6a4"),
    CoreKind.TARGETED: QColor("#f06fa4"),
}
SLAB_MM = 2.0
"""A needle nearer to the plane than this is drawn as lying in it: the error of any alignment is
larger, and a needle exactly in a plane does not occur."""
_CHOSEN = QColor("#ffffff")
_INK = QColor(0, 0, 0, 170)
_DOT_PX = 3.6


def paint_cores(
    painter: QPainter,
    case: Case,
    space: Space,
    frame: PixelFrame,
    *,
    labels: SliceLabels,
    chosen: str = "",
) -> None:
    """Draw the planned cores near the plane; in MR only once the alignment says where they are.

    The chosen one's name is left to `labels`.
    """
    us_from_mr = case.us_from_mr
    if not case.cores or (space is Space.MR and us_from_mr is None):
        return
    painter.save()
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for core in case.cores:
        ends = np.stack([core.entry_us_mm, core.sample_start_us_mm, core.tip_us_mm])
        if space is Space.MR and us_from_mr is not None:
            ends = us_from_mr.inverse().apply(ends)
        is_chosen = core.name == chosen
        crossing = _paint_core(painter, core, ends, frame, is_chosen=is_chosen)
        if is_chosen and crossing is not None:
            labels.add(Label(core.name, crossing, core.name, _CHOSEN, _DOT_PX))
    painter.restore()


def _paint_core(
    painter: QPainter, core: Core, ends: FloatArray, frame: PixelFrame, *, is_chosen: bool
) -> QPointF | None:
    """Draw one core; where it goes through the plane (view coordinates), if it does."""
    colour = _CHOSEN if is_chosen else CORE_COLOUR[core.kind]
    for begin, end, width in ((ends[0], ends[1], 1.2), (ends[1], ends[2], 3.0)):
        part = within_slab(frame, begin, end)
        if part is not None:
            places = [QPointF(*place) for place in (frame.to_pixel(part) + 0.5).tolist()]
            for pen in (QPen(_INK, width + 2.0), QPen(colour, width)):
                painter.setPen(pen)
                painter.drawLine(*places)
    crossing = crossing_mm(frame, ends[0], ends[2])
    if crossing is None:
        return None
    at = QPointF(*(frame.to_pixel(crossing) + 0.5).tolist())
    painter.setPen(QPen(_INK, 1.0))
    painter.setBrush(colour)
    painter.drawEllipse(at, _DOT_PX, _DOT_PX)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    return at


def within_slab(frame: PixelFrame, begin_mm: FloatArray, end_mm: FloatArray) -> FloatArray | None:
    """(2, 3) the part of a segment that is nearer than `SLAB_MM` to the plane; None where none."""
    off = frame.plane.distance_mm(np.stack([begin_mm, end_mm]))
    first, last = float(off[0]), float(off[1])
    if first == last:
        shares = [0.0, 1.0] if abs(first) < SLAB_MM else []
    else:
        limits = sorted(((-SLAB_MM - first) / (last - first), (SLAB_MM - first) / (last - first)))
        low, high = max(limits[0], 0.0), min(limits[1], 1.0)
        shares = [low, high] if low < high else []
    if not shares:
        return None
    return np.stack([begin_mm + share * (end_mm - begin_mm) for share in shares])


def crossing_mm(frame: PixelFrame, begin_mm: FloatArray, end_mm: FloatArray) -> FloatArray | None:
    """(3,) where a segment goes through the plane; None where it does not."""
    off = frame.plane.distance_mm(np.stack([begin_mm, end_mm]))
    first, last = float(off[0]), float(off[1])
    if first * last > 0 or first == last:
        return None
    crossing: FloatArray = begin_mm + first / (first - last) * (end_mm - begin_mm)
    return crossing
