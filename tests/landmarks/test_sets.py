import dataclasses

import numpy as np
import pytest

from fusioninit.geometry import Space
from fusioninit.landmarks import ALL_NAMES, LABELS, REQUIRED_NAMES, Landmark, LandmarkSet, Source

POINTS = {"posterior_median": [0, 20, 1], "apex": [0, 0, -20], "bladder_neck": [0, -9, 19]}


def test_the_papers_three_landmarks_come_first_and_all_have_labels():
    assert ALL_NAMES[:3] == REQUIRED_NAMES == ("apex", "bladder_neck", "posterior_median")
    assert set(LABELS) == set(ALL_NAMES)


def test_a_set_keeps_the_order_of_names_whatever_order_it_was_given():
    marks = LandmarkSet.from_positions(Space.US, POINTS)
    assert list(marks) == list(REQUIRED_NAMES)
    np.testing.assert_array_equal(marks.positions_mm(["bladder_neck"]), [[0, -9, 19]])
    assert marks.positions_mm([]).shape == (0, 3)


def test_a_change_is_a_new_set_and_the_old_one_stays():
    marks = LandmarkSet.from_positions(Space.US, POINTS)
    moved = marks.with_position("apex", [1, 2, 3])
    np.testing.assert_array_equal(marks["apex"].position_mm, [0, 0, -20])
    np.testing.assert_array_equal(moved["apex"].position_mm, [1, 2, 3])
    assert len(marks.without("apex")) == 2
    assert len(marks) == 3
    assert marks != moved


def test_nothing_in_a_landmark_can_be_changed_in_place():
    mark = Landmark("apex", [1, 2, 3])
    with pytest.raises(dataclasses.FrozenInstanceError):
        mark.locked = True
    with pytest.raises(ValueError, match="read-only"):
        mark.position_mm[0] = 9
    with pytest.raises(ValueError, match="read-only"):
        mark.covariance_mm2[0, 0] = 9


def test_a_landmark_does_not_follow_the_array_it_was_made_from():
    position = np.array([1.0, 2, 3])
    mark = Landmark("apex", position)
    position[:] = 0
    np.testing.assert_array_equal(mark.position_mm, [1, 2, 3])


def test_a_point_moved_by_a_person_is_theirs_with_their_uncertainty():
    predicted = Landmark(
        "apex", [1, 2, 3], np.eye(3) * 40, Source.PREDICTED, confidence=0.4, provenance="net"
    )
    moved = LandmarkSet(Space.US, (predicted,)).with_position("apex", [4, 5, 6])["apex"]
    assert (moved.source, moved.confidence, moved.provenance) == (Source.EDITED, 1.0, "net")
    assert moved.sd_mm == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Landmark("urethra", [0, 0, 0]), "unknown landmark 'urethra': expected one of"),
        (lambda: Landmark("apex", [0, np.nan, 0]), "apex: position_mm must be finite"),
        (lambda: Landmark("apex", [0, 0]), "position_mm must be finite with shape"),
        (lambda: Landmark("apex", [0, 0, 0], np.eye(2)), "covariance_mm2 must be finite"),
        (
            lambda: LandmarkSet(Space.US, (Landmark("apex", [0, 0, 0]),) * 2),
            "holds each name once",
        ),
    ],
)
def test_what_is_no_landmark_is_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_a_missing_name_is_a_key_error():
    with pytest.raises(KeyError):
        LandmarkSet(Space.MR)["apex"]


def test_the_95_percent_outline_of_a_round_region_is_a_circle():
    mark = Landmark("apex", [1, 2, 3], np.eye(3) * 4)
    outline = mark.region_outline_mm([[1, 0, 0], [0, 0, 1]], points=7)
    np.testing.assert_allclose(np.linalg.norm(outline, axis=1), 2 * np.sqrt(7.815), rtol=1e-6)


def test_the_95_percent_region_is_the_image_of_the_unit_sphere():
    covariance = np.array([[4.0, 1.2, -0.4], [1.2, 6.0, 0.9], [-0.4, 0.9, 2.5]])
    mark = Landmark("apex", [1, 2, 3], covariance)
    sphere = np.random.default_rng(5).normal(size=(11, 3))
    sphere /= np.linalg.norm(sphere, axis=1, keepdims=True)
    surface = sphere @ mark.region_from_unit_mm().T
    mahalanobis2 = (surface @ np.linalg.inv(covariance) * surface).sum(axis=1)
    np.testing.assert_allclose(mahalanobis2, 7.815, rtol=1e-6)


def test_sets_are_equal_by_value():
    first, second = (LandmarkSet.from_positions(Space.US, POINTS) for _ in range(2))
    assert first == second
    assert first != LandmarkSet.from_positions(Space.MR, POINTS)
