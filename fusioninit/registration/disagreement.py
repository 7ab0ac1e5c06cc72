"""Two models' landmarks for one image compared: the paper's remedy for large detection errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fusioninit.landmarks import LABELS, LandmarkName, LandmarkSet
from fusioninit.registration.findings import Finding
from fusioninit.registration.metrics import radial_errors_mm

CONSPICUOUS_MM = 8.0
"""Two models with the paper's error of 5.5 mm (SD 2.6) that erred independently would differ by
about 7.8 mm on average; models of one image share most of their error, so more is a sign."""

CONSPICUOUS_SD = 3.0
"""The same relative to the covariances that both models state: three sigma."""


@dataclass(frozen=True)
class Disagreement:
    """How far two predictions lie apart, per landmark.

    Parameters
    ----------
    distances_mm : mapping
        Distance between the two positions.
    sd_units : mapping
        The same in standard deviations of the difference (Mahalanobis, both covariances).
    findings : tuple of Finding
        One per landmark that differs conspicuously.
    """

    distances_mm: Mapping[LandmarkName, float]
    sd_units: Mapping[LandmarkName, float]
    findings: tuple[Finding, ...]

    @property
    def mean_mm(self) -> float:
        """Mean distance over the landmarks; NaN when the sets share none."""
        values = list(self.distances_mm.values())
        return float(np.mean(values)) if values else float("nan")


def compare_predictions(first: LandmarkSet, second: LandmarkSet) -> Disagreement:
    """Compare two sets of one space, landmark by landmark."""
    distances = radial_errors_mm(first, second)
    units = {name: _sd_units(first, second, name) for name in distances}
    findings = tuple(
        Finding(
            "models-disagree",
            f"{first.space.upper()}: two models place {LABELS[name].lower()} {distance:.0f} mm "
            "apart.",
            "Check this landmark first.",
            name,
        )
        for name, distance in distances.items()
        if distance > CONSPICUOUS_MM or (units[name] > CONSPICUOUS_SD and distance > 3.0)
    )
    return Disagreement(distances, units, findings)


def _sd_units(first: LandmarkSet, second: LandmarkSet, name: LandmarkName) -> float:
    gap = first[name].position_mm - second[name].position_mm
    both = first[name].covariance_mm2 + second[name].covariance_mm2
    return float(np.sqrt(gap @ np.linalg.solve(both, gap)))
