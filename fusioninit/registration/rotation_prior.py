"""What is known of the rotation from MR to US before any point is seen: `RotationPrior`."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtri

from fusioninit.geometry import rotation_vector_rad

FloatArray = NDArray[np.float64]


class Probe(StrEnum):
    """How the ultrasound beam leaves the probe: along its axis, or to its side."""

    UNKNOWN = "unknown"
    END_FIRE = "end-fire"
    SIDE_FIRE = "side-fire"


END_FIRE_PITCH_DEG = 60.0
SIDE_FIRE_PITCH_DEG = 25.0
ROLL_YAW_DEG = 15.0
"""Ranges of the true rotation: pitch 0 to 60 (end-fire) or 0 to 25 (side-fire), either sign (no
frame fixes it), roll and yaw within +-15 degrees. The same ranges draw the synthetic pairs."""

HEAVY_TAIL_DOF = 4.0
"""Degrees of freedom of the Student tail: a frame turned further than the ranges say pulls with
a fraction of a Gaussian's force instead of being dragged back. 4 is the usual robust choice."""

USUAL = 0.997
"""Rotations outside this central share of the prior are surprising ("three sigma")."""

USUAL_DISTANCE2 = float(chdtri(3, 1 - USUAL))

Distance = TypeVar("Distance", float, FloatArray)

MIN_SAMPLES = 8
"""Rotations needed to learn a prior: six covariance entries and three means from fewer is noise."""


@dataclass(frozen=True, eq=False)
class RotationPrior:
    """A Gaussian or Student-t distribution over the rotation vector of `fixed_from_moving`.

    Parameters
    ----------
    mean_rad : (3,) array
        Rotation vector (axis times angle) about L, P and S: pitch, roll, yaw.
    covariance_rad2 : (3, 3) array
        Its spread. Infinite diagonal entries are not allowed: use `RotationPrior.flat()`.
    name : str
        What a person reads: "end-fire probe", "learned from 40 cases".
    dof : float
        Degrees of freedom of the tail; infinity is Gaussian.
    """

    mean_rad: FloatArray
    covariance_rad2: FloatArray
    name: str = "own prior"
    dof: float = float("inf")
    precision: FloatArray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        freeze_gaussian(self, "rotation prior", "mean_rad", "covariance_rad2")
        precision: FloatArray = np.linalg.inv(self.covariance_rad2).astype(np.float64)
        object.__setattr__(self, "precision", precision)

    @classmethod
    def from_degrees(
        cls, *, mean_deg: ArrayLike, sd_deg: ArrayLike, name: str, dof: float = float("inf")
    ) -> RotationPrior:
        """Independent angles: `mean_deg` and `sd_deg` (3,) about L, P and S."""
        variance = np.radians(np.asarray(sd_deg, dtype=np.float64)) ** 2
        return cls(np.radians(np.asarray(mean_deg, float)), np.diag(variance), name, dof)

    @classmethod
    def for_probe(cls, probe: Probe = Probe.UNKNOWN) -> RotationPrior:
        """The stated ranges of a probe type as a distribution of the same second moment."""
        ranges = {
            Probe.END_FIRE: [END_FIRE_PITCH_DEG],
            Probe.SIDE_FIRE: [SIDE_FIRE_PITCH_DEG],
            Probe.UNKNOWN: [END_FIRE_PITCH_DEG, SIDE_FIRE_PITCH_DEG],
        }[Probe(probe)]
        # second moment of a uniform angle on [0, a] or [-a, a] alike: a^2 / 3
        pitch = float(np.sqrt(np.mean(np.square(ranges)) / 3))
        other = ROLL_YAW_DEG / np.sqrt(3)
        return cls.from_degrees(
            mean_deg=(0, 0, 0),
            sd_deg=(pitch, other, other),
            name=f"{Probe(probe)} probe",
            dof=HEAVY_TAIL_DOF,
        )

    @classmethod
    def flat(cls) -> RotationPrior:
        """Nothing is known: so wide that it never moves an estimate."""
        return cls(np.zeros(3), np.eye(3) * 1e12, "no prior")

    @classmethod
    def learned(cls, rotations: ArrayLike, *, name: str = "") -> RotationPrior:
        """Mean and spread of true rotations (N, 3, 3) that the user measured on own cases.

        Raises
        ------
        ValueError
            Fewer than `MIN_SAMPLES` rotations.
        """
        stack = np.asarray(rotations, dtype=np.float64)
        if stack.ndim != 3 or len(stack) < MIN_SAMPLES:
            raise ValueError(
                f"learning a rotation prior needs at least {MIN_SAMPLES} rotations (N, 3, 3), "
                f"found shape {stack.shape}"
            )
        vectors = np.array([rotation_vector_rad(rotation) for rotation in stack])
        spread = np.cov(vectors.T) + np.radians(1.0) ** 2 * np.eye(3)
        return cls(vectors.mean(axis=0), spread, name or f"learned from {len(stack)} cases")

    @property
    def sd_deg(self) -> FloatArray:
        """(3,) standard deviation about L, P and S."""
        return np.degrees(np.sqrt(np.diag(self.covariance_rad2)))

    @property
    def is_flat(self) -> bool:
        """Whether it says nothing."""
        return bool(self.sd_deg.min() > 1e4)

    @property
    def second_moment_rad2(self) -> FloatArray:
        """(3, 3) E[w w^T]: how wrong "no rotation at all" is on average, squared.

        A Student-t has variance `covariance * dof / (dof - 2)`.
        """
        widening = self.dof / (self.dof - 2) if np.isfinite(self.dof) else 1.0
        return self.covariance_rad2 * widening + np.outer(self.mean_rad, self.mean_rad)

    def distance2(self, rotation_vector: FloatArray) -> float:
        """Squared Mahalanobis distance of a rotation vector (3,), radians."""
        offset = rotation_vector - self.mean_rad
        return float(offset @ self.precision @ offset)

    def weight(self, distance2: Distance) -> Distance:
        """How strongly the prior pulls at that distance: 1 for a Gaussian, less in a tail."""
        if not np.isfinite(self.dof):
            return 0 * distance2 + 1.0
        return (self.dof + 3) / (self.dof + distance2)

    def is_surprised_by(self, rotation: FloatArray, *, quantile: float = USUAL) -> bool:
        """Whether a rotation (3, 3) lies outside the central `quantile` of the prior."""
        inside = chdtri(3, 1 - quantile)
        return self.distance2(rotation_vector_rad(rotation)) > float(inside)


def freeze_gaussian(prior: object, what: str, mean: str, covariance: str) -> None:
    """Make the mean (3,) and covariance (3, 3) of a frozen dataclass read-only float64.

    Raises
    ------
    ValueError
        One of the two fields is not finite or of another shape, or no covariance.
    """
    for attribute, want in ((mean, (3,)), (covariance, (3, 3))):
        value = np.array(getattr(prior, attribute), dtype=np.float64)
        if value.shape != want or not np.isfinite(value).all():
            raise ValueError(f"{what}: {attribute} must be finite with shape {want}")
        value.setflags(write=False)
        object.__setattr__(prior, attribute, value)
    if np.linalg.eigvalsh(getattr(prior, covariance)).min() <= 0:
        raise ValueError(f"{what}: the covariance must be positive definite")
