"""The one entry to registration: `fit_landmarks`, and its two possible answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fusioninit.geometry import RigidTransform, Space
from fusioninit.landmarks import REQUIRED_NAMES, LandmarkName, LandmarkSet
from fusioninit.registration.arun import arun_rigid

FloatArray = NDArray[np.float64]

ESTIMATORS: tuple[str, ...] = ("svd",)


@dataclass(frozen=True)
class Unsolved:
    """No transform, and why, in one sentence."""

    reason: str


@dataclass(frozen=True, eq=False)
class LandmarkFit:
    """A rigid transform fitted to paired landmarks.

    Residuals are fiducial registration errors (FRE), never accuracy: three points can fit to
    0.0 mm and the target still be wrong.
    """

    transform: RigidTransform
    estimator: str
    names: tuple[LandmarkName, ...]
    residuals_mm: Mapping[LandmarkName, float]
    edge_differences_mm: Mapping[tuple[LandmarkName, LandmarkName], float]
    warnings: tuple[str, ...] = ()
    covariance: FloatArray | None = field(default=None, repr=False)

    @property
    def us_from_mr(self) -> RigidTransform:
        """The transform that takes MR points to US points."""
        if (self.transform.target, self.transform.source) != (Space.US, Space.MR):
            raise ValueError(f"this fit is {self.transform.target}_from_{self.transform.source}")
        return self.transform


def fit_landmarks(
    *, fixed: LandmarkSet, moving: LandmarkSet, estimator: str = "svd"
) -> LandmarkFit | Unsolved:
    """Fit the rigid transform that takes `moving` onto `fixed`. Paired by name; LPS mm."""
    names = tuple(name for name in REQUIRED_NAMES if name in fixed and name in moving)
    if len(names) < 3:
        missing = [n for n in REQUIRED_NAMES if n not in names]
        return Unsolved(f"waiting for {', '.join(missing)} in both images")
    fixed_mm, moving_mm = fixed.positions_mm(names), moving.positions_mm(names)
    rotation, translation = arun_rigid(fixed_mm, moving_mm)
    transform = RigidTransform.from_parts(
        fixed.space, moving.space, rotation=rotation, translation_mm=translation
    )
    residuals = np.linalg.norm(transform.apply(moving_mm) - fixed_mm, axis=-1)
    edges = {
        (a, b): float(
            np.linalg.norm(moving[a].position_mm - moving[b].position_mm)
            - np.linalg.norm(fixed[a].position_mm - fixed[b].position_mm)
        )
        for i, a in enumerate(names)
        for b in names[i + 1 :]
    }
    return LandmarkFit(transform, estimator, names, dict(zip(names, map(float, residuals), strict=True)), edges)
