from dataclasses import replace

import numpy as np
import pytest
from shapes import POINTS_MR_MM, landmark_set, transform

from fusioninit.geometry import Space
from fusioninit.landmarks import ALL_NAMES, REQUIRED_NAMES, ErrorCorrelation, Source
from fusioninit.registration import fit_landmarks
from fusioninit.registration.corrections import with_shared_doubt
from fusioninit.registration.landmark_pairs import landmark_correlation, noise_mm2

SHIFT_MM = np.array([0.0, 6.0, 6.0])


def answers(shift_mm=SHIFT_MM):
    """(true US points, US and MR answers of networks), the US answer shifted as a whole."""
    truth, rng = transform(), np.random.default_rng(0)
    us = {name: truth.apply(np.array(POINTS_MR_MM[name])) for name in ALL_NAMES}
    noisy = {n: p + shift_mm + rng.normal(size=3) for n, p in us.items()}
    return us, found(Space.US, noisy), found(Space.MR, POINTS_MR_MM)


def found(space, points_mm):
    marks = landmark_set(space, points_mm, np.eye(3) * 2.0)
    predicted = tuple(replace(mark, source=Source.PREDICTED) for mark in marks.landmarks)
    return replace(marks, landmarks=predicted, correlation=ErrorCorrelation.uniform(ALL_NAMES, 0.2))


def corrected(us, true_us_mm, names):
    for name in names:
        us = us.with_position(name, true_us_mm[name])
    return us


def error_mm(us, mr):
    fit = fit_landmarks(fixed=us, moving=mr, estimator="auto")
    points = np.array(list(POINTS_MR_MM.values()))
    apart = fit.us_from_mr.apply(points) - transform().apply(points)
    return np.linalg.norm(apart, axis=1).mean()


@pytest.mark.parametrize("names", [REQUIRED_NAMES[:1], REQUIRED_NAMES])
def test_a_network_that_a_person_corrected_no_longer_outvotes_the_person(names):
    true_us, us, mr = answers()
    after = corrected(us, true_us, names)
    assert error_mm(after, mr) > 4.0
    assert error_mm(with_shared_doubt(after, us), mr) < 2.5


def test_corrections_within_what_the_network_claims_change_nothing():
    true_us, us, _ = answers(shift_mm=np.zeros(3))
    near = {name: us[name].position_mm + 0.5 for name in true_us}
    after = corrected(us, near, REQUIRED_NAMES)
    assert with_shared_doubt(after, us) is after


def test_without_a_correction_or_without_a_prediction_nothing_changes():
    true_us, us, _ = answers()
    assert with_shared_doubt(us, us) is us
    placed = landmark_set(Space.US, true_us)
    assert with_shared_doubt(placed, us) is placed
    after = corrected(us, true_us, ["apex"])
    assert with_shared_doubt(after, replace(us, landmarks=())) is after


def test_the_doubt_is_shared_by_all_the_network_holds_and_spares_the_persons_points():
    true_us, us, _ = answers()
    after = corrected(us, true_us, REQUIRED_NAMES)
    doubted = with_shared_doubt(after, us)
    names = ALL_NAMES[3:]

    def joint(marks):
        own = np.array([marks[name].covariance_mm2 for name in names])
        return noise_mm2(own, landmark_correlation(marks, names)).reshape(7, 3, 7, 3)

    more = joint(doubted) - joint(after)
    # the same in every block: one error for all; it lies along the corrections
    np.testing.assert_allclose(more, np.broadcast_to(more[:1, :, :1], more.shape), atol=1e-9)
    values, axes = np.linalg.eigh(more[0, :, 0])
    assert values[-1] == pytest.approx(SHIFT_MM @ SHIFT_MM, rel=0.4)
    assert abs(axes[:, -1] @ SHIFT_MM) / np.linalg.norm(SHIFT_MM) > 0.95
    for name in REQUIRED_NAMES:
        assert doubted[name] == after[name]
