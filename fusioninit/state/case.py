"""`Case`: everything known about one patient at one moment. A change is a new value."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fusioninit.geometry import RigidTransform, Space
from fusioninit.imaging.volume import Volume
from fusioninit.landmarks import LandmarkSet
from fusioninit.registration import FitModel, LandmarkFit, Unsolved, fit_landmarks
from fusioninit.registration.corrections import with_shared_doubt
from fusioninit.registration.disagreement import Disagreement, compare_answers
from fusioninit.registration.gland_shape import GlandShape
from fusioninit.state.needle_plan import Core, require_distinct_names
from fusioninit.state.pose_prior import PosePrior

FIXED, MOVING = Space.US, Space.MR
"""US is fixed and MR moves onto it. Said here, once; elsewhere the words are `us` and `mr`."""


@dataclass(frozen=True, eq=False)
class Target:
    """A biopsy target: a point of the MR (LPS mm) with a name, and a radius to draw it with."""

    name: str
    position_mr_mm: NDArray[np.float64]
    radius_mm: float = 3.0

    def __post_init__(self) -> None:
        position = np.array(self.position_mr_mm, dtype=np.float64)
        if position.shape != (3,) or not np.isfinite(position).all():
            raise ValueError(f"target {self.name}: position must be three finite mm, x y z")
        position.setflags(write=False)
        object.__setattr__(self, "position_mr_mm", position)


@dataclass(frozen=True)
class Decision:
    """What the reviewing person decided about the alignment, and why."""

    accepted: bool
    reason: str = ""
    initials: str = ""


def _empty_us() -> LandmarkSet:
    return LandmarkSet(Space.US)


def _empty_mr() -> LandmarkSet:
    return LandmarkSet(Space.MR)


@dataclass(frozen=True, eq=False)
class Case:
    """Volumes, landmarks, glands, targets, cores, estimator and prior chosen, the decision taken.

    `registration` is derived, so landmarks and transform cannot disagree. `us_predicted` and
    `mr_predicted` keep what the network last said, for comparison and revert; `us_second` and
    `mr_second` what the second network said of the same volume, empty where only one looked.
    """

    us: Volume | None = None
    mr: Volume | None = None
    us_landmarks: LandmarkSet = field(default_factory=_empty_us)
    mr_landmarks: LandmarkSet = field(default_factory=_empty_mr)
    us_predicted: LandmarkSet = field(default_factory=_empty_us)
    mr_predicted: LandmarkSet = field(default_factory=_empty_mr)
    us_second: LandmarkSet = field(default_factory=_empty_us)
    mr_second: LandmarkSet = field(default_factory=_empty_mr)
    us_gland: Volume | None = None
    mr_gland: Volume | None = None
    targets: tuple[Target, ...] = ()
    cores: tuple[Core, ...] = ()
    estimator: str = "svd"
    prior: PosePrior = field(default_factory=PosePrior)
    decision: Decision | None = None

    def volume(self, space: Space) -> Volume | None:
        """The volume of `space`, if open."""
        return self.us if space is Space.US else self.mr

    def landmarks(self, space: Space) -> LandmarkSet:
        """The current landmarks of `space`."""
        return self.us_landmarks if space is Space.US else self.mr_landmarks

    def predicted(self, space: Space) -> LandmarkSet:
        """What the network last proposed in `space`."""
        return self.us_predicted if space is Space.US else self.mr_predicted

    def second(self, space: Space) -> LandmarkSet:
        """What the second network proposed in `space`; empty where only one looked."""
        return self.us_second if space is Space.US else self.mr_second

    def disagreement(self, space: Space) -> Disagreement | None:
        """How far both networks' answers in `space` lie apart; None where only one looked."""
        second = self.second(space)
        return compare_answers(self.predicted(space), second) if second else None

    def gland(self, space: Space) -> Volume | None:
        """The gland mask of `space` (voxels > 0.5 are gland), if known."""
        return self.us_gland if space is Space.US else self.mr_gland

    def gland_shape(self, space: Space) -> GlandShape | None:
        """The gland's surface and centroid, as evidence for the fit; None without a usable mask.

        A network's own mask is shown but is no evidence: on the synthetic benchmark the fit is no
        better with it (surface error to the true transform 2.03 mm with and without), because it
        errs together with the landmarks of the same network (decision 7).
        """
        gland = self.gland(space)
        if gland is None or gland.source.format == "predicted":
            return None
        return _shape_of(gland)

    def with_volume(self, volume: Volume) -> Case:
        """A case showing `volume`; what was known of the old volume of that space goes."""
        name = volume.space.value
        empty = LandmarkSet(volume.space)
        return self._with(
            **{name: volume, f"{name}_landmarks": empty, f"{name}_predicted": empty},
            **{f"{name}_second": empty, f"{name}_gland": None, "decision": None},
            **({"targets": ()} if volume.space is MOVING else {"cores": ()}),
        )

    def with_reference(self, volume: Volume) -> Case:
        """A case whose volume of that space is the same one read from elsewhere: nothing goes."""
        return self._with(**{volume.space.value: volume})

    def with_landmarks(self, landmarks: LandmarkSet) -> Case:
        """A case with other landmarks in their space. A decision taken before no longer stands."""
        return self._with(**{f"{landmarks.space.value}_landmarks": landmarks, "decision": None})

    def with_prediction(
        self,
        landmarks: LandmarkSet,
        gland: Volume | None = None,
        second: LandmarkSet | None = None,
    ) -> Case:
        """A case in which the network's answer is proposed; locked landmarks stay as they are.

        `second` is what a second network answered, kept for comparison.
        """
        name = landmarks.space.value
        other = LandmarkSet(landmarks.space) if second is None else second
        current = landmarks
        for mark in self.landmarks(landmarks.space).landmarks:
            if mark.locked:
                current = current.with_landmark(mark)
        return self._with(
            **{f"{name}_landmarks": current, f"{name}_predicted": landmarks},
            **{f"{name}_second": other, f"{name}_gland": gland, "decision": None},
        )

    def with_gland(self, gland: Volume) -> Case:
        """A case with another gland mask in the mask's space."""
        return self._with(**{f"{gland.space.value}_gland": gland, "decision": None})

    def with_targets(self, targets: tuple[Target, ...]) -> Case:
        """A case with other targets."""
        return self._with(targets=targets)

    def with_cores(self, cores: tuple[Core, ...]) -> Case:
        """A case with another needle plan; ValueError where two cores have one name."""
        return self._with(cores=require_distinct_names(tuple(cores)))

    def with_estimator(self, estimator: str) -> Case:
        """A case solved by another estimator."""
        return self._with(estimator=estimator, decision=None)

    def with_prior(self, prior: PosePrior) -> Case:
        """A case in which something else is assumed of the pose."""
        return self._with(prior=prior, decision=None)

    def with_decision(self, decision: Decision | None) -> Case:
        """A case in which a person has decided (or withdrawn the decision)."""
        return self._with(decision=decision)

    def _with(self, **changes: Any) -> Case:
        return replace(self, **changes)

    @cached_property
    def registration(self) -> LandmarkFit | Unsolved:
        """The transform that the landmarks of this case determine, or why there is none."""
        return fit_landmarks(
            fixed=with_shared_doubt(self.landmarks(FIXED), self.predicted(FIXED)),
            moving=with_shared_doubt(self.landmarks(MOVING), self.predicted(MOVING)),
            estimator=self.estimator,
            fixed_gland=self.gland_shape(FIXED),
            moving_gland=self.gland_shape(MOVING),
            model=self._model,
        )

    @cached_property
    def _model(self) -> FitModel:
        return self.prior.model(None if self.us is None else self.us.grid)

    @property
    def us_from_mr(self) -> RigidTransform | None:
        """The solved transform, or None while unsolved."""
        fit = self.registration
        return fit.us_from_mr if isinstance(fit, LandmarkFit) else None

    def in_us(self, points_mm: ArrayLike, space: Space) -> NDArray[np.float64] | None:
        """`(..., 3)` points of `space` in US coordinates; None for MR points while unsolved."""
        if space is Space.US:
            return np.asarray(points_mm, dtype=np.float64)
        transform = self.us_from_mr
        return None if transform is None else transform.apply(points_mm)


@lru_cache(maxsize=8)
def _shape_of(gland: Volume) -> GlandShape | None:
    """Kept per mask, so that a drag does not extract surfaces again."""
    try:
        return GlandShape.from_mask(gland.voxels, gland.grid)
    except ValueError:
        return None
