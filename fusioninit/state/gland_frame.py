"""The gland's own axes and extents in US space: left, posterior, superior, whatever its tilt."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fusioninit.errors import InputError
from fusioninit.imaging.volume import Volume
from fusioninit.landmarks import LABELS, REQUIRED_NAMES, LandmarkSet

FloatArray = NDArray[np.float64]

TYPICAL_HALF_WIDTH_MM = 24.0
"""Half of the usual transverse width of a gland, where neither laterals nor a mask say it."""

SHORTEST_MM = 5.0
"""Apex to bladder neck, and axis to posterior median: below this the axes are noise."""

REACH_MM = 80.0
"""Half of the length searched for the gland's surface; no gland is 16 cm long."""

STEP_MM = 0.25


@dataclass(frozen=True, eq=False)
class GlandFrame:
    """The gland between apex and bladder neck, and what lies inside it.

    Local coordinates are mm along left, posterior and superior from `origin_us_mm`, the middle
    of apex and bladder neck. Inside is the mask where there is one, otherwise an ellipsoid
    through apex, bladder neck, posterior median and laterals.

    Parameters
    ----------
    origin_us_mm : (3,) array
    axes : (3, 3) array
        Rows are the unit directions left, posterior and superior in US space.
    half_mm : (4,) array
        Half extents left, right, posterior (and anterior), superior (and inferior).
    mask : Volume or None
        Voxels above 0.5 are gland.
    """

    origin_us_mm: FloatArray
    axes: FloatArray
    half_mm: FloatArray
    mask: Volume | None = field(default=None, repr=False)

    @classmethod
    def of(cls, landmarks_us: LandmarkSet, gland: Volume | None = None) -> GlandFrame:
        """The frame of US landmarks and, where there is one with gland in it, the US mask.

        Raises
        ------
        InputError
            A required landmark is missing, or they lie too close together to give directions.
        """
        missing = [LABELS[name] for name in REQUIRED_NAMES if name not in landmarks_us]
        if missing:
            raise InputError(f"a needle plan needs {' and '.join(missing)} in the US; place it")
        apex, neck, rear = landmarks_us.positions_mm(REQUIRED_NAMES)
        superior, length_mm = _unit(neck - apex)
        origin = (apex + neck) / 2
        across = rear - origin - superior * float((rear - origin) @ superior)
        posterior, rear_mm = _unit(across)
        if min(length_mm, rear_mm) < SHORTEST_MM:
            raise InputError(
                "the US landmarks lie too close together for a needle plan; check apex, "
                "bladder neck and posterior median"
            )
        # LPS is right-handed: posterior x superior = left
        axes = np.stack([np.cross(posterior, superior), posterior, superior])
        left_mm, right_mm = _half_widths(landmarks_us, axes[0], origin)
        half = np.array([left_mm, right_mm, rear_mm, length_mm / 2])
        usable = gland is not None and bool((gland.voxels > 0.5).any())
        return cls(origin, axes, half, gland if usable else None)

    def to_us(self, local_mm: ArrayLike) -> FloatArray:
        """US points (LPS mm) of `(..., 3)` local points."""
        points: FloatArray = np.asarray(local_mm, dtype=np.float64) @ self.axes + self.origin_us_mm
        return points

    def to_local(self, points_us_mm: ArrayLike) -> FloatArray:
        """Local points of `(..., 3)` US points."""
        offset = np.asarray(points_us_mm, dtype=np.float64) - self.origin_us_mm
        local: FloatArray = offset @ self.axes.T
        return local

    def contains(self, local_mm: ArrayLike) -> NDArray[np.bool_]:
        """Whether `(..., 3)` local points lie in the gland."""
        local = np.asarray(local_mm, dtype=np.float64)
        if self.mask is None:
            wide = np.where(local[..., 0] >= 0, self.half_mm[0], self.half_mm[1])
            across = local[..., 0] / wide
            rest = local[..., 1:] / self.half_mm[2:]
            return np.asarray(across**2 + (rest**2).sum(axis=-1) <= 1.0)
        grid, points = self.mask.grid, self.to_us(local)
        last = np.array(grid.shape[::-1]) - 1
        i, j, k = np.moveaxis(np.rint(grid.to_index(points)).astype(int).clip(0, last), -1, 0)
        return np.asarray(grid.contains(points) & (self.mask.voxels[k, j, i] > 0.5))

    def height_range_mm(self) -> tuple[float, float]:
        """Lowest and highest superior coordinate of the gland."""
        if self.mask is None:
            return -float(self.half_mm[3]), float(self.half_mm[3])
        inside = self.mask.voxels > 0.5
        k, j = np.nonzero(inside.any(axis=2))
        rows = inside[k, j]
        # height changes evenly along a row of voxels: the row's two ends are enough
        ends = np.stack([rows.argmax(axis=1), rows.shape[1] - 1 - rows[:, ::-1].argmax(axis=1)])
        index = np.stack([ends, np.broadcast_to(j, ends.shape), np.broadcast_to(k, ends.shape)], -1)
        heights = self.to_local(self.mask.grid.to_world(index))[..., 2]
        return float(heights.min()), float(heights.max())

    def half_width_mm(self, height_mm: float, *, is_left: bool) -> float:
        """How far the gland reaches to one side at a height; 0 where it does not."""
        across = np.arange(0.0, REACH_MM, 2 * STEP_MM)
        depth = np.arange(-REACH_MM, REACH_MM, 4 * STEP_MM)
        x, y = np.meshgrid(across if is_left else -across, depth, indexing="ij")
        filled = self.contains(np.stack([x, y, np.full_like(x, height_mm)], axis=-1)).any(axis=1)
        return float(across[filled].max()) if filled.any() else 0.0

    def span_mm(self, local_mm: ArrayLike, direction: ArrayLike) -> tuple[float, float] | None:
        """Where the gland begins and ends along a line, mm from the point; None off the gland.

        `direction` is a local unit vector. Gaps in the mask count as gland.
        """
        along = np.arange(-REACH_MM, REACH_MM + STEP_MM, STEP_MM)
        line = np.asarray(local_mm) + along[:, None] * np.asarray(direction)
        filled = self.contains(line)
        return (float(along[filled].min()), float(along[filled].max())) if filled.any() else None


def _unit(vector: FloatArray) -> tuple[FloatArray, float]:
    length = float(np.linalg.norm(vector))
    return vector / max(length, 1e-9), length


def _half_widths(
    landmarks_us: LandmarkSet, left: FloatArray, origin: FloatArray
) -> tuple[float, float]:
    """Left and right; one lateral stands for both, and the usual width for none."""
    found = {
        name: abs(float((landmarks_us[name].position_mm - origin) @ left))
        for name in ("left_lateral", "right_lateral")
        if name in landmarks_us
    }
    known = list(found.values()) or [TYPICAL_HALF_WIDTH_MM]
    mean = sum(known) / len(known)
    left_mm, right_mm = found.get("left_lateral", mean), found.get("right_lateral", mean)
    return max(left_mm, SHORTEST_MM), max(right_mm, SHORTEST_MM)
