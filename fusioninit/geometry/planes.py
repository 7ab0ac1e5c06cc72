"""Slice planes: the flat pixel frame in which a view shows a volume, and its orientation letters.

Display is radiological: the patient's right is on the left of the screen in axial and coronal
views, anterior is on the left in sagittal ones, and superior is up.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


class Orientation(StrEnum):
    """The three orthogonal views."""

    AXIAL = "axial"
    SAGITTAL = "sagittal"
    CORONAL = "coronal"


# screen-right and screen-down, in LPS
_AXES: dict[Orientation, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    Orientation.AXIAL: ((1, 0, 0), (0, 1, 0)),
    Orientation.SAGITTAL: ((0, 1, 0), (0, 0, -1)),
    Orientation.CORONAL: ((1, 0, 0), (0, 0, -1)),
}


@dataclass(frozen=True)
class SlicePlane:
    """A plane in a patient frame with screen axes.

    Parameters
    ----------
    origin_mm : (3,) array
        A world point on the plane, at screen coordinates (0, 0).
    right, down : (3,) arrays
        Orthogonal unit world directions of screen right and screen down.
    """

    origin_mm: FloatArray = field(repr=False)
    right: FloatArray
    down: FloatArray

    @property
    def normal(self) -> FloatArray:
        """(3,) unit normal, right x down: points away from the viewer."""
        return np.cross(self.right, self.down).astype(np.float64)

    def to_world(self, screen_mm: ArrayLike) -> FloatArray:
        """World points of `(..., 2)` screen coordinates (right, down) in mm."""
        screen = np.asarray(screen_mm, dtype=np.float64)
        return self.origin_mm + screen[..., :1] * self.right + screen[..., 1:2] * self.down

    def to_screen(self, points_mm: ArrayLike) -> FloatArray:
        """`(..., 2)` screen coordinates (right, down) in mm of world points, projected."""
        offset = np.asarray(points_mm, dtype=np.float64) - self.origin_mm
        return np.stack([offset @ self.right, offset @ self.down], axis=-1)

    def distance_mm(self, points_mm: ArrayLike) -> FloatArray:
        """Signed distance of `(..., 3)` world points along the normal."""
        return (np.asarray(points_mm, dtype=np.float64) - self.origin_mm) @ self.normal

    def moved(self, distance_mm: float) -> SlicePlane:
        """The parallel plane `distance_mm` further along the normal."""
        return SlicePlane(self.origin_mm + distance_mm * self.normal, self.right, self.down)


def slice_plane(
    orientation: Orientation, through_mm: ArrayLike, *, rotation: ArrayLike | None = None
) -> SlicePlane:
    """The view plane of `orientation` through a world point.

    `rotation` (3, 3) turns the anatomical axes first, for oblique views (its columns are where
    L, P and S go).
    """
    turn = np.eye(3) if rotation is None else np.asarray(rotation, dtype=np.float64)
    right, down = (turn @ np.asarray(axis, dtype=np.float64) for axis in _AXES[orientation])
    return SlicePlane(np.asarray(through_mm, dtype=np.float64), right, down)


def orientation_letters(direction: ArrayLike, *, obliquity_cosine: float = 0.35) -> str:
    """Letters of the patient directions a world direction (3,) points to, strongest first.

    >>> orientation_letters([1, 0, 0]), orientation_letters([0, -0.9, 0.43])
    ('L', 'AS')
    """
    vector = np.asarray(direction, dtype=np.float64)
    vector = vector / np.linalg.norm(vector)
    order = np.argsort(-np.abs(vector), kind="stable")
    pairs = ("RL", "AP", "IS")
    return "".join(
        pairs[axis][int(vector[axis] > 0)] for axis in order if abs(vector[axis]) > obliquity_cosine
    )
