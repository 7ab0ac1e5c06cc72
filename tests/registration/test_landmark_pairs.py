from dataclasses import replace

import numpy as np
import pytest

from fusioninit.geometry import Space
from fusioninit.landmarks import ALL_NAMES, REQUIRED_NAMES, ErrorCorrelation, LandmarkSet, Source
from fusioninit.registration.landmark_pairs import (
    PREDICTED_CORRELATION,
    noise_mm2,
    pair_landmarks,
)


def found(space, *, correlation=None, names=REQUIRED_NAMES):
    rng = np.random.default_rng(1)
    positions = {name: rng.normal(size=3) * 20 for name in names}
    marks = LandmarkSet.from_positions(space, positions, source=Source.PREDICTED)
    return replace(marks, correlation=correlation)


def test_a_networks_card_says_how_its_landmarks_err_together():
    stated = ErrorCorrelation.uniform(REQUIRED_NAMES[::-1], 0.6)
    pairs = pair_landmarks(found(Space.US, correlation=stated), found(Space.MR))
    assert pairs.correlation[0, 0].tolist() == [1, 0, 0, 0.6, 0, 0, 0.6, 0, 0]
    usual = PREDICTED_CORRELATION[Space.MR]
    assert pairs.correlation[1, 0].tolist() == [1, 0, 0, usual, 0, 0, usual, 0, 0]


@pytest.mark.parametrize("source", [Source.EDITED, Source.CONFIRMED])
def test_a_landmark_that_a_person_answers_for_errs_alone(source):
    stated = ErrorCorrelation.uniform(REQUIRED_NAMES, 0.6)
    us = found(Space.US, correlation=stated)
    us = us.with_landmark(replace(us["bladder_neck"], source=source))
    pairs = pair_landmarks(us, found(Space.MR))
    assert pairs.correlation[0, 3:6].tolist() == np.eye(9)[3:6].tolist()
    assert pairs.correlation[0, 0].tolist() == [1, 0, 0, 0, 0, 0, 0.6, 0, 0]
    assert pairs.is_predicted.tolist() == [[True, False, True], [True] * 3]


def test_a_part_of_the_pairs_keeps_its_correlations():
    stated = ErrorCorrelation.uniform(ALL_NAMES, 0.3).matrix.copy()
    stated[0, 12] = stated[12, 0] = 0.7
    correlation = ErrorCorrelation(ALL_NAMES, stated)
    both = (
        found(space, correlation=correlation, names=ALL_NAMES) for space in (Space.US, Space.MR)
    )
    part = pair_landmarks(*both).only([4, 0])
    assert part.correlation[0, 0].tolist() == [1, 0, 0, 0.7, 0, 0]


def test_noise_has_the_own_covariances_and_what_lies_between_them():
    rng = np.random.default_rng(0)
    root = rng.normal(size=(2, 3, 3, 3))
    own = root @ np.swapaxes(root, -1, -2) + np.eye(3)
    causes = rng.normal(size=(9, 4))
    joint = causes @ causes.T + 9 * np.eye(9)
    noise = noise_mm2(own, np.broadcast_to(joint, (2, 9, 9)))
    lower = np.linalg.cholesky(own)
    for case in range(2):
        whole = np.zeros((9, 9))
        for i in range(3):
            whole[3 * i : 3 * i + 3, 3 * i : 3 * i + 3] = lower[case, i]
        np.testing.assert_allclose(noise[case], whole @ joint @ whole.T)
