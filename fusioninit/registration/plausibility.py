"""Checks of landmarks and poses against anatomy, each answered by findings.

Thresholds are constants with their reason. They are meant to be silent on a usable pair: a
warning that always shows is read by nobody.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.special import chdtrc, chdtri

from fusioninit.landmarks import LABELS, REQUIRED_NAMES, LandmarkName, LandmarkSet
from fusioninit.registration.estimate import Estimate, Evidence
from fusioninit.registration.estimators.posterior_mode import leave_one_out_distance2
from fusioninit.registration.estimators.robust import MIN_KEPT
from fusioninit.registration.findings import Finding
from fusioninit.registration.landmark_pairs import LandmarkPairs

APEX_TO_NECK_MM = (20.0, 75.0)
"""Apex to neck is 40.8 +- 4.3 mm in readers' points, glands are 31 to 60 mm long. Outside this
wider band a point lies in another organ."""

POSTERIOR_OFFSET_MM = 5.0
"""The posterior median lies 22.7 +- 1.6 mm behind the line from apex to neck; at less than this
it lies in front of the line, or nearly: an image upside down, or two points exchanged."""

EDGE_LIMIT_SD = 2.0
READER_SD_MM = 1.9
STRETCH_SD_MM = 2.9
EDGE_LIMIT_MM = 10.0
"""Two SD of a length difference: readers' 1.9 mm at both ends in both images (3.8 mm) and a
stretch of 7 % of a 41 mm edge (2.9 mm) make 4.8 mm, hence 10. Where a network says that its
points are less sure, the limit follows: it is then the predicted error that warns."""

NEARLY_COLLINEAR_MM = 5.0
"""Off-line spread (RMS). Readers' points have 10 mm; at half of that a point error of 3 mm
turns the pose about the line by more than 30 degrees."""

VOLUME_RATIO = 1.6
"""Between two outlines of one gland: diameters that differ by 17 %; probes stretch by 12 %."""

CENTROID_LIMIT_MM = 10.0
"""Between the glands' centroids after alignment. Both centroids' SD of 1.4 mm and 2.5 mm of a
landmark fit make 3.2 mm per axis: one good fit in fifty lies further apart."""

FAR_TURN_DEG = 75.0
"""No probe held in a rectum turns the gland further: end-fire probes reach 60 degrees."""

PRIOR_QUANTILE = RESIDUAL_QUANTILE = 0.997
"""Three sigma: one good fit in three hundred is questioned."""

_CHECK_POINT = "Check where this landmark lies in both images."


def anatomy_findings(landmarks: LandmarkSet) -> tuple[Finding, ...]:
    """What contradicts anatomy within one image; landmarks that are missing are not judged."""
    return tuple(_anatomy(landmarks))


def anatomy_warnings(landmarks: LandmarkSet) -> tuple[str, ...]:
    """`anatomy_findings` as sentences."""
    return tuple(str(finding) for finding in anatomy_findings(landmarks))


def fit_findings(
    fixed: LandmarkSet, moving: LandmarkSet, evidence: Evidence, estimate: Estimate
) -> tuple[Finding, ...]:
    """Everything doubtful about two landmark sets and the pose fitted to them."""
    return (
        *_anatomy(moving),
        *_anatomy(fixed),
        *_pair_shape(evidence.pairs),
        *_pose(evidence, estimate),
        *_residuals(estimate),
        *_glands(evidence, estimate),
    )


def _anatomy(landmarks: LandmarkSet) -> Iterator[Finding]:
    image = landmarks.space.upper()
    points = {name: landmarks[name].position_mm for name in landmarks}
    if {"apex", "bladder_neck"} <= points.keys():
        yield from _apex_and_neck(points["apex"], points["bladder_neck"], image)
    if {"apex", "bladder_neck", "posterior_median"} <= points.keys():
        yield from _posterior(points, image)
    if {"left_lateral", "right_lateral"} <= points.keys():
        yield from _laterals(points["left_lateral"], points["right_lateral"], image)


def _laterals(left: np.ndarray, right: np.ndarray, image: str) -> Iterator[Finding]:
    if left[0] <= right[0]:
        yield Finding(
            "mirrored",
            f"{image}: the left lateral point lies on the patient's right.",
            "Check the image's left-right orientation; the points may be exchanged.",
            "left_lateral",
        )


def _apex_and_neck(apex: np.ndarray, neck: np.ndarray, image: str) -> Iterator[Finding]:
    if apex[2] > neck[2]:
        yield Finding(
            "upside-down",
            f"{image}: the apex lies above the bladder neck.",
            "Exchange the two points, or check the image's orientation.",
            "apex",
        )
    length = float(np.linalg.norm(neck - apex))
    low, high = APEX_TO_NECK_MM
    if not low <= length <= high:
        yield Finding(
            "gland-length",
            f"{image}: apex and bladder neck are {length:.0f} mm apart; "
            f"{low:.0f} to {high:.0f} mm is usual.",
            "Check both points, and the image's voxel size.",
            "bladder_neck",
        )


def _posterior(points: dict[LandmarkName, np.ndarray], image: str) -> Iterator[Finding]:
    apex, neck, posterior = (points[name] for name in ("apex", "bladder_neck", "posterior_median"))
    along = (neck - apex) / max(float(np.linalg.norm(neck - apex)), 1e-6)
    off = posterior - apex - along * ((posterior - apex) @ along)
    behind = float(off[1])
    if behind < 0 and float(np.linalg.norm(off)) > POSTERIOR_OFFSET_MM:
        yield Finding(
            "posterior-in-front",
            f"{image}: the posterior median lies in front of the line from apex to bladder neck.",
            "Move it to the back of the gland, or check the image's orientation.",
            "posterior_median",
        )


def _pair_shape(pairs: LandmarkPairs) -> Iterator[Finding]:
    # auxiliary points slide along their ridge: their residuals are judged, not their edges
    yield from _edges(pairs.only([i for i, n in enumerate(pairs.names) if n in REQUIRED_NAMES]))
    if len(pairs) >= 3:
        flat = min(pairs.spreads_mm)
        if flat < NEARLY_COLLINEAR_MM:
            yield Finding(
                "collinear",
                f"The landmarks lie nearly on one line ({flat:.0f} mm off it): "
                "the turn about that line is hardly known.",
                "Place the posterior median further back, on the rectal surface.",
                "posterior_median",
            )
    if len(pairs) >= 4 and _is_mirrored(pairs):
        yield Finding(
            "mirrored",
            "The landmarks of MR and US are mirror images of each other.",
            "Check left and right in both images; two points may be exchanged.",
        )


def _edges(pairs: LandmarkPairs) -> Iterator[Finding]:
    if len(pairs) < 2:
        return
    difference = _lengths(pairs.moving_mm) - _lengths(pairs.fixed_mm)
    size = np.abs(difference)
    excess = size - _edge_limits_mm(pairs)
    if excess.max() <= 0:
        return
    first, second = np.unravel_index(np.argmax(excess), size.shape)
    culprit = pairs.names[int(np.argmax(size.sum(axis=1)))] if len(pairs) > 2 else None
    ends = f"{LABELS[pairs.names[first]]} and {LABELS[pairs.names[second]].lower()}"
    longer = "MR" if difference[first, second] > 0 else "US"
    yield Finding(
        "edge-length",
        f"{ends} are {size[first, second]:.0f} mm further apart in {longer} than in the other "
        "image; a gland does not change its length that much.",
        f"Check {'both points' if culprit is None else LABELS[culprit].lower() + ' first'}.",
        culprit,
    )


def _edge_limits_mm(pairs: LandmarkPairs) -> np.ndarray:
    """(N, N) largest length difference that is not questioned, by the points' mean variances."""
    own = [pairs.fixed_covariance_mm2, pairs.moving_covariance_mm2]
    variance = np.trace(own, axis1=2, axis2=3) / 3
    variance = np.where(pairs.is_measured, variance, READER_SD_MM**2).sum(axis=0)
    sd = np.sqrt(variance[:, None] + variance[None] + STRETCH_SD_MM**2)
    return np.maximum(EDGE_LIMIT_MM, EDGE_LIMIT_SD * sd)


def _lengths(points_mm: np.ndarray) -> np.ndarray:
    lengths: np.ndarray = np.linalg.norm(points_mm[:, None] - points_mm[None], axis=-1)
    return lengths


def _is_mirrored(pairs: LandmarkPairs) -> bool:
    """Whether a reflection fits the points better than any rotation, and the points are solid."""
    fixed = pairs.fixed_mm - pairs.fixed_mm.mean(axis=0)
    moving = pairs.moving_mm - pairs.moving_mm.mean(axis=0)
    left, size, right = np.linalg.svd(fixed.T @ moving)
    depth = size[2] / len(pairs)
    return bool(np.linalg.det(left) * np.linalg.det(right) < 0 and depth > NEARLY_COLLINEAR_MM**2)


def _pose(evidence: Evidence, estimate: Estimate) -> Iterator[Finding]:
    rotation = estimate.pose.rotation
    cosine = np.clip((np.trace(rotation) - 1) / 2, -1, 1)
    angle = float(np.degrees(np.arccos(cosine)))
    prior = evidence.model.prior
    if angle > FAR_TURN_DEG:
        yield Finding(
            "far-off-pose",
            f"MR would be turned by {angle:.0f} degrees to fit US, further than any probe reaches.",
            "Check the orientation of both images, and whether two points are exchanged.",
        )
    elif prior.is_surprised_by(rotation, quantile=PRIOR_QUANTILE):
        yield Finding(
            "unusual-rotation",
            f"MR is turned by {angle:.0f} degrees in a way that is unusual ({prior.name}).",
            "Compare the posterior surface and the midline in both images.",
        )


def _residuals(estimate: Estimate) -> Iterator[Finding]:
    for name in estimate.dropped:
        yield Finding(
            "refuted-landmark",
            f"{LABELS[name]} was left out: it contradicts all other landmarks.",
            _CHECK_POINT,
            name,
        )
    size, expected = estimate.residual_chi2
    fits = expected < 0.5 or chdtrc(expected, size) > 1 - RESIDUAL_QUANTILE
    culprit, count = None, len(estimate.pairs)
    # among many good landmarks one that is far off hardly shows in the sum; `robust` has looked
    one_by_one = count > MIN_KEPT and estimate.method != "robust"
    if count >= 3 and (one_by_one or not fits):
        distance2 = leave_one_out_distance2(estimate)
        culprit = estimate.pairs.names[int(np.argmax(distance2))]
        fits = fits and distance2.max() <= chdtri(3, (1 - RESIDUAL_QUANTILE) / count)
    if fits:
        return
    named = "One landmark" if culprit is None else LABELS[culprit]
    yield Finding(
        "residual-too-large",
        "The landmarks fit worse than their uncertainty allows; "
        f"most likely {named.lower()} is off.",
        _CHECK_POINT,
        culprit,
    )


def _glands(evidence: Evidence, estimate: Estimate) -> Iterator[Finding]:
    glands = evidence.glands
    if glands is None or any(gland.is_cut for gland in glands):
        return
    fixed, moving = glands
    ratio = fixed.volume_ml / moving.volume_ml
    if max(ratio, 1 / ratio) > VOLUME_RATIO:
        yield Finding(
            "gland-volume",
            f"The gland measures {moving.volume_ml:.0f} ml in MR and {fixed.volume_ml:.0f} ml "
            "in US; one outline is wrong, or the images are of two patients.",
            "Check the gland's outline in both images.",
        )
    apart = estimate.pose.apply(moving.centroid_mm[None])[0] - fixed.centroid_mm
    distance = float(np.linalg.norm(apart))
    if distance > CENTROID_LIMIT_MM:
        yield Finding(
            "glands-apart",
            f"After alignment the glands' centres are {distance:.0f} mm apart.",
            "Check the landmarks, then the gland's outline in both images.",
        )
