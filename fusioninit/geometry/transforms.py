"""Rigid transforms as values that know which spaces they join.

`us_from_mr` takes MR points to US points, and chains read by cancellation:
`us_from_probe = us_from_mr @ mr_from_probe`. Joining spaces that do not cancel raises.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fusioninit.geometry.spaces import Space

FloatArray = NDArray[np.float64]

ORTHONORMAL_TOLERANCE = 1e-6
"""Largest entry of |R R^T - I| accepted from outside; accepted matrices are then made exact."""


@dataclass(frozen=True, eq=False)
class RigidTransform:
    """A rotation and translation from `source` points to `target` points (LPS mm).

    Parameters
    ----------
    target, source : Space
        `RigidTransform(Space.US, Space.MR, matrix)` is `us_from_mr`.
    matrix : (4, 4) array
        Homogeneous, last row 0 0 0 1, upper left a proper rotation (det +1).

    Raises
    ------
    ValueError
        The matrix is not rigid: wrong shape, not finite, sheared, scaled or mirrored.
    """

    target: Space
    source: Space
    matrix: FloatArray = field(repr=False)

    def __post_init__(self) -> None:
        matrix = np.array(self.matrix, dtype=np.float64)
        if matrix.shape != (4, 4):
            raise ValueError(f"a rigid transform is a 4x4 matrix, found shape {matrix.shape}")
        if not np.isfinite(matrix).all():
            raise ValueError("a rigid transform has finite entries, found NaN or infinity")
        if not np.array_equal(matrix[3], [0, 0, 0, 1]):
            raise ValueError(f"the last row of a rigid transform is 0 0 0 1, found {matrix[3]}")
        rotation = matrix[:3, :3]
        deviation = np.abs(rotation @ rotation.T - np.eye(3)).max()
        if deviation > ORTHONORMAL_TOLERANCE:
            raise ValueError(
                f"not a rotation: R R^T differs from the identity by {deviation:.2g}; "
                "scaling or shear cannot be part of a rigid transform"
            )
        if np.linalg.det(rotation) < 0:
            raise ValueError("not a rotation: the matrix mirrors (determinant -1)")
        left, _, right = np.linalg.svd(rotation)
        matrix[:3, :3] = left @ right
        matrix.setflags(write=False)
        object.__setattr__(self, "matrix", matrix)

    @classmethod
    def identity(cls, target: Space, source: Space) -> RigidTransform:
        """The transform that leaves coordinates unchanged."""
        return cls(target, source, np.eye(4))

    @classmethod
    def from_parts(
        cls, target: Space, source: Space, *, rotation: ArrayLike, translation_mm: ArrayLike
    ) -> RigidTransform:
        """Compose `x -> rotation @ x + translation_mm`; rotation (3, 3), translation (3,)."""
        matrix = np.eye(4)
        matrix[:3, :3] = rotation
        matrix[:3, 3] = translation_mm
        return cls(target, source, matrix)

    @property
    def rotation(self) -> FloatArray:
        """(3, 3) rotation, det +1."""
        return self.matrix[:3, :3]

    @property
    def translation_mm(self) -> FloatArray:
        """(3,) translation, applied after the rotation."""
        return self.matrix[:3, 3]

    @property
    def angle_deg(self) -> float:
        """Size of the rotation: the norm of its rotation vector, 0 to 180 degrees."""
        return float(np.degrees(np.linalg.norm(rotation_vector_rad(self.rotation))))

    def apply(self, points_mm: ArrayLike) -> FloatArray:
        """Take `(..., 3)` points of `source` to `(..., 3)` points of `target`, both mm."""
        return np.asarray(points_mm, dtype=np.float64) @ self.rotation.T + self.translation_mm

    def apply_direction(self, directions: ArrayLike) -> FloatArray:
        """Rotate `(..., 3)` directions of `source` into `target`; no translation."""
        return np.asarray(directions, dtype=np.float64) @ self.rotation.T

    def inverse(self) -> RigidTransform:
        """The transform from `target` back to `source`; computed once."""
        return self._inverse

    @cached_property
    def _inverse(self) -> RigidTransform:
        return RigidTransform.from_parts(
            self.source,
            self.target,
            rotation=self.rotation.T,
            translation_mm=-self.rotation.T @ self.translation_mm,
        )

    def __matmul__(self, other: RigidTransform) -> RigidTransform:
        """Chain: `(a_from_b @ b_from_c)` is `a_from_c`; ValueError when b differs."""
        if self.source != other.target:
            raise ValueError(
                f"cannot chain {self.target}_from_{self.source} with "
                f"{other.target}_from_{other.source}: {self.source} and {other.target} differ"
            )
        return RigidTransform(self.target, other.source, self.matrix @ other.matrix)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RigidTransform):
            return NotImplemented
        return (
            self.target == other.target
            and self.source == other.source
            and np.array_equal(self.matrix, other.matrix)
        )

    __hash__ = None  # type: ignore[assignment]


def rotation_matrix(rotation_vector_rad: ArrayLike) -> FloatArray:
    """Rotation of `(..., 3)` rotation vectors (axis times angle, radians), by Rodrigues' formula.

    >>> np.round(rotation_matrix([0, 0, np.pi / 2]) @ [1, 0, 0], 12)
    array([0., 1., 0.])
    """
    vector = np.asarray(rotation_vector_rad, dtype=np.float64)
    angle = np.linalg.norm(vector, axis=-1)[..., None, None]
    cross = _cross_matrix(vector)
    # sin(a)/a and (1-cos(a))/a^2, both finite at a = 0
    first = np.sinc(angle / np.pi)
    second = 0.5 * np.sinc(angle / (2 * np.pi)) ** 2
    return np.eye(3) + first * cross + second * (cross @ cross)


def rotation_vector_rad(rotation: ArrayLike) -> FloatArray:
    """Rotation vector (3,) of a rotation (3, 3): axis times angle, angle in 0 to pi.

    >>> rotation_vector_rad(rotation_matrix([0.1, -0.2, 0.3])).round(12)
    array([ 0.1, -0.2,  0.3])
    """
    matrix = np.asarray(rotation, dtype=np.float64)
    skew = np.array(
        [matrix[2, 1] - matrix[1, 2], matrix[0, 2] - matrix[2, 0], matrix[1, 0] - matrix[0, 1]]
    )
    sine, cosine = np.linalg.norm(skew) / 2, (np.trace(matrix) - 1) / 2
    angle = np.arctan2(sine, cosine)
    if sine > 1e-7:
        return skew * (angle / (2 * sine))
    if cosine > 0:
        return skew / 2
    # Half a turn: the axis is the eigenvector of (R + I) / 2 with eigenvalue 1.
    outer = (matrix + np.eye(3)) / 2
    axis = outer[:, np.argmax(np.diag(outer))]
    return angle * axis / np.linalg.norm(axis)


def _cross_matrix(vector: FloatArray) -> FloatArray:
    x, y, z = np.moveaxis(vector, -1, 0)
    zero = np.zeros_like(x)
    rows = [np.stack(row, -1) for row in ([zero, -z, y], [z, zero, -x], [-y, x, zero])]
    return np.stack(rows, -2)
