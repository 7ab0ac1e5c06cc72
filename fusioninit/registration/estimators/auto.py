"""`auto`: chooses by what evidence there is, and says what it chose and why."""

from __future__ import annotations

from dataclasses import replace

from fusioninit.registration.estimate import Estimate, Evidence, Unsolved, degenerate_points
from fusioninit.registration.estimators.robust import MIN_KEPT, fit_robust


def fit_auto(evidence: Evidence) -> Estimate | Unsolved:
    """The posterior over all evidence; with more than three landmarks a refuted one is dropped.

    Where there are more than three landmarks and a network found any of them, the rotation prior
    is left out: what poses are usual is already in its answers, and would count twice
    (decision 8). So nothing jumps when a person corrects the first one.
    """
    has_prior = not _has_learnt_poses(evidence)
    if not has_prior:
        evidence = replace(evidence, model=evidence.model.without_pose())
    estimate = fit_robust(evidence)
    if isinstance(estimate, Unsolved):
        return estimate
    method = "robust" if len(evidence.pairs) > MIN_KEPT else "map"
    reason = _reason(evidence, method)
    if not has_prior:
        reason += " No prior on the pose, since the network has learnt which poses are usual."
    return replace(estimate, method=method, explanation=f"{reason} {estimate.explanation}")


def _has_learnt_poses(evidence: Evidence) -> bool:
    pairs = evidence.pairs
    many = len(pairs) > MIN_KEPT and degenerate_points(pairs) is None
    return many and pairs.hold_predicted


def _reason(evidence: Evidence, method: str) -> str:
    if evidence.glands:
        return f"Chosen: {method}, since both glands are known and say more than points alone."
    if method == "robust":
        return "Chosen: robust, since more than three landmarks let a bad one show."
    return (
        "Chosen: map, since three points near one plane leave the rotation open "
        "and least squares would turn their error into a tilt."
    )
