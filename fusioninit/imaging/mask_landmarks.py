"""Landmarks by rule from a gland's mask, where no reader and no network gave any.

The rules are proxies: against experts' points they miss by 4 to 8 mm on average, which is what
the covariances say.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fusioninit.geometry import Grid, Space
from fusioninit.imaging.surfaces import mask_centroid_mm, surface_points_mm
from fusioninit.landmarks import Landmark, LandmarkSet, Source

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
    "left_lateral": 3.0,
    "right_lateral": 3.0,
}
"""Per axis: the rules' mean distances to experts' points, divided by 1.6 (three axes)."""


def landmarks_from_mask(
    mask: NDArray[Any], grid: Grid, *, space: Space, axes: ArrayLike | None = None
) -> LandmarkSet:
    """All five landmarks from a gland's mask, by rule.

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
    positions = {
        "apex": _apex(voxels),
        "bladder_neck": _bladder_neck(surface, middle, NECK_AP_FRACTION.get(space, 0.2)),
        **_equator(surface, middle),
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


def _equator(surface: FloatArray, middle: FloatArray) -> dict[str, FloatArray]:
    height = (surface[:, 2].min() + surface[:, 2].max()) / 2
    around = surface[np.abs(surface[:, 2] - height) < max(_BAND_MM, _layer(surface[:, 2], height))]
    midline = around[
        np.abs(around[:, 0] - middle[0]) < max(_BAND_MM, _layer(around[:, 0], middle[0]))
    ]
    back = midline[np.argmax(midline[:, 1])]
    left, right = around[np.argmax(around[:, 0])], around[np.argmin(around[:, 0])]
    return {
        "posterior_median": np.array([middle[0], back[1], height]),
        "left_lateral": np.array([left[0], left[1], height]),
        "right_lateral": np.array([right[0], right[1], height]),
    }


def _layer(values: FloatArray, wanted: float) -> float:
    """Distance to the nearest value and a little more, so that a coarse grid leaves some points."""
    return float(np.abs(values - wanted).min()) + 1e-6
