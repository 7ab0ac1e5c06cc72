"""The voxel grid of a volume: how many voxels, how large, where and in which direction."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Grid:
    """A regular grid of voxels in the LPS patient frame.

    Parameters
    ----------
    shape : tuple of 3 int
        Voxels in array order (k, j, i).
    spacing_mm : (3,) array
        Voxel size along i, j, k (SimpleITK's order).
    origin_mm : (3,) array
        World position of the CENTRE of voxel (0, 0, 0).
    direction : (3, 3) array
        Columns are the unit world directions of i, j, k. May be left-handed.

    Raises
    ------
    ValueError
        A size or spacing that is not positive, or directions that are not orthonormal.
    """

    shape: tuple[int, int, int]
    spacing_mm: FloatArray = field(default_factory=lambda: np.ones(3))
    origin_mm: FloatArray = field(default_factory=lambda: np.zeros(3))
    direction: FloatArray = field(default_factory=lambda: np.eye(3))

    def __post_init__(self) -> None:
        shape = tuple(int(size) for size in self.shape)
        if len(shape) != 3 or min(shape) < 1:
            raise ValueError(f"a grid has three positive sizes (k, j, i), found {shape}")
        object.__setattr__(self, "shape", shape)
        for name, want in (("spacing_mm", (3,)), ("origin_mm", (3,)), ("direction", (3, 3))):
            value = np.array(getattr(self, name), dtype=np.float64)
            if value.shape != want or not np.isfinite(value).all():
                raise ValueError(f"grid {name} must be finite with shape {want}, found {value}")
            value.setflags(write=False)
            object.__setattr__(self, name, value)
        if (self.spacing_mm <= 0).any():
            raise ValueError(f"grid spacing must be positive, found {self.spacing_mm} mm")
        if np.abs(self.direction.T @ self.direction - np.eye(3)).max() > 1e-3:
            raise ValueError("grid directions must be orthonormal; sheared volumes need resampling")

    @classmethod
    def centred(
        cls, shape: ArrayLike, spacing_mm: ArrayLike, center_mm: ArrayLike = (0, 0, 0)
    ) -> Grid:
        """An axis-aligned grid of `shape` (k, j, i) whose middle lies at `center_mm`."""
        spacing = np.broadcast_to(np.asarray(spacing_mm, dtype=np.float64), (3,))
        k, j, i = (int(size) for size in np.asarray(shape))
        half = (np.array([i, j, k]) - 1) / 2 * spacing
        return cls((k, j, i), spacing, np.asarray(center_mm, dtype=np.float64) - half)

    @property
    def size_xyz(self) -> FloatArray:
        """(3,) number of voxels along i, j, k, as floats."""
        return np.array(self.shape[::-1], dtype=np.float64)

    @property
    def extent_mm(self) -> FloatArray:
        """(3,) full size along i, j, k, from outer voxel face to outer voxel face."""
        return self.size_xyz * self.spacing_mm

    @property
    def is_left_handed(self) -> bool:
        """True when (i, j, k) is a mirrored frame: legal, and to be handled, never assumed away."""
        return bool(np.linalg.det(self.direction) < 0)

    @cached_property
    def world_from_index(self) -> FloatArray:
        """(4, 4) from homogeneous voxel index (i, j, k) to LPS mm."""
        matrix = np.eye(4)
        matrix[:3, :3] = self.direction * self.spacing_mm
        matrix[:3, 3] = self.origin_mm
        matrix.setflags(write=False)
        return matrix

    @cached_property
    def index_from_world(self) -> FloatArray:
        """(4, 4) from LPS mm to homogeneous voxel index (i, j, k)."""
        matrix: FloatArray = np.linalg.inv(self.world_from_index).astype(np.float64)
        matrix.setflags(write=False)
        return matrix

    @property
    def center_mm(self) -> FloatArray:
        """(3,) world position of the middle of the grid."""
        return self.to_world((self.size_xyz - 1) / 2)

    def to_world(self, index: ArrayLike) -> FloatArray:
        """World mm of `(..., 3)` continuous indices (i, j, k)."""
        points: FloatArray = np.asarray(index) @ self.world_from_index[:3, :3].T + self.origin_mm
        return points

    def to_index(self, points_mm: ArrayLike) -> FloatArray:
        """Continuous index (i, j, k) of `(..., 3)` world points."""
        matrix = self.index_from_world
        index: FloatArray = np.asarray(points_mm) @ matrix[:3, :3].T + matrix[:3, 3]
        return index

    def contains(self, points_mm: ArrayLike) -> NDArray[np.bool_]:
        """Whether `(..., 3)` world points lie within the outer voxel faces."""
        index = self.to_index(points_mm)
        return np.asarray(((index >= -0.5) & (index <= self.size_xyz - 0.5)).all(axis=-1))

    def step_mm(self, direction: ArrayLike) -> float:
        """Distance from one voxel layer to the next when walking along a unit world direction.

        The spacing of the voxel axis that lies nearest to `direction` (3,).
        """
        along = np.abs(self.direction.T @ np.asarray(direction, dtype=np.float64))
        return float(self.spacing_mm[int(np.argmax(along))])

    def corners_mm(self) -> FloatArray:
        """(8, 3) world positions of the outer corners (voxel faces, not centres)."""
        ends = np.stack([np.full(3, -0.5), self.size_xyz - 0.5])
        choice = np.array(np.meshgrid([0, 1], [0, 1], [0, 1], indexing="ij")).reshape(3, 8).T
        return self.to_world(ends[choice, np.arange(3)])

    def points_mm(self) -> FloatArray:
        """(k, j, i, 3) world position of every voxel centre."""
        k, j, i = np.indices(self.shape, dtype=np.float64)
        return self.to_world(np.stack([i, j, k], axis=-1))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Grid):
            return NotImplemented
        return self.shape == other.shape and np.array_equal(
            self.world_from_index, other.world_from_index
        )

    __hash__ = None  # type: ignore[assignment]
