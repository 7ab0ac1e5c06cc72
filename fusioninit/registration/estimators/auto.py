"""`auto`: chooses by what evidence there is, and says what it chose and why."""

from __future__ import annotations

from dataclasses import replace

from fusioninit.registration.estimate import Estimate, Evidence, Unsolved
from fusioninit.registration.estimators.robust import MIN_KEPT, fit_robust


def fit_auto(evidence: Evidence) -> Estimate | Unsolved:
    """The posterior over all evidence; with more than three landmarks a refuted one is dropped."""
    estimate = fit_robust(evidence)
    if isinstance(estimate, Unsolved):
        return estimate
    method = "robust" if len(evidence.pairs) > MIN_KEPT else "map"
    return replace(
        estimate, method=method, explanation=f"{_reason(evidence, method)} {estimate.explanation}"
    )


def _reason(evidence: Evidence, method: str) -> str:
    if evidence.glands:
        return f"Chosen: {method}, since both glands are known and say more than points alone."
    if method == "robust":
        return "Chosen: robust, since more than three landmarks let a bad one show."
    return (
        "Chosen: map, since three points near one plane leave the rotation open "
        "and least squares would turn their error into a tilt."
    )
