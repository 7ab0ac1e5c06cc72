"""A scalar volume: voxels, the grid they lie on, the space that grid is in, and its provenance."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusioninit.geometry import Grid, Space
from fusioninit.imaging.doubts import Part
from fusioninit.imaging.stated_geometry import StatedGeometry, directions_of


@dataclass(frozen=True)
class VolumeSource:
    """Where a volume came from, and what is known about it. Holds no patient identity.

    Parameters
    ----------
    path : Path or None
        The file, or the DICOM folder.
    format : str
        "nifti", "nrrd", "metaimage", "dicom", "phantom".
    description : str
        What a person recognises: the file's name, or the DICOM series description.
    series_uid : str
        DICOM SeriesInstanceUID, empty otherwise.
    frame_of_reference_uid : str
        DICOM FrameOfReferenceUID, empty otherwise.
    window : tuple of 2 float, or None
        Display window (low, high) stated by the file.
    warnings : tuple of str
        One sentence each: what is doubtful about geometry or content.
    unstated : dict
        Of each `Part` of the geometry that the file does not state, the warning that says so.
    stated : StatedGeometry
        What a person stated about the voxels, over what the file says.
    """

    path: Path | None = None
    format: str = ""
    description: str = ""
    series_uid: str = ""
    frame_of_reference_uid: str = ""
    study_date: str = ""
    patient_key: str = ""
    window: tuple[float, float] | None = None
    warnings: tuple[str, ...] = ()
    unstated: dict[str, str] = field(default_factory=dict)
    stated: StatedGeometry = field(default_factory=StatedGeometry)
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Volume:
    """Voxels on a grid in a patient frame. Compared by identity; never changed in place.

    Parameters
    ----------
    voxels : (k, j, i) array
        Scalar, finite; index 0 at the first voxel's centre.
    grid : Grid
        Same shape as `voxels`.
    space : Space
        US or MR.
    """

    voxels: NDArray[Any] = field(repr=False)
    grid: Grid
    space: Space
    source: VolumeSource = field(default_factory=VolumeSource)

    def __post_init__(self) -> None:
        if self.voxels.ndim != 3 or self.voxels.shape != self.grid.shape:
            raise ValueError(
                f"voxels {self.voxels.shape} do not match the grid {self.grid.shape} (k, j, i)"
            )
        view = self.voxels.view()
        view.setflags(write=False)
        object.__setattr__(self, "voxels", view)

    def with_source(self, **changes: Any) -> Volume:
        """The same volume with changed provenance."""
        return replace(self, source=replace(self.source, **changes))

    @property
    def lacks_geometry(self) -> bool:
        """Whether the file states no directions or no voxel size, and no person has yet."""
        return bool(self.source.unstated)

    def with_stated_geometry(self, stated: StatedGeometry) -> Volume:
        """The same voxels with what a person states about them; the centre stays where it is.

        Warnings about what is now stated go.
        """
        if stated.is_empty:
            return self
        settled = set()
        spacing, direction = self.grid.spacing_mm, self.grid.direction
        if stated.spacing_mm is not None:
            spacing = np.asarray(stated.spacing_mm)
            settled.add(Part.SPACING.value)
        if stated.orientation:
            direction = directions_of(stated.orientation)
            settled.add(Part.DIRECTIONS.value)
        middle = (self.grid.size_xyz - 1) / 2
        origin = self.grid.center_mm - direction @ (middle * spacing)
        grid = Grid(self.grid.shape, spacing, origin, direction)
        return replace(self, grid=grid).with_source(stated=stated, **self._without(settled))

    def _without(self, settled: set[str]) -> dict[str, Any]:
        """Warnings and unstated parts once `settled` parts are stated."""
        before = self.source.unstated
        left = {part: text for part, text in before.items() if part not in settled}
        gone = set(before.values()) - set(left.values())
        warnings = tuple(text for text in self.source.warnings if text not in gone)
        return {"warnings": warnings, "unstated": left}

    def percentiles(self, low: float = 1.0, high: float = 99.5) -> tuple[float, float]:
        """Intensities at two percentiles of a regular sample of the voxels."""
        step = tuple(slice(None, None, max(1, size // 64)) for size in self.voxels.shape)
        bottom, top = np.percentile(self.voxels[step], [low, high])
        return float(bottom), float(max(top, bottom + 1e-6))

    def display_window(self) -> tuple[float, float]:
        """(low, high) to show it with: the file's own window, else percentiles."""
        return self.source.window or self.percentiles()
