"""Needle plans: the systematic twelve cores, and cores through targets, for either approach."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fusioninit.errors import InputError
from fusioninit.geometry import RigidTransform
from fusioninit.imaging.volume import Volume
from fusioninit.landmarks import LandmarkSet
from fusioninit.state.case import Case, Target
from fusioninit.state.gland_frame import GlandFrame
from fusioninit.state.needle_plan import SAMPLE_MM, Core, CoreKind

FloatArray = NDArray[np.float64]

HEIGHTS = {"base": 5 / 6, "mid": 3 / 6, "apex": 1 / 6}
"""Middle of each third of the gland, as a share of its height from the apex."""

PLACES = {"lateral": 0.70, "medial": 0.30}
"""Far lateral and parasagittal cores, as a share of the half width at that height: the extended
sextant scheme takes one of each in every sextant. The shares are ours: they keep both inside the
gland and off the urethra."""

PERIPHERAL_MM = 8.0
"""Depth in front of the rear surface that a systematic core passes: half of a sample, so that
most of what is taken is peripheral zone."""

RING_SHARE = 0.5
"""Further cores through a target pass it at this share of its radius, all round."""

SMALLEST_RING_MM = 2.0


class Approach(StrEnum):
    """Which way needles go in."""

    TRANSRECTAL = "transrectal"
    TRANSPERINEAL = "transperineal"


@dataclass(frozen=True)
class NeedleRule:
    """How needles go in.

    Parameters
    ----------
    approach : Approach
        Transrectal needles enter through the gland's rear surface, forwards and upwards.
        Transperineal needles run along the gland's long axis from a plane below the apex.
    sample_mm : float
        Length of the tissue taken.
    tilt_deg : float
        Transrectal: angle of the needle from straight forwards towards superior.
    perineum_mm : float
        Transperineal: distance of the entry plane below the apex (the template on the skin).
    """

    approach: Approach = Approach.TRANSRECTAL
    sample_mm: float = SAMPLE_MM
    tilt_deg: float = 30.0
    perineum_mm: float = 40.0

    @property
    def direction(self) -> FloatArray:
        """(3,) unit direction of the needle, in the gland's left, posterior, superior axes."""
        if self.approach is Approach.TRANSPERINEAL:
            return np.array([0.0, 0.0, 1.0])
        tilt = np.deg2rad(self.tilt_deg)
        return np.array([0.0, -np.cos(tilt), np.sin(tilt)])


def systematic_template(
    landmarks_us: LandmarkSet, *, gland: Volume | None = None, rule: NeedleRule | None = None
) -> tuple[Core, ...]:
    """Twelve cores: left and right, base, mid and apex, lateral and medial.

    Directions come from apex, bladder neck and posterior median; extents from the gland's mask
    where there is one, otherwise from the laterals (or a usual width). Cores stay in the gland:
    near its ends they are shorter.

    Raises
    ------
    InputError
        A required landmark is missing, or the mask does not lie about the landmarks.
    """
    rule = rule or NeedleRule()
    frame = GlandFrame.of(landmarks_us, gland)
    low, high = frame.height_range_mm()
    cores = []
    for side in ("left", "right"):
        for level, share in HEIGHTS.items():
            height = low + share * (high - low)
            width = frame.half_width_mm(height, is_left=side == "left")
            for place, part in PLACES.items():
                x = part * width * (1 if side == "left" else -1)
                rear = _rear_surface(frame, x, height)
                middle = np.array([x, rear - PERIPHERAL_MM, height])
                entry, tip = _path(frame, middle, rule, must_stay_inside=True)
                cores.append(_core(frame, f"{side.title()} {level} {place}", entry, tip, rule))
    return tuple(cores)


def targeted_cores(
    target: Target,
    count: int,
    *,
    us_from_mr: RigidTransform,
    landmarks_us: LandmarkSet,
    gland: Volume | None = None,
    rule: NeedleRule | None = None,
) -> tuple[Core, ...]:
    """`count` cores through a target: the first through its centre, the others around it.

    The target lies at the middle of the tissue taken, unless it is so near the entry that the
    sample would begin before it.

    Raises
    ------
    InputError
        A required landmark is missing.
    """
    rule = rule or NeedleRule()
    frame = GlandFrame.of(landmarks_us, gland)
    centre = frame.to_local(us_from_mr.apply(target.position_mr_mm))
    ring_mm = max(RING_SHARE * target.radius_mm, SMALLEST_RING_MM)
    cores = []
    for number, offset in enumerate(_ring(rule.direction, count), start=1):
        entry, tip = _path(frame, centre + ring_mm * offset, rule, must_stay_inside=False)
        name = f"{target.name} {number}"
        cores.append(_core(frame, name, entry, tip, rule, target=target.name))
    return tuple(cores)


def plan_cores(
    case: Case, *, rule: NeedleRule | None = None, systematic: bool = True, per_target: int = 2
) -> tuple[Core, ...]:
    """The whole plan of a case: the systematic template, then `per_target` cores for each target.

    Raises
    ------
    InputError
        Landmarks are missing, or there are targets and no transform to bring them into the US.
    """
    marks, gland = case.us_landmarks, case.us_gland
    cores = systematic_template(marks, gland=gland, rule=rule) if systematic else ()
    if not case.targets or per_target < 1:
        return cores
    transform = case.us_from_mr
    if transform is None:
        raise InputError("targets cannot be brought into the US yet; place the landmarks first")
    for target in case.targets:
        cores += targeted_cores(
            target, per_target, us_from_mr=transform, landmarks_us=marks, gland=gland, rule=rule
        )
    return cores


def target_miss_mm(case: Case, core: Core) -> float | None:
    """How far (mm) a targeted core passes its target's centre, by the transform as it is now.

    None for a systematic core, an unsolved case or a target that is gone. It grows where
    landmarks were moved after the plan was made.
    """
    transform = case.us_from_mr
    target = next((t for t in case.targets if t.name == core.target), None)
    if transform is None or target is None:
        return None
    return core.distance_mm(transform.apply(target.position_mr_mm))


def _rear_surface(frame: GlandFrame, x: float, height: float) -> float:
    span = frame.span_mm([x, 0.0, height], [0.0, 1.0, 0.0])
    if span is None:
        raise InputError(
            "the US gland does not lie about the US landmarks; correct the outline or the landmarks"
        )
    return span[1]


def _path(
    frame: GlandFrame, middle: FloatArray, rule: NeedleRule, *, must_stay_inside: bool
) -> tuple[FloatArray, FloatArray]:
    """Entry and tip (local) of a needle whose sample has its middle at a local point."""
    direction, half = rule.direction, rule.sample_mm / 2
    begin, end = frame.span_mm(middle, direction) or (-half, half)
    is_transrectal = rule.approach is Approach.TRANSRECTAL
    # near the surface the sample begins at the surface instead of before it
    reach = max(half, begin + rule.sample_mm)
    if must_stay_inside:
        # a systematic transrectal sample begins at the surface: peripheral zone comes first
        reach = min(begin + rule.sample_mm if is_transrectal else reach, end)
    tip = middle + reach * direction
    if is_transrectal:
        return middle + min(begin, 0.0) * direction, tip
    plane = -float(frame.half_mm[3]) - rule.perineum_mm
    return np.array([middle[0], middle[1], min(plane, tip[2] - rule.sample_mm)]), tip


def _core(
    frame: GlandFrame,
    name: str,
    entry: ArrayLike,
    tip: ArrayLike,
    rule: NeedleRule,
    *,
    target: str | None = None,
) -> Core:
    kind = CoreKind.SYSTEMATIC if target is None else CoreKind.TARGETED
    return Core(name, frame.to_us(entry), frame.to_us(tip), kind, target, rule.sample_mm)


def _ring(direction: FloatArray, count: int) -> list[FloatArray]:
    """The centre, then `count` - 1 unit offsets across the needle, evenly turned."""
    first = np.array([1.0, 0.0, 0.0])
    second = np.cross(direction, first)
    turns = 2 * np.pi * np.arange(count - 1) / max(count - 1, 1)
    return [np.zeros(3), *(np.cos(turn) * first + np.sin(turn) * second for turn in turns)][:count]
