"""Where a case's landmarks lie and how sure that is: experts' points, else the mask's rule.

The weight of a landmark with standard deviation s per axis is r^2 / (r^2 + s^2): the inverse of the
variance a prediction shows against that label, relative to a label without error, when the
prediction itself misses by r. A true point weighs 1, an unknown one 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fusioninit.errors import ReadError
from fusioninit.exchange.markups import read_landmarks
from fusioninit.geometry import Grid, Space
from fusioninit.imaging.mask_landmarks import landmarks_from_mask
from fusioninit.imaging.volume import Volume
from fusioninit.landmarks import ALL_NAMES, LABELS, LandmarkSet, Source

FloatArray = NDArray[np.float64]

FARTHEST_OUTSIDE_MM = 25.0
"""An expert's point may lie outside a partial view, by the part of a gland that was cut off."""

FARTHEST_FROM_RULE_MM = 35.0
"""The mask's rule misses experts' points by 4 to 8 mm on average: farther off is another frame."""

CUT_SHARE = 0.2
"""Share of a gland's end layer on the image's border from which on the gland counts as cut."""

AT_END = {
    -1.0: ("apex", "left_apical", "right_apical"),
    1.0: ("bladder_neck", "left_basal", "right_basal"),
}
"""Landmarks that the lower (-1) and the upper (1) end of the gland decide upon."""

CUT_SD_FACTOR = 2.0
"""The rule's points at mid height are this much less certain where an end is not seen."""


@dataclass(frozen=True)
class Labels:
    """Landmarks of one case, in the order of `ALL_NAMES`.

    Parameters
    ----------
    position_mm : (L, 3) array
        LPS mm; NaN where unknown.
    sd_mm : (L,) array
        Standard deviation per axis; infinite where unknown.
    """

    position_mm: FloatArray
    sd_mm: FloatArray

    @classmethod
    def unknown(cls) -> Labels:
        """No landmark at all."""
        return cls(np.full((len(ALL_NAMES), 3), np.nan), np.full(len(ALL_NAMES), np.inf))

    @property
    def known(self) -> NDArray[np.bool_]:
        """(L,) which landmarks there are."""
        return np.isfinite(self.sd_mm)

    def over(self, others: Labels) -> Labels:
        """These where known, else the others."""
        return Labels(
            np.where(self.known[:, None], self.position_mm, others.position_mm),
            np.where(self.known, self.sd_mm, others.sd_mm),
        )


def weights(sd_mm: FloatArray, reference_sd_mm: float) -> FloatArray:
    """Trust in landmarks of these standard deviations, 0 to 1.

    >>> weights(np.array([0.0, 3.0, 4.0, np.inf]), 3.0).round(2).tolist()
    [1.0, 0.5, 0.36, 0.0]
    """
    return np.asarray(1 / (1 + (sd_mm / reference_sd_mm) ** 2))


def expert_labels(path: Path, space: Space, point_sd_mm: float | None = None) -> Labels:
    """Points of a landmark file, with its own uncertainties or with `point_sd_mm` for all.

    Points that a network predicted and nobody moved or confirmed are left out: a network does not
    learn from itself.
    """
    marks = read_landmarks(path, space=space)
    kept = LandmarkSet(space, tuple(m for m in marks.landmarks if m.source is not Source.PREDICTED))
    if not len(kept):
        raise ReadError(f"{path.name} holds predicted landmarks only; move or confirm them first")
    return _of(kept, point_sd_mm)


def mask_labels(gland: Volume, image: Grid) -> Labels:
    """Points by rule from the gland's mask; those at an end that the image cuts off are unknown."""
    labels = _of(landmarks_from_mask(gland.voxels, gland.grid, space=gland.space))
    position, sd = labels.position_mm.copy(), labels.sd_mm.copy()
    cut = [names for way, names in AT_END.items() if is_cut(gland, image, way)]
    if cut:
        sd *= CUT_SD_FACTOR
    for name in chain(*cut):
        number = ALL_NAMES.index(name)
        position[number], sd[number] = np.nan, np.inf
    return Labels(position, sd)


def is_cut(gland: Volume, image: Grid, way: float) -> bool:
    """Whether the gland goes on beyond the image's upper (`way` 1) or lower (-1) end."""
    points = gland.grid.to_world(np.argwhere(gland.voxels)[:, ::-1])
    step = gland.grid.step_mm([0.0, 0.0, 1.0])
    height = points[:, 2] * way
    layer = points[height > height.max() - step]
    # one and a half layers on: outside the image where the mask fills its last layer
    beyond = layer + np.array([0.0, 0.0, 1.5 * way * image.step_mm([0.0, 0.0, 1.0])])
    return bool((~image.contains(beyond)).mean() > CUT_SHARE)


def require_plausible(experts: Labels, rule: Labels | None, image: Grid) -> None:
    """Refuse points of another frame: outside the image, or far from the gland.

    Raises
    ------
    ReadError
        One sentence, with the remedy.
    """
    low, high = image.corners_mm().min(axis=0), image.corners_mm().max(axis=0)
    for number in np.flatnonzero(experts.known):
        label, at = LABELS[ALL_NAMES[number]].lower(), experts.position_mm[number]
        outside = np.linalg.norm(at - np.clip(at, low, high))
        if outside > FARTHEST_OUTSIDE_MM:
            raise ReadError(
                f"the {label} lies {outside:.0f} mm outside the image; check that positions are "
                "LPS mm of this image"
            )
        if rule is None or not rule.known[number]:
            continue
        apart = np.linalg.norm(at - rule.position_mm[number])
        if apart > FARTHEST_FROM_RULE_MM:
            raise ReadError(
                f"the {label} lies {apart:.0f} mm from where the gland's mask has it; check that "
                "both are of this image and positions are LPS mm"
            )


def _of(marks: LandmarkSet, point_sd_mm: float | None = None) -> Labels:
    labels = Labels.unknown()
    for number, name in enumerate(ALL_NAMES):
        mark = marks.get(name)
        if mark is not None:
            labels.position_mm[number] = mark.position_mm
            labels.sd_mm[number] = mark.sd_mm if point_sd_mm is None else point_sd_mm
    return labels
