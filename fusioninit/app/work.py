"""The real reader, networks and exporter, each loaded on first use and off the GUI thread."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from fusioninit.geometry import Space
from fusioninit.imaging.volume import Volume
from fusioninit.session.protocols import Cancelled, Detection, Progress
from fusioninit.state import Case, Target


def read_for_window(
    path: Path,
    *,
    space: Space,
    series_uid: str | None = None,
    cancelled: Cancelled | None = None,
) -> Volume:
    """Read a file or DICOM folder (brings SimpleITK)."""
    from fusioninit.imaging.reading import read_volume

    return read_volume(path, space=space, series_uid=series_uid, cancelled=cancelled)


def find_landmarks(volume: Volume, *, progress: Progress, cancelled: Cancelled) -> Detection:
    """Predict landmarks and gland (brings torch)."""
    progress(0.02, f"Loading the {volume.space.upper()} network")
    from fusioninit.detection.bundled_networks import predict_landmarks

    return predict_landmarks(volume, progress=progress, cancelled=cancelled)


def export_case(
    case: Case, folder: Path, *, progress: Progress, cancelled: Cancelled
) -> Mapping[str, Path]:
    """Write transform, landmarks and report into `folder`, and read them back."""
    progress(0.1, f"Exporting to {folder.name}")
    from fusioninit.exchange.export import export

    return export(case, folder, progress=progress, cancelled=cancelled)


def read_targets(path: Path) -> tuple[Target, ...]:
    """Read a list of targets."""
    from fusioninit.exchange.targets import read_targets as read

    return read(path)
