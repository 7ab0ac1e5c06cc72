"""The real reader, networks and exporter, each loaded on first use and off the GUI thread."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from fusioninit.app.libraries import (
    SIMPLEITK,
    TORCH,
    lasting_objects,
    load_libraries,
    loading_meanwhile,
)
from fusioninit.errors import InputError
from fusioninit.geometry import Space
from fusioninit.imaging.stated_geometry import StatedGeometry
from fusioninit.imaging.volume import Volume
from fusioninit.session.protocols import Cancelled, Detection, LandmarkPredictor, Progress
from fusioninit.state import Case, Target
from fusioninit.state.pose_prior import PosePrior


def read_for_window(
    path: Path,
    *,
    space: Space,
    series_uid: str | None = None,
    cancelled: Cancelled | None = None,
    stated: StatedGeometry | None = None,
) -> Volume:
    """Read a file or DICOM folder (brings SimpleITK). A detection mostly follows: torch's too."""
    with loading_meanwhile("torch", TORCH):
        from fusioninit.imaging.reading import read_volume

        return read_volume(
            path, space=space, series_uid=series_uid, cancelled=cancelled, stated=stated
        )


class BundledNetworks:
    """Finds landmarks with the networks that ship; each is loaded once for the device asked for.

    `device` is asked at every detection: "cpu", "cuda", or None for whichever is there.
    """

    def __init__(self, device: Callable[[], str | None]) -> None:
        self._device = device
        self._loaded: dict[tuple[Space, str | None], LandmarkPredictor] = {}

    def __call__(self, volume: Volume, *, progress: Progress, cancelled: Cancelled) -> Detection:
        """Predict landmarks and gland (brings torch).

        Raises
        ------
        InputError
            The GPU was asked for and there is none, or the volume cannot be used.
        """
        device = self._device()
        progress(0.02, f"Loading the {volume.space.upper()} network")
        predictor = self._loaded.get((volume.space, device))
        if predictor is None:
            predictor = self._loaded[volume.space, device] = _load_network(volume.space, device)
        return predictor(volume, progress=progress, cancelled=cancelled)


def load_torch_ahead(*, progress: Progress, cancelled: Cancelled) -> None:
    """Load what every detection needs, so that the first one begins at once."""
    if not cancelled():
        _load_torch()


def _load_torch() -> None:
    load_libraries("torch", TORCH)
    with lasting_objects():
        import fusioninit.detection.predict  # noqa: F401  (brings torch)


def _load_network(space: Space, device: str | None) -> LandmarkPredictor:
    _load_torch()
    import torch

    from fusioninit.detection import predict

    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("no GPU is usable here; choose Automatic or CPU in the preferences")
    return predict.LandmarkPredictor.from_bundled(space, device=device)


def export_case(
    case: Case,
    folder: Path,
    *,
    keep_identity: bool = False,
    progress: Progress,
    cancelled: Cancelled,
) -> Mapping[str, Path]:
    """Write transform, landmarks and report into `folder`, and read them back."""
    progress(0.1, f"Exporting to {folder.name}")
    load_libraries("SimpleITK", SIMPLEITK)
    with lasting_objects():
        from fusioninit.exchange.export import export

    return export(case, folder, keep_identity=keep_identity, progress=progress, cancelled=cancelled)


def read_targets(path: Path) -> tuple[Target, ...]:
    """Read targets: a point list, a mask, a surface, DICOM SEG or RTSTRUCT."""
    from fusioninit.exchange.targets import read_targets as read

    return read(path)


def learn_prior(folder: Path) -> PosePrior:
    """Learn a prior on the pose from accepted exports below a folder."""
    from fusioninit.exchange.learned_prior import learn_prior as learn

    return learn(folder)


_TARGET_ENDINGS = (".mrk.json", ".fcsv", ".stl")
_TARGET_WORDS = ("target", "targets", "lesion", "lesions", "roi", "tumor", "tumour")
_TARGET_CLASSES = (b"1.2.840.10008.5.1.4.1.1.66.4", b"1.2.840.10008.5.1.4.1.1.481.3")
"""DICOM Segmentation and RT Structure Set."""


def holds_targets(path: Path) -> bool:
    """Whether a file holds targets, from its name or, of a DICOM file, its first bytes."""
    name = path.name.lower()
    if name.endswith(_TARGET_ENDINGS):
        return True
    if any(word in _TARGET_WORDS for word in re.split(r"[^a-z]+", name)):
        return path.is_file()
    return path.is_file() and _dicom_class(path) in _TARGET_CLASSES


def _dicom_class(path: Path) -> bytes:
    """The SOP class that a DICOM file names in its first part; empty for other files."""
    try:
        with path.open("rb") as stream:
            head = stream.read(1024)
    except OSError:
        return b""
    found = re.search(rb"\x02\x00\x02\x00UI..([0-9.]+)", head, re.DOTALL)
    return found.group(1) if found and head[128:132] == b"DICM" else b""
