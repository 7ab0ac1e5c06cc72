import numpy as np
import pytest
from shapes import POINTS_MR_MM, pair, transform

from fusioninit.landmarks import ALL_NAMES, REQUIRED_NAMES
from fusioninit.registration import CenterPrior, DeformationModel, FitModel, fit_landmarks

SHIFT_MM = np.array([6.0, 0.0, -4.0])
MEAN_MR_MM = np.mean([POINTS_MR_MM[name] for name in REQUIRED_NAMES], axis=0)


def placed(sd_mm, *, away_mm=SHIFT_MM) -> FitModel:
    """A prior `away_mm` from where the landmarks' mean really falls."""
    center = CenterPrior(transform().apply(MEAN_MR_MM) + away_mm, np.eye(3) * sd_mm**2)
    return FitModel(deformation=DeformationModel.rigid(), center=center)


def shift_of_the_middle(model, estimator="map"):
    us, mr = pair(transform(), covariance_mm2=np.eye(3) * 4.0)
    fit = fit_landmarks(fixed=us, moving=mr, estimator=estimator, model=model)
    return fit.us_from_mr.apply(MEAN_MR_MM) - transform().apply(MEAN_MR_MM), fit


def test_the_middle_is_drawn_to_the_prior_as_the_two_variances_say():
    # three points of variance 4 in each image: their mean has 8 / 3
    moved, _ = shift_of_the_middle(placed(5.0))
    np.testing.assert_allclose(moved, SHIFT_MM * (8 / 3) / (8 / 3 + 25), atol=0.02)


def test_a_wide_prior_changes_nothing_and_a_right_one_narrows_the_error():
    moved, wide = shift_of_the_middle(placed(1e4))
    np.testing.assert_allclose(moved, 0, atol=1e-4)
    _, right = shift_of_the_middle(placed(1.0, away_mm=np.zeros(3)))
    predicted = [fit.predicted_error_mm(MEAN_MR_MM).mean_mm for fit in (right, wide)]
    assert predicted[0] < 0.7 * predicted[1]


@pytest.mark.parametrize("estimator", ["svd", "weighted", "anisotropic", "translation"])
def test_estimators_that_take_points_only_are_not_moved(estimator):
    moved, _ = shift_of_the_middle(placed(1.0), estimator)
    plain, _ = shift_of_the_middle(FitModel(deformation=DeformationModel.rigid()), estimator)
    np.testing.assert_array_equal(moved, plain)


def test_auxiliary_landmarks_do_not_move_what_the_prior_speaks_of():
    # right where the three fall, and the laterals 2 mm behind their mean: nothing is to be drawn
    us, mr = pair(transform(), names=ALL_NAMES, covariance_mm2=np.eye(3) * 4.0)
    model = placed(0.5, away_mm=np.zeros(3))
    fit = fit_landmarks(fixed=us, moving=mr, estimator="map", model=model)
    gap = fit.us_from_mr.apply(MEAN_MR_MM) - transform().apply(MEAN_MR_MM)
    np.testing.assert_allclose(gap, 0, atol=0.05)


def test_the_explanation_says_that_the_place_was_assumed():
    _, fit = shift_of_the_middle(placed(5.0))
    assert "a prior on rotation and place" in fit.explanation


def test_it_is_learned_as_mean_and_spread_and_never_from_a_few():
    places = np.random.default_rng(1).normal([5, -3, 2], [4, 6, 8], size=(400, 3))
    prior = CenterPrior.learned(places)
    np.testing.assert_allclose(prior.mean_mm, places.mean(axis=0))
    np.testing.assert_allclose(np.sqrt(np.diag(prior.covariance_mm2)), [4.5, 6.3, 8.2], rtol=0.1)
    assert np.linalg.eigvalsh(CenterPrior.learned(np.zeros((8, 3))).covariance_mm2).min() >= 4
    with pytest.raises(ValueError, match="at least 8 places"):
        CenterPrior.learned(places[:7])


@pytest.mark.parametrize(
    ("mean", "covariance", "sentence"),
    [
        ([0, np.nan, 0], np.eye(3), "mean_mm must be finite"),
        ([0, 0], np.eye(3), "mean_mm must be finite with shape"),
        ([0, 0, 0], np.zeros((3, 3)), "positive definite"),
    ],
)
def test_a_prior_that_is_none_is_refused(mean, covariance, sentence):
    with pytest.raises(ValueError, match=sentence):
        CenterPrior(mean, covariance)
