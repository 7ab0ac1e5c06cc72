"""Landmarks by rule from a gland's mask, where no reader and no network gave any.

The rules are proxies: against experts' points they miss by 4 to 8 mm on average, which is what
the covariances say.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fusioninit.geometry import Grid, Space
from fusioninit.imaging.surfaces import mask_centroid_mm, surface_points_mm
from fusioninit.landmarks import AUXILIARY_NAMES, Landmark, LandmarkSet, Source

FloatArray = NDArray[np.float64]

APEX_VOLUME_SHARE = 0.025
"""The lowest part of the gland whose centroid is taken as the apex."""

NECK_AP_FRACTION = {Space.MR: 0.18, Space.US: 0.28}
"""Median place of experts' bladder necks between front (0) and back (1) of the gland's box."""

_BAND_MM = 3.0
_SD_MM = {
    "apex": 2.5,
    "bladder_neck": 4.5,
    "posterior_median": 3.0,
    **dict.fromkeys(AUXILIARY_NAMES, 3.0),
}
"""Per axis: the rules' mean distances to experts' points, divided by 1.6 (three axes)."""


def landmarks_from_mask(
    mask: NDArray[Any], grid: Grid, *, space: Space, axes: ArrayLike | None = None
) -> LandmarkSet:
    """All landmarks from a gland's mask, by rule.

    Parameters
    ----------
    axes : (3, 3) array, optional
        Columns are the gland's own left, posterior and superior directions (default: LPS). Use
        the same tilt in both modalities.

    Raises
    ------
    ValueError
        The mask is empty.
    """
    turn = np.eye(3) if axes is None else np.asarray(axes, dtype=np.float64)
    voxels = grid.to_world(np.argwhere(mask)[:, ::-1]) @ turn
    surface = surface_points_mm(mask, grid) @ turn
    middle = mask_centroid_mm(mask, grid) @ turn
    apex = _apex(voxels)
    neck = _bladder_neck(surface, middle, NECK_AP_FRACTION.get(space, 0.2))
    equator = _Ring.at((surface[:, 2].min() + surface[:, 2].max()) / 2, surface, middle)
    below, above = (
        _Ring.at(apex[2] + share * (neck[2] - apex[2]), surface, middle) for share in (0.25, 0.75)
    )
    positions = {
        "apex": apex,
        "bladder_neck": neck,
        "posterior_median": equator.back,
        "left_lateral": equator.left,
        "right_lateral": equator.right,
        "anterior_median": equator.front,
        "left_apical": below.left,
        "right_apical": below.right,
        "left_basal": above.left,
        "right_basal": above.right,
    }
    marks = tuple(
        Landmark(
            name,
            turn @ position,
            np.eye(3) * _SD_MM[name] ** 2,
            source=Source.PREDICTED,
            confidence=0.5,
            provenance="rule from the gland's mask",
        )
        for name, position in positions.items()
    )
    return LandmarkSet(space, marks)


def _apex(voxels: FloatArray) -> FloatArray:
    height = np.quantile(voxels[:, 2], APEX_VOLUME_SHARE)
    lowest: FloatArray = voxels[voxels[:, 2] <= height].mean(axis=0)
    return lowest


def _bladder_neck(surface: FloatArray, middle: FloatArray, fraction: float) -> FloatArray:
    front, back = surface[:, 1].min(), surface[:, 1].max()
    wanted = front + fraction * (back - front)
    band = surface[np.abs(surface[:, 0] - middle[0]) < _BAND_MM]
    upper = band[band[:, 2] > middle[2]]
    # the highest point in the midline at the wanted depth: the lid of the gland, not its side
    near = upper[np.abs(upper[:, 1] - wanted) <= max(_BAND_MM, np.abs(upper[:, 1] - wanted).min())]
    top: FloatArray = near[np.argmax(near[:, 2])]
    return np.array([middle[0], top[1], top[2]])


class _Ring(NamedTuple):
    """The surface at one height: behind and in front of the middle, outermost left and right."""

    back: FloatArray
    front: FloatArray
    left: FloatArray
    right: FloatArray

    @classmethod
    def at(cls, height: float, surface: FloatArray, middle: FloatArray) -> _Ring:
        """The ring of the surface's points that lie near `height`."""
        near = np.abs(surface[:, 2] - height) < max(_BAND_MM, _layer(surface[:, 2], height))
        around = surface[near]
        off_middle = np.abs(around[:, 0] - middle[0])
        midline = around[off_middle < max(_BAND_MM, _layer(around[:, 0], middle[0]))]
        left, right = around[np.argmax(around[:, 0])], around[np.argmin(around[:, 0])]
        return cls(
            np.array([middle[0], midline[:, 1].max(), height]),
            np.array([middle[0], midline[:, 1].min(), height]),
            np.array([left[0], left[1], height]),
            np.array([right[0], right[1], height]),
        )


def _layer(values: FloatArray, wanted: float) -> float:
    """Distance to the nearest value and a little more, so that a coarse grid leaves some points."""
    return float(np.abs(values - wanted).min()) + 1e-6
