"""The one entry to registration: `fit_landmarks`, and its two possible answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fusioninit.geometry import RigidTransform, Space
from fusioninit.landmarks import READER_NAMES, LandmarkName, LandmarkSet
from fusioninit.registration.error_prediction import ErrorModel, PredictedError
from fusioninit.registration.estimate import Estimate, Evidence, FitModel, Unsolved
from fusioninit.registration.estimators import BY_NAME
from fusioninit.registration.findings import Finding
from fusioninit.registration.gland_shape import GlandShape
from fusioninit.registration.landmark_pairs import LandmarkPairs, pair_landmarks
from fusioninit.registration.plausibility import fit_findings

FloatArray = NDArray[np.float64]

ESTIMATORS: tuple[str, ...] = tuple(BY_NAME)
"""`svd` is the paper's; `auto` chooses among the others. See `estimators`."""

DEFAULT_MODEL = FitModel()


@dataclass(frozen=True, eq=False)
class LandmarkFit:
    """A rigid transform fitted to paired landmarks, and what is known of its error.

    Residuals are fiducial registration errors (FRE), never accuracy: three points can fit to
    0.0 mm and the target still be wrong. Ask `predicted_error_mm` instead.

    Parameters
    ----------
    estimator : str
        The one asked for; `method` is the one that answered (they differ for "auto").
    covariance : (6, 6) array
        Of the pose's error (w rad, v mm) about `center_mm` (fixed frame):
        `x -> Exp(w) (x - c) + c + v` after the transform.
    findings : tuple of Finding
        What is doubtful; `warnings` are the same as sentences.
    """

    transform: RigidTransform
    estimator: str
    names: tuple[LandmarkName, ...]
    residuals_mm: Mapping[LandmarkName, float]
    edge_differences_mm: Mapping[tuple[LandmarkName, LandmarkName], float]
    warnings: tuple[str, ...] = ()
    covariance: FloatArray | None = field(default=None, repr=False)
    center_mm: FloatArray | None = field(default=None, repr=False)
    method: str = ""
    explanation: str = ""
    findings: tuple[Finding, ...] = ()
    error_model: ErrorModel | None = field(default=None, repr=False)

    @property
    def us_from_mr(self) -> RigidTransform:
        """The transform that takes MR points to US points."""
        if (self.transform.target, self.transform.source) != (Space.US, Space.MR):
            raise ValueError(f"this fit is {self.transform.target}_from_{self.transform.source}")
        return self.transform

    def predicted_error_mm(self, points_mm: ArrayLike) -> PredictedError:
        """Expected TRE and its 95 % bound at (N, 3) or (3,) points of the moving image (MR)."""
        return self._known_error_model().predict(points_mm)

    def predicted_gland_error_mm(self, gland: GlandShape | None = None) -> PredictedError:
        """Expected TRE and 95 % bound averaged over the moving image's gland, one number each.

        Without a gland's shape, over the landmarks and the midpoints between them.
        """
        if gland is not None:
            points = gland.interior_mm
        else:
            marks = self._known_error_model().estimate.pairs.moving_mm
            points = (marks[:, None] + marks[None]).reshape(-1, 3) / 2
        predicted = self.predicted_error_mm(points)
        return PredictedError(predicted.mean_mm.mean(), predicted.upper_mm.mean())

    def sensitivity(self, target_mm: ArrayLike) -> Mapping[LandmarkName, float]:
        """How far 1 mm at each landmark can move one target (3,) of the moving image, mm."""
        return self._known_error_model().sensitivity(target_mm)

    def _known_error_model(self) -> ErrorModel:
        if self.error_model is None:
            raise ValueError("this fit was built without an error model: use fit_landmarks")
        return self.error_model


def fit_landmarks(
    *,
    fixed: LandmarkSet,
    moving: LandmarkSet,
    estimator: str = "svd",
    fixed_gland: GlandShape | None = None,
    moving_gland: GlandShape | None = None,
    model: FitModel = DEFAULT_MODEL,
) -> LandmarkFit | Unsolved:
    """Fit the rigid transform that takes `moving` onto `fixed`. Paired by name; LPS mm.

    Parameters
    ----------
    estimator : str
        One of `ESTIMATORS`.
    fixed_gland, moving_gland : GlandShape, optional
        Used by "map", "robust" and "auto" where both are given; others take points only.
    model : FitModel
        Rotation prior and deformation; the default suits an unknown probe.

    Raises
    ------
    ValueError
        An unknown estimator.
    """
    if estimator not in BY_NAME:
        raise ValueError(f"unknown estimator '{estimator}': choose one of {', '.join(BY_NAME)}")
    evidence = Evidence(pair_landmarks(fixed, moving), model, fixed_gland, moving_gland)
    estimate = BY_NAME[estimator](evidence)
    if isinstance(estimate, Unsolved):
        return estimate
    transform = RigidTransform.from_parts(
        fixed.space,
        moving.space,
        rotation=estimate.pose.rotation,
        translation_mm=estimate.pose.translation_mm,
    )
    findings = fit_findings(fixed, moving, evidence, estimate)
    return LandmarkFit(
        transform,
        estimator,
        estimate.pairs.names,
        _residuals_mm(estimate),
        _edge_differences_mm(estimate.pairs),
        warnings=tuple(str(finding) for finding in findings),
        covariance=estimate.covariance,
        center_mm=estimate.center_mm,
        method=estimate.method,
        explanation=estimate.explanation,
        findings=findings,
        error_model=ErrorModel.of(estimate, model.deformation),
    )


def _residuals_mm(estimate: Estimate) -> dict[LandmarkName, float]:
    pairs = estimate.pairs
    lengths = np.linalg.norm(estimate.pose.apply(pairs.moving_mm) - pairs.fixed_mm, axis=-1)
    return dict(zip(pairs.names, map(float, lengths), strict=True))


def _edge_differences_mm(pairs: LandmarkPairs) -> dict[tuple[LandmarkName, LandmarkName], float]:
    """Moving minus fixed distance of every two landmarks that a reader knows, mm."""
    known = [i for i, name in enumerate(pairs.names) if name in READER_NAMES]
    edges = list(combinations(known, 2))
    ends = np.array(edges, dtype=np.intp).reshape(-1, 2).T
    moving, fixed = (
        np.linalg.norm(points[ends[0]] - points[ends[1]], axis=-1)
        for points in (pairs.moving_mm, pairs.fixed_mm)
    )
    keys = [(pairs.names[a], pairs.names[b]) for a, b in edges]
    return dict(zip(keys, (moving - fixed).tolist(), strict=True))
