"""What a person's corrections of a network's landmarks say of those that it still holds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fusioninit.landmarks import ErrorCorrelation, LandmarkSet, Source
from fusioninit.registration.landmark_pairs import (
    between_blocks,
    landmark_correlation,
    noise_mm2,
)

FloatArray = NDArray[np.float64]

READER_VARIANCE_MM2 = 0.57
"""Per axis: two readers of one MR lie 1.7 mm apart on average, so each has an SD of 0.75 mm."""


STILL_USUAL = 2.0
"""Corrections of twice the variance that was claimed still pass for chance. On 80 synthetic pairs
outside the benchmark a network that errs as it claims loses 0.1 mm (mean TRE of `auto`) where a
person has corrected the apex or all three, 0.4 where the posterior median alone; where its whole US
answer is shifted by 8.5 mm, correcting the apex leaves 3.4 mm instead of 7.4, and all three 2.1
instead of 5.8 (`svd`: 6.1 and 2.2)."""


def with_shared_doubt(current: LandmarkSet, predicted: LandmarkSet) -> LandmarkSet:
    """The current landmarks of one image, those of the network as doubtful as corrections say.

    A network that missed where a person corrected it has most likely missed everywhere, and in the
    same direction. So the landmarks that it still holds get a common error of zero mean, whose
    covariance is what the corrections exceed the claimed errors by. They then keep telling the
    gland's turn and shape, but not its place against a person's points.

    Parameters
    ----------
    current : LandmarkSet
        Predicted, edited and confirmed landmarks.
    predicted : LandmarkSet
        What the network answered in this image, as it was.
    """
    names = tuple(current)
    is_found = np.array([mark.source is Source.PREDICTED for mark in current.landmarks], dtype=bool)
    corrected = [
        (mark.position_mm - predicted[mark.name].position_mm, predicted[mark.name].covariance_mm2)
        for mark, found in zip(current.landmarks, is_found, strict=True)
        if not found and mark.name in predicted
    ]
    if not is_found.any() or not corrected:
        return current
    gaps, claimed = (np.array(part) for part in zip(*corrected, strict=True))
    usual = claimed.mean(axis=0) + READER_VARIANCE_MM2 * np.eye(3)
    common = _positive_part(gaps.T @ gaps / len(gaps) - STILL_USUAL * usual)
    if np.trace(common) < READER_VARIANCE_MM2:
        return current
    own = np.array([mark.covariance_mm2 for mark in current.landmarks])
    joint = noise_mm2(own, landmark_correlation(current, names))
    shared = (is_found[:, None] & is_found)[:, None, :, None] * common[None, :, None, :]
    joint += shared.reshape(joint.shape)
    widened = own + is_found[:, None, None] * common
    matrix = between_blocks(np.linalg.inv(np.linalg.cholesky(widened)), joint)
    marks = tuple(
        replace(mark, covariance_mm2=covariance) if found else mark
        for mark, covariance, found in zip(current.landmarks, widened, is_found, strict=True)
    )
    return replace(current, landmarks=marks, correlation=ErrorCorrelation(names, matrix))


def _positive_part(symmetric: FloatArray) -> FloatArray:
    """The nearest positive semidefinite matrix."""
    values, axes = np.linalg.eigh(symmetric)
    return np.asarray((axes * np.maximum(values, 0.0)) @ axes.T)
