"""Three slice planes at right angles to each other that can be turned together, as by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fusioninit.geometry.planes import Orientation, SlicePlane, slice_plane
from fusioninit.geometry.transforms import rotation_matrix

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PlaneTriad:
    """The axial, sagittal and coronal plane of one space, level or turned (multiplanar reformat).

    Parameters
    ----------
    rotations : mapping from each `Orientation` to a (3, 3) array
        What turns the level plane into the present one. They differ: a plane does not spin in
        itself when the other two are turned about its normal.
    """

    rotations: Mapping[Orientation, FloatArray] = field(
        default_factory=lambda: {orientation: np.eye(3) for orientation in Orientation}
    )

    def plane(self, orientation: Orientation, through_mm: ArrayLike) -> SlicePlane:
        """The plane of `orientation` through a world point."""
        return slice_plane(orientation, through_mm, rotation=self.rotations[orientation])

    def turned(self, about: Orientation, angle_rad: float) -> PlaneTriad:
        """The triad after the other two planes are turned about the normal of `about`.

        On the screen of `about` a positive angle turns clockwise, from right to down.
        """
        turn = rotation_matrix(angle_rad * self.plane(about, np.zeros(3)).normal)
        return PlaneTriad(
            {
                orientation: rotation if orientation is about else turn @ rotation
                for orientation, rotation in self.rotations.items()
            }
        )

    def line_on(self, orientation: Orientation, other: Orientation) -> FloatArray:
        """(2,) unit screen direction (right, down) of the line in which `other` cuts a plane.

        Rightwards, or downwards where it is upright.
        """
        return self._lines[orientation, other]

    def tilt_deg(self, orientation: Orientation) -> float:
        """Angle between a plane's normal and that of the level plane."""
        return self._tilts_deg[orientation]

    @cached_property
    def _lines(self) -> dict[tuple[Orientation, Orientation], FloatArray]:
        """Worked out once: every picture asks for them."""
        planes = {each: self.plane(each, np.zeros(3)) for each in Orientation}
        return {
            (here, other): _line(planes[here], planes[other])
            for here in Orientation
            for other in Orientation
            if here is not other
        }

    @cached_property
    def _tilts_deg(self) -> dict[Orientation, float]:
        tilts = {}
        for orientation in Orientation:
            level = slice_plane(orientation, np.zeros(3)).normal
            cosine = float(self.plane(orientation, np.zeros(3)).normal @ level)
            tilts[orientation] = float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))
        return tilts

    @property
    def is_level(self) -> bool:
        """Whether all planes are those of the patient frame."""
        return all(np.allclose(turn, np.eye(3), atol=1e-9) for turn in self.rotations.values())


def _line(here: SlicePlane, across: SlicePlane) -> FloatArray:
    way = np.cross(here.normal, across.normal)
    line = np.array([way @ here.right, way @ here.down]).round(12)
    sign = -1.0 if line[0] < 0 or (line[0] == 0 and line[1] < 0) else 1.0
    direction: FloatArray = sign * line / np.linalg.norm(line)
    return direction
