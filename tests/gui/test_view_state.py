import numpy as np
import pytest

from fusioninit.geometry import RigidTransform, Space, rotation_matrix
from fusioninit.gui.view_state import FusionMode, ViewState

US_FROM_MR = RigidTransform.from_parts(
    Space.US, Space.MR, rotation=rotation_matrix([0.3, 0.1, -0.2]), translation_mm=[5, -8, 13]
)


@pytest.fixture
def state(qapp):
    return ViewState()


def test_before_a_transform_each_space_keeps_its_own_crosshair(state):
    state.set_crosshair(Space.US, [1, 2, 3])
    assert np.array_equal(state.crosshair_mm(Space.MR), [0, 0, 0])


def test_once_aligned_both_crosshairs_point_at_the_same_place(state):
    state.link(US_FROM_MR)
    state.set_crosshair(Space.US, [1, 2, 3])
    assert np.allclose(US_FROM_MR.apply(state.crosshair_mm(Space.MR)), [1, 2, 3])
    state.set_crosshair(Space.MR, [4, 5, 6])
    assert np.allclose(state.crosshair_mm(Space.US), US_FROM_MR.apply([4, 5, 6]))


def test_a_new_transform_moves_the_crosshair_of_the_space_not_pointed_at(state):
    state.set_crosshair(Space.MR, [4, 5, 6])
    state.link(US_FROM_MR)
    assert np.array_equal(state.crosshair_mm(Space.MR), [4, 5, 6])
    assert np.allclose(state.crosshair_mm(Space.US), US_FROM_MR.apply([4, 5, 6]))


def test_nothing_is_emitted_where_nothing_changes(state, qtbot):
    state.set_mix(0.3)
    state.set_window(Space.US, 0, 100)
    with qtbot.assertNotEmitted(state.fusion_changed), qtbot.assertNotEmitted(state.window_changed):
        state.set_mix(0.3)
        state.set_mode(FusionMode.BLEND)
        state.set_window(Space.US, 0, 100)


def test_mix_and_zoom_stay_in_their_range(state):
    state.set_mix(7)
    state.set_zoom(Space.US, 1000)
    assert (state.mix, state.zoom(Space.US)) == (1.0, 16.0)


def test_opening_a_case_centres_the_crosshair_and_takes_the_files_window(state, case):
    state.show_case(case.with_volume(case.us.with_source(window=(10.0, 90.0))))
    assert state.window(Space.US) == (10.0, 90.0)
    assert np.allclose(state.crosshair_mm(Space.US), case.us.grid.center_mm)
