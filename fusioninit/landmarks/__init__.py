"""Anatomical landmarks of the prostate: their names, and immutable sets of them."""

from fusioninit.landmarks.error_correlation import ErrorCorrelation
from fusioninit.landmarks.names import (
    ALL_NAMES,
    AUXILIARY_NAMES,
    LABELS,
    MIRRORED,
    READER_NAMES,
    REQUIRED_NAMES,
    LandmarkName,
)
from fusioninit.landmarks.sets import Landmark, LandmarkSet, Source

__all__ = [
    "ALL_NAMES",
    "AUXILIARY_NAMES",
    "LABELS",
    "MIRRORED",
    "READER_NAMES",
    "REQUIRED_NAMES",
    "ErrorCorrelation",
    "Landmark",
    "LandmarkName",
    "LandmarkSet",
    "Source",
]
