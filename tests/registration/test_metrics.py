import numpy as np
import pytest
from shapes import POINTS_MR_MM, landmark_set, transform

from fusioninit.geometry import Grid, RigidTransform, Space, rotation_matrix
from fusioninit.registration.metrics import (
    dice,
    fiducial_registration_error_mm,
    histogram,
    mask_on_grid,
    mean_radial_error_mm,
    radial_errors_mm,
    residual_rotation_deg,
    surface_registration_error_mm,
    target_registration_errors_mm,
)

SURFACE = np.array([[20.0, 0, 0], [0, 15, 0], [0, 0, -22], [-20, 3, 4]])


def test_sre_of_a_shift_is_the_shift():
    moved = transform(translation_mm=(7.0, -26, 18))
    assert surface_registration_error_mm(transform(), moved, SURFACE) == pytest.approx(5)


def test_sre_of_a_turn_is_the_mean_chord():
    turned = transform((0, 0, 0.5), (0, 0, 0))
    still = transform((0, 0, 0), (0, 0, 0))
    radii = np.hypot(SURFACE[:, 0], SURFACE[:, 1])
    expected = (2 * radii * np.sin(0.25)).mean()
    assert surface_registration_error_mm(still, turned, SURFACE) == pytest.approx(expected)


def test_sre_refuses_transforms_of_other_spaces_and_empty_surfaces():
    with pytest.raises(ValueError, match="us_from_mr with mr_from_us"):
        surface_registration_error_mm(transform(), transform().inverse(), SURFACE)
    with pytest.raises(ValueError, match="surface points"):
        surface_registration_error_mm(transform(), transform(), np.zeros((0, 3)))


def test_residual_rotation_is_the_angle_between():
    first = transform((0.2, 0, 0))
    second = RigidTransform.from_parts(
        Space.US,
        Space.MR,
        rotation=rotation_matrix([0, 0, 0.3]) @ first.rotation,
        translation_mm=[9, 9, 9],
    )
    assert residual_rotation_deg(first, second) == pytest.approx(np.degrees(0.3))
    assert residual_rotation_deg(first, first) == pytest.approx(0, abs=1e-6)


def test_fre_is_a_root_mean_square_and_tre_one_per_target():
    truth, shifts = transform(), np.array([[3.0, 0, 0], [0, 4, 0]])
    moving = np.array([[0.0, 0, 0], [10, 0, 0]])
    fixed = truth.apply(moving) + shifts
    assert fiducial_registration_error_mm(truth, fixed, moving) == pytest.approx(np.sqrt(12.5))
    np.testing.assert_allclose(target_registration_errors_mm(truth, fixed, moving), [3, 4])


def test_radial_errors_are_paired_by_name_within_one_space():
    true = landmark_set(Space.MR, POINTS_MR_MM)
    predicted = true.without("apex").with_position(
        "bladder_neck", np.add(true["bladder_neck"].position_mm, [0, 3, 4])
    )
    errors = radial_errors_mm(predicted, true)
    assert "apex" not in errors
    assert errors["bladder_neck"] == pytest.approx(5)
    assert errors["posterior_median"] == 0
    with pytest.raises(ValueError, match="cannot compare"):
        radial_errors_mm(landmark_set(Space.US, POINTS_MR_MM), true)
    assert mean_radial_error_mm([[0, 0, 0], [3, 4, 0]], np.zeros((2, 3))) == 2.5


def test_dice_by_hand():
    first, second = np.zeros((2, 3, 4)), np.zeros((2, 3, 4))
    first[0, 0, :3] = 1
    second[0, 0, 2:] = 1
    assert dice(first, second) == pytest.approx(2 * 1 / 5)
    assert dice(first, first) == 1
    assert dice(first * 0, first * 0) == 1
    with pytest.raises(ValueError, match="one grid"):
        dice(first, first[:1])


def test_a_mask_moved_by_whole_voxels_lands_on_them():
    grid = Grid((5, 6, 7), [1.0, 2, 3])
    mask = np.zeros(grid.shape)
    mask[1:3, 2:4, 3:5] = 1
    shift = RigidTransform.from_parts(
        Space.US, Space.MR, rotation=np.eye(3), translation_mm=[-1, 2, 6]
    )
    moved = mask_on_grid(mask, grid, onto=grid, onto_from_mask=shift)
    expected = np.zeros(grid.shape, bool)
    expected[3:5, 3:5, 2:4] = True
    np.testing.assert_array_equal(moved, expected)


def test_a_histogram_puts_a_value_at_an_edge_below_it():
    edges = [5, 10, 15, 20, 25, 30, 45]
    np.testing.assert_array_equal(histogram([5, 5.1, 10, 44], edges), [1, 2, 0, 0, 0, 0, 1])
