"""From two landmark sets to a rigid transform, and how wrong it may be. numpy and scipy only.

Nouns: `GlandShape`, `RotationPrior`, `CenterPrior`, `DeformationModel` and `FitModel` go in;
`LandmarkFit` (with `Finding`s and `PredictedError`) or `Unsolved` comes out of the one verb
`fit_landmarks`. Fixed and moving are words of this floor; elsewhere they are US and MR.
"""

from fusioninit.registration.center_prior import CenterPrior
from fusioninit.registration.deformation import DeformationModel
from fusioninit.registration.error_prediction import PredictedError
from fusioninit.registration.estimate import FitModel, Unsolved
from fusioninit.registration.findings import Finding
from fusioninit.registration.fit import ESTIMATORS, LandmarkFit, fit_landmarks
from fusioninit.registration.gland_shape import GlandShape
from fusioninit.registration.rotation_prior import Probe, RotationPrior

__all__ = [
    "ESTIMATORS",
    "CenterPrior",
    "DeformationModel",
    "Finding",
    "FitModel",
    "GlandShape",
    "LandmarkFit",
    "PredictedError",
    "Probe",
    "RotationPrior",
    "Unsolved",
    "fit_landmarks",
]
