"""What an export is made of: plain values, taken from a solved case or given one by one."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fusioninit.errors import InputError
from fusioninit.exchange.frames import require_us_from_mr
from fusioninit.geometry import RigidTransform, Space
from fusioninit.imaging.volume import Volume
from fusioninit.landmarks import LandmarkSet, Source
from fusioninit.registration import LandmarkFit
from fusioninit.registration.disagreement import Disagreement
from fusioninit.state import Case, Core, Decision, Target

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Contents:
    """A registration and what it was made from.

    Parameters
    ----------
    us_from_mr : RigidTransform
    us_landmarks, mr_landmarks : LandmarkSet
    us, mr : Volume or None
        Without them, everything that needs no image is still written.
    fit : LandmarkFit or None
        Residuals, edge differences and warnings for report and sidecar.
    targets : tuple of Target
        In MR coordinates; written in US coordinates too.
    cores : tuple of Core
        The needle plan, in US coordinates.
    us_disagreement, mr_disagreement : Disagreement or None
        How far two networks' answers lie apart, for landmarks still as a network placed them.
    keep_identity : bool
        Whether DICOM objects, report and sidecar may say who the patient is.
    patient : str
        Who that is, as one line; empty unless the identity is kept.
    """

    us_from_mr: RigidTransform
    us_landmarks: LandmarkSet
    mr_landmarks: LandmarkSet
    us: Volume | None = None
    mr: Volume | None = None
    us_gland: Volume | None = None
    mr_gland: Volume | None = None
    fit: LandmarkFit | None = None
    targets: tuple[Target, ...] = ()
    cores: tuple[Core, ...] = ()
    decision: Decision | None = None
    us_disagreement: Disagreement | None = None
    mr_disagreement: Disagreement | None = None
    warnings: tuple[str, ...] = field(default=())
    keep_identity: bool = False
    patient: str = ""

    def __post_init__(self) -> None:
        require_us_from_mr(self.us_from_mr)

    def volume(self, space: Space) -> Volume | None:
        """The image of `space`."""
        return self.us if space is Space.US else self.mr

    def landmarks(self, space: Space) -> LandmarkSet:
        """The landmarks of `space`."""
        return self.us_landmarks if space is Space.US else self.mr_landmarks

    def gland(self, space: Space) -> Volume | None:
        """The gland's mask in `space`, where known."""
        return self.us_gland if space is Space.US else self.mr_gland

    def disagreement(self, space: Space) -> Disagreement | None:
        """How far two networks' answers in `space` lie apart, where two looked."""
        return self.us_disagreement if space is Space.US else self.mr_disagreement

    @property
    def check_us_mm(self) -> FloatArray:
        """(N, 3) US points that every file written must map right: all landmarks and targets."""
        targets = np.array([t.position_mr_mm for t in self.targets]).reshape(-1, 3)
        in_mr = np.concatenate([self.mr_landmarks.positions_mm(), targets])
        return np.concatenate([self.us_landmarks.positions_mm(), self.us_from_mr.apply(in_mr)])

    def predicted_error_mm(self, points_mr_mm: ArrayLike) -> FloatArray | None:
        """(N, 2) expected target error and its 95 % bound at (N, 3) MR points; None if unknown."""
        points = np.asarray(points_mr_mm, dtype=np.float64).reshape(-1, 3)
        if self.fit is None or self.fit.error_model is None:
            return None
        if not len(points):
            return np.zeros((0, 2))
        predicted = self.fit.predicted_error_mm(points)
        return np.stack([predicted.mean_mm, predicted.upper_mm], axis=-1)

    def target_distance_mm(self, core: Core) -> float | None:
        """How far the tissue taken passes the centre of the core's target; None without one."""
        target = next((t for t in self.targets if t.name == core.target), None)
        if target is None:
            return None
        return core.distance_mm(self.us_from_mr.apply(target.position_mr_mm))

    def all_warnings(self) -> tuple[str, ...]:
        """Every doubt about images and fit, a sentence each."""
        sentences = list(self.warnings)
        for space in (Space.MR, Space.US):
            volume = self.volume(space)
            if volume is not None:
                sentences += [f"{space.upper()}: {text}" for text in volume.source.warnings]
            apart = self.disagreement(space)
            if apart is not None and apart.doubtful:
                sentences.append(f"{space.upper()}: {apart.sentence()}")
        if self.fit is not None:
            sentences += list(self.fit.warnings)
        return tuple(dict.fromkeys(sentences))


def contents_of(case: Case) -> Contents:
    """The contents of a solved case.

    Raises
    ------
    InputError
        The case has no transform; the message says why.
    """
    fit = case.registration
    if not isinstance(fit, LandmarkFit):
        raise InputError(f"nothing to export yet: {fit.reason}")
    return Contents(
        us_from_mr=fit.us_from_mr,
        us_landmarks=case.us_landmarks,
        mr_landmarks=case.mr_landmarks,
        us=case.us,
        mr=case.mr,
        us_gland=case.us_gland,
        mr_gland=case.mr_gland,
        fit=fit,
        targets=case.targets,
        cores=case.cores,
        decision=case.decision,
        us_disagreement=_unreviewed(case, Space.US),
        mr_disagreement=_unreviewed(case, Space.MR),
    )


def _unreviewed(case: Case, space: Space) -> Disagreement | None:
    """How far both networks are apart, of landmarks that no person has placed or confirmed."""
    apart = case.disagreement(space)
    if apart is None:
        return None
    marks = case.landmarks(space).values()
    return apart.of(mark.name for mark in marks if mark.source is Source.PREDICTED)
