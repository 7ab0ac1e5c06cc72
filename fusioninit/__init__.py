"""fusioninit: landmark-based rigid initialisation of MR/ultrasound fusion for prostate biopsy.

The names below are the Python API. They load on first use, so that importing the package costs
nothing: neither torch nor Qt is loaded until something needs it. Research use only; not a
medical device.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOME = {
    "Space": "fusioninit.geometry",
    "RigidTransform": "fusioninit.geometry",
    "Grid": "fusioninit.geometry",
    "Volume": "fusioninit.imaging",
    "Landmark": "fusioninit.landmarks",
    "LandmarkSet": "fusioninit.landmarks",
    "read_volume": "fusioninit.imaging.reading",
    "resample": "fusioninit.imaging.resampling",
    "predict_landmarks": "fusioninit.detection.bundled_networks",
    "fit_landmarks": "fusioninit.registration",
    "LandmarkFit": "fusioninit.registration",
    "Unsolved": "fusioninit.registration",
    "write_transform": "fusioninit.exchange.transforms",
    "export": "fusioninit.exchange.export",
    "Case": "fusioninit.state",
    "save_case": "fusioninit.state",
    "load_case": "fusioninit.state",
    "asset_path": "fusioninit.bundled",
    "InputError": "fusioninit.errors",
}

__all__ = [
    "Case",
    "Grid",
    "InputError",
    "Landmark",
    "LandmarkFit",
    "LandmarkSet",
    "RigidTransform",
    "Space",
    "Unsolved",
    "Volume",
    "__version__",
    "asset_path",
    "export",
    "fit_landmarks",
    "load_case",
    "predict_landmarks",
    "read_volume",
    "resample",
    "save_case",
    "write_transform",
]

if TYPE_CHECKING:
    from fusioninit.bundled import asset_path
    from fusioninit.detection.bundled_networks import predict_landmarks
    from fusioninit.errors import InputError
    from fusioninit.exchange.export import export
    from fusioninit.exchange.transforms import write_transform
    from fusioninit.geometry import Grid, RigidTransform, Space
    from fusioninit.imaging import Volume
    from fusioninit.imaging.reading import read_volume
    from fusioninit.imaging.resampling import resample
    from fusioninit.landmarks import Landmark, LandmarkSet
    from fusioninit.registration import LandmarkFit, Unsolved, fit_landmarks
    from fusioninit.state import Case, load_case, save_case


def __getattr__(name: str) -> Any:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module 'fusioninit' has no attribute '{name}'")
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
