import numpy as np
import pytest
from shapes import POINTS_MR_MM, landmark_set

from fusioninit.geometry import Space
from fusioninit.registration.disagreement import FAR_APART_MM, compare_answers

FAR_MM = FAR_APART_MM[Space.US] + 4


def answer(space=Space.US, **moved_mm):
    points = {name: np.add(point, moved_mm.get(name, 0)) for name, point in POINTS_MR_MM.items()}
    return landmark_set(space, points)


def test_two_networks_that_agree_raise_no_doubt():
    same = compare_answers(answer(), answer(apex=[0, 0.6, 0.8]))
    assert same.distances_mm["apex"] == pytest.approx(1)
    assert same.distances_mm["bladder_neck"] == 0
    assert same.doubtful == ()
    assert same.sentence() == "two networks agree to 1.0 mm (farthest apart: apex)"


def test_the_landmarks_placed_far_apart_are_named_the_farthest_first():
    apart = compare_answers(
        answer(), answer(apex=[0, 0, FAR_MM], posterior_median=[FAR_MM + 2, 0, 0])
    )
    assert apart.doubtful == ("posterior_median", "apex")
    assert apart.sentence().startswith(
        f"two networks place posterior median {FAR_MM + 2:.0f} mm and apex {FAR_MM:.0f} mm apart"
    )
    assert apart.sentence().endswith("look there first")


@pytest.mark.parametrize("space", [Space.MR, Space.US])
def test_a_landmark_is_doubtful_beyond_the_limit_of_its_image_only(space, monkeypatch):
    monkeypatch.setitem(FAR_APART_MM, Space.MR, 4.0)
    monkeypatch.setitem(FAR_APART_MM, Space.US, 7.0)
    limit = {Space.MR: 4.0, Space.US: 7.0}[space]
    for gap, doubtful in ((limit - 0.1, False), (limit + 0.1, True)):
        apart = compare_answers(answer(space), answer(space, apex=[gap, 0, 0]))
        assert apart.is_doubtful("apex") is doubtful


def test_auxiliary_points_are_measured_but_no_person_is_sent_to_them():
    apart = compare_answers(answer(), answer(left_lateral=[FAR_MM, 0, 0]))
    assert apart.distances_mm["left_lateral"] == pytest.approx(FAR_MM)
    assert apart.doubtful == ()


def test_what_a_person_has_placed_can_be_left_out():
    apart = compare_answers(answer(), answer(apex=[FAR_MM, 0, 0]))
    assert apart.of(["bladder_neck"]).doubtful == ()
    assert apart.of(["apex"]).doubtful == ("apex",)


def test_answers_without_a_common_landmark_say_so():
    none = compare_answers(answer().without("apex"), landmark_set(Space.US, {"apex": [0, 0, 0]}))
    assert none.sentence() == ("the two networks have no landmark in common: check every landmark")


def test_answers_for_two_images_cannot_be_compared():
    with pytest.raises(ValueError, match="cannot compare landmarks of us with mr"):
        compare_answers(answer(), answer(Space.MR))
