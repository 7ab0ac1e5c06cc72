"""A registration as a person reads it: lengths, turns about anatomical axes, the matrix."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from fusioninit.geometry import RigidTransform, rotation_vector_rad
from fusioninit.gui.theme import Theme
from fusioninit.landmarks import LABELS, REQUIRED_NAMES, LandmarkSet
from fusioninit.registration import LandmarkFit

_WAYS = (("left", "right"), ("posterior", "anterior"), ("superior", "inferior"))
_TURNS = (
    "Turn about left-right (pitch)",
    "Turn about front-back (roll)",
    "Turn about head-feet (yaw)",
)


_ESTIMATOR_LABELS = {
    "svd": "SVD (the paper's)",
    "auto": "Automatic choice",
    "map": "MAP (rotation prior)",
    "robust": "Robust MAP",
    "anisotropic": "Anisotropic weights",
    "weighted": "Weighted SVD",
    "translation": "Translation only",
}


def rms_mm(fit: LandmarkFit) -> float:
    """Root mean square of the landmarks' residuals (FRE), mm."""
    return float(np.sqrt(np.mean(np.square(list(fit.residuals_mm.values())))))


def edge_lines(fit: LandmarkFit) -> list[tuple[str, float]]:
    """(edge, MR length minus US length in mm) of every pair; a rigid motion keeps lengths."""
    return [
        (f"{LABELS[first]} – {LABELS[second].lower()}", difference)
        for (first, second), difference in fit.edge_differences_mm.items()
        if first in REQUIRED_NAMES and second in REQUIRED_NAMES
    ]


def estimator_label(name: str) -> str:
    """What the choice of an estimator reads like."""
    return _ESTIMATOR_LABELS.get(name, name.capitalize())


def findings_html(fit: LandmarkFit, theme: Theme) -> str:
    """What is doubtful and what to do next, with a link to the landmark where one is named."""
    paragraphs = []
    for finding in fit.findings:
        link = ""
        if finding.landmark is not None:
            label = LABELS[finding.landmark].lower()
            link = f' <a href="{finding.landmark}" style="color:{theme.accent}">Show {label}</a>'
        paragraphs.append(
            f'<p style="margin:3px 0"><span style="color:{theme.warn}">⚠ '
            f"{escape(finding.sentence)}</span> {escape(finding.next_step)}{link}</p>"
        )
    return "".join(paragraphs)


def signed(amount: float, unit: str) -> str:
    """A number with its sign and one decimal; none where it rounds to nothing.

    >>> signed(-1.66, " mm"), signed(-0.04, " mm"), signed(44.7, "°")
    ('−1.7 mm', '0.0 mm', '+44.7°')
    """
    rounded = round(amount, 1)
    sign = "" if rounded == 0 else "+" if rounded > 0 else "−"
    return f"{sign}{abs(rounded):.1f}{unit}"


def motion_lines(us_from_mr: RigidTransform, mr_landmarks: LandmarkSet) -> list[tuple[str, str]]:
    """Shift of the landmarks' centre and rotation vector, each along or about L, P and S."""
    center_mr_mm = mr_landmarks.positions_mm().mean(axis=0)
    shift = us_from_mr.apply(center_mr_mm) - center_mr_mm
    turn = np.degrees(rotation_vector_rad(us_from_mr.rotation))
    shifts = [
        (f"Shift {ways[int(amount < 0)]}", f"{abs(amount):.1f} mm")
        for ways, amount in zip(_WAYS, shift, strict=True)
    ]
    turns = [(name, signed(float(amount), "°")) for name, amount in zip(_TURNS, turn, strict=True)]
    return [*shifts, *turns]


def matrix_text(transform: RigidTransform) -> str:
    """The upper three rows, aligned for a fixed-width font."""
    return "\n".join(_row(row) for row in transform.matrix[:3])


def _row(values: Sequence[float]) -> str:
    return " ".join(f"{value:8.4f}" for value in values[:3]) + f" {values[3]:9.2f}"
