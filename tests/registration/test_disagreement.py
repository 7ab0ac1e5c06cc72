import numpy as np
import pytest
from shapes import POINTS_MR_MM, landmark_set

from fusioninit.geometry import Space
from fusioninit.registration.disagreement import compare_predictions

FIRST = landmark_set(Space.US, POINTS_MR_MM, np.eye(3) * 4)


def moved(name, by, covariance=None):
    points = {**POINTS_MR_MM, name: np.add(POINTS_MR_MM[name], by)}
    return landmark_set(Space.US, points, np.eye(3) * 4 if covariance is None else covariance)


def test_two_models_that_agree_raise_nothing():
    same = compare_predictions(FIRST, moved("apex", [0, 0, 1]))
    assert same.findings == ()
    assert same.distances_mm["apex"] == pytest.approx(1)
    assert same.mean_mm == pytest.approx(0.2)


def test_a_landmark_that_two_models_place_apart_is_named():
    apart = compare_predictions(FIRST, moved("posterior_median", [0, 0, 9]))
    assert [f.landmark for f in apart.findings] == ["posterior_median"]
    assert apart.findings[0].sentence == "US: two models place posterior median 9 mm apart."
    assert apart.sd_units["posterior_median"] == pytest.approx(9 / np.sqrt(8))


def test_models_that_are_sure_of_themselves_disagree_sooner():
    sure = landmark_set(Space.US, POINTS_MR_MM, np.eye(3) * 0.5)
    other = moved("apex", [4, 0, 0], np.eye(3) * 0.5)
    assert [f.landmark for f in compare_predictions(sure, other).findings] == ["apex"]
    assert compare_predictions(FIRST, moved("apex", [4, 0, 0])).findings == ()


def test_sets_without_a_common_landmark_have_no_mean():
    none = compare_predictions(FIRST.without("apex"), landmark_set(Space.US, {"apex": [0, 0, 0]}))
    assert np.isnan(none.mean_mm)
