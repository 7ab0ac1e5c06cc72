"""The second network's landmarks in 3D, under the switch of the slices."""

import numpy as np
import pytest

from fusioninit.geometry import Space
from fusioninit.landmarks import REQUIRED_NAMES

IMAGES = (Space.US, Space.MR)
pytestmark = pytest.mark.gl


@pytest.fixture
def case(case_of_two):
    return case_of_two


def test_s_shows_the_second_answers_in_3d_where_they_lie(scene, qtbot):
    window = scene.window()
    assert scene.second.diamonds() == {}
    window.actions_by_name["second_marks"].trigger()
    scene.render_now()
    diamonds, case = scene.second.diamonds(), scene.session.case
    assert set(diamonds) == {(space, name) for space in IMAGES for name in REQUIRED_NAMES}
    for (space, name), actor in diamonds.items():
        matrix = np.array(actor.GetMatrix().GetData()).reshape(4, 4)
        own = case.second(space)[name].position_mm
        expected = own if space is Space.US else case.us_from_mr.apply(own)
        assert np.allclose(matrix[:3, 3], expected)
    window.actions_by_name["second_marks"].trigger()
    scene.render_now()
    assert scene.second.diamonds() == {}


def test_the_diamonds_are_seen_and_named_in_the_legend(scene, picture_of):
    before = picture_of(scene)
    scene.view_state.set_flag("second", shown=True)
    changed = np.abs(picture_of(scene) - before).max(axis=-1) > 40
    assert changed.sum() > 100


def test_a_diamond_goes_with_the_answer_that_is_undone(scene):
    scene.view_state.set_flag("second", shown=True)
    scene.render_now()
    assert scene.second.is_shown
    case = scene.session.case
    for space in IMAGES:
        case = case.with_prediction(case.predicted(space), case.gland(space))
    scene.session.open_case(case)
    scene.render_now()
    assert scene.second.diamonds() == {}


def test_a_diamond_is_never_in_the_way_of_a_drag(scene):
    scene.view_state.set_flag("second", shown=True)
    scene.render_now()
    assert not any(actor.GetPickable() for actor in scene.second.diamonds().values())
