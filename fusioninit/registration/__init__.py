"""From two landmark sets to a rigid transform, and how wrong it may be. numpy and scipy only."""

from fusioninit.registration.fit import ESTIMATORS, LandmarkFit, Unsolved, fit_landmarks

__all__ = ["ESTIMATORS", "LandmarkFit", "Unsolved", "fit_landmarks"]
