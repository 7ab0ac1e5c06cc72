"""Targets in a slice view: a ring of the target's radius, and the halo of its predicted error."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from fusioninit.geometry import PixelFrame, RigidTransform, Space
from fusioninit.gui.slice_labels import Label, SliceLabels
from fusioninit.registration import LandmarkFit
from fusioninit.state import Case

TARGET_COLOUR = QColor("#f06fa4")
_FADE_MM = 12.0


def paint_targets(
    painter: QPainter,
    case: Case,
    space: Space,
    frame: PixelFrame,
    *,
    us_from_mr: RigidTransform | None,
    labels: SliceLabels,
) -> None:
    """Draw the targets near the plane; in US only where `us_from_mr` says where they are."""
    if not case.targets or (space is Space.US and us_from_mr is None):
        return
    positions = np.array([target.position_mr_mm for target in case.targets])
    halos = _halos_mm(case, positions) if space is Space.US else np.zeros(len(positions))
    shown = positions if space is Space.MR or us_from_mr is None else us_from_mr.apply(positions)
    distances = np.abs(frame.plane.distance_mm(shown))
    places = frame.to_pixel(shown) + 0.5
    painter.save()
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for target, (x, y), off_mm, halo_mm in zip(
        case.targets, places.tolist(), distances.tolist(), halos.tolist(), strict=True
    ):
        if off_mm > max(_FADE_MM, target.radius_mm):
            continue
        strength = max(0.3, 1 - off_mm / _FADE_MM)
        painter.setOpacity(strength)
        at = QPointF(x, y)
        ring_px = max(4.0, _section_mm(target.radius_mm, off_mm) / frame.mm_per_px)
        painter.setPen(QPen(TARGET_COLOUR, 2.0))
        painter.drawEllipse(at, ring_px, ring_px)
        reach_px = _section_mm(halo_mm, off_mm) / frame.mm_per_px
        if reach_px > ring_px:
            painter.setPen(QPen(TARGET_COLOUR, 1.0, Qt.PenStyle.DashLine))
            painter.drawEllipse(at, reach_px, reach_px)
        labels.add(
            Label(
                ("target", target.name),
                at,
                target.name,
                TARGET_COLOUR,
                ring_px,
                strength=strength,
                rank=2,
            )
        )
    painter.restore()


def _halos_mm(case: Case, positions_mr_mm: np.ndarray) -> np.ndarray:
    """The radius that 95 % of errors stay under, per target."""
    fit = case.registration
    if not isinstance(fit, LandmarkFit):  # while the MR is held where a fit has had it
        return np.zeros(len(positions_mr_mm))
    return np.asarray(fit.predicted_error_mm(positions_mr_mm).upper_mm)


def _section_mm(radius_mm: float, off_mm: float) -> float:
    """Radius of a sphere's section at a distance from its centre."""
    return float(np.sqrt(max(radius_mm**2 - off_mm**2, 0.0)))
