"""`robust`: the most probable pose after leaving out a landmark that all other evidence refutes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import chdtri

from fusioninit.landmarks import LABELS
from fusioninit.registration.estimate import Estimate, Evidence, Unsolved
from fusioninit.registration.estimators.posterior_mode import (
    fit_posterior_mode,
    leave_one_out_distance2,
)

OUTLIER_PROBABILITY = 0.003
"""Chance that a good landmark looks this bad ("three sigma"): one good set of five in seventy
loses a point needlessly, which costs little."""

MIN_KEPT = 3
"""Never fewer landmarks than the paper's."""


def fit_robust(evidence: Evidence) -> Estimate | Unsolved:
    """Fit, drop the worst landmark while it is refuted and enough remain, and say so."""
    estimate = fit_posterior_mode(evidence)
    dropped: tuple[str, ...] = ()
    while isinstance(estimate, Estimate) and len(estimate.pairs) > MIN_KEPT:
        culprit = refuted_landmark(estimate)
        if culprit is None:
            break
        keep = [i for i in range(len(estimate.pairs)) if i != culprit]
        dropped += (estimate.pairs.names[culprit],)
        evidence = replace(evidence, pairs=estimate.pairs.only(keep))
        estimate = fit_posterior_mode(evidence, complete=False)
    if isinstance(estimate, Unsolved):
        return estimate
    text = estimate.explanation
    if dropped:
        names = ", ".join(LABELS[name].lower() for name in dropped)
        text = f"Left out as contradicted by the rest: {names}. {text}"
    return replace(estimate, method="robust", explanation=text, dropped=dropped)


def refuted_landmark(estimate: Estimate) -> int | None:
    """Index of the landmark that the rest refutes most, or None where none is refuted."""
    distance2 = leave_one_out_distance2(estimate)
    worst = int(np.argmax(distance2))
    return worst if distance2[worst] > REFUTED_DISTANCE2 else None


REFUTED_DISTANCE2 = float(chdtri(3, OUTLIER_PROBABILITY))
