"""The estimators, one module each, all `Evidence -> Estimate | Unsolved`; `BY_NAME` lists."""

from __future__ import annotations

from collections.abc import Callable

from fusioninit.registration.estimate import Estimate, Evidence, Unsolved
from fusioninit.registration.estimators.anisotropic import fit_anisotropic
from fusioninit.registration.estimators.auto import fit_auto
from fusioninit.registration.estimators.posterior_mode import fit_posterior_mode
from fusioninit.registration.estimators.robust import fit_robust
from fusioninit.registration.estimators.svd import fit_svd
from fusioninit.registration.estimators.translation import fit_translation
from fusioninit.registration.estimators.weighted import fit_weighted

BY_NAME: dict[str, Callable[[Evidence], Estimate | Unsolved]] = {
    "svd": fit_svd,
    "auto": fit_auto,
    "map": fit_posterior_mode,
    "robust": fit_robust,
    "anisotropic": fit_anisotropic,
    "weighted": fit_weighted,
    "translation": fit_translation,
}

__all__ = ["BY_NAME"]
