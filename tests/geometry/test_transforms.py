import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusioninit.geometry import RigidTransform, Space, rotation_matrix, rotation_vector_rad

angles = st.tuples(*[st.floats(-1.7, 1.7)] * 3)
shifts = st.tuples(*[st.floats(-200, 200)] * 3)


def us_from_mr(angle, shift) -> RigidTransform:
    return RigidTransform.from_parts(
        Space.US, Space.MR, rotation=rotation_matrix(angle), translation_mm=shift
    )


@given(angles, shifts)
def test_the_inverse_of_the_inverse_is_the_transform(angle, shift):
    transform = us_from_mr(angle, shift)
    back = transform.inverse()
    assert (back.target, back.source) == (Space.MR, Space.US)
    np.testing.assert_allclose(back.inverse().matrix, transform.matrix, atol=1e-9)
    points = np.array([[1.0, 2, 3], [-40, 5, 60]])
    np.testing.assert_allclose(back.apply(transform.apply(points)), points, atol=1e-9)


@given(angles, shifts)
def test_a_chain_reads_by_cancellation(angle, shift):
    first = us_from_mr(angle, shift)
    second = RigidTransform.from_parts(
        Space.MR, Space.PROBE, rotation=rotation_matrix([0.2, 0, -0.4]), translation_mm=[1, 2, 3]
    )
    chain = first @ second
    assert (chain.target, chain.source) == (Space.US, Space.PROBE)
    point = [10.0, -20, 30]
    np.testing.assert_allclose(chain.apply(point), first.apply(second.apply(point)), atol=1e-9)


def test_chaining_spaces_that_do_not_cancel_raises_with_both_names():
    transform = us_from_mr([0.1, 0, 0], [0, 0, 0])
    with pytest.raises(ValueError, match=r"us_from_mr with us_from_mr: mr and us differ"):
        transform @ transform


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (np.eye(3), "4x4"),
        (np.diag([1, 1, np.nan, 1]), "finite"),
        (np.diag([2.0, 1, 1, 1]), "scaling or shear"),
        (np.diag([-1.0, 1, 1, 1]), "mirrors"),
        (np.ones((4, 4)), "last row"),
    ],
)
def test_a_matrix_that_is_not_rigid_is_refused(matrix, message):
    with pytest.raises(ValueError, match=message):
        RigidTransform(Space.US, Space.MR, matrix)


def test_a_matrix_that_is_nearly_rigid_is_made_exactly_so():
    matrix = np.eye(4)
    matrix[:3, :3] = rotation_matrix([0.3, 0.2, 0.1]).round(7)
    rotation = RigidTransform(Space.US, Space.MR, matrix).rotation
    assert np.abs(rotation @ rotation.T - np.eye(3)).max() < 1e-14


def test_a_transform_cannot_be_changed_in_place():
    transform = us_from_mr([0, 0, 0], [1, 2, 3])
    with pytest.raises(ValueError, match="read-only"):
        transform.matrix[0, 3] = 7


def test_directions_turn_but_do_not_shift():
    transform = us_from_mr([0, 0, np.pi / 2], [5, 6, 7])
    np.testing.assert_allclose(transform.apply_direction([1, 0, 0]), [0, 1, 0], atol=1e-12)
    np.testing.assert_allclose(transform.apply([1, 0, 0]), [5, 7, 7], atol=1e-12)


@given(angles)
def test_a_rotation_vector_survives_the_round_trip(angle):
    vector = np.array(angle)
    np.testing.assert_allclose(rotation_vector_rad(rotation_matrix(vector)), vector, atol=1e-7)


def test_no_rotation_has_a_zero_vector():
    np.testing.assert_array_equal(rotation_matrix([0, 0, 0]), np.eye(3))
    np.testing.assert_array_equal(rotation_vector_rad(np.eye(3)), np.zeros(3))


@given(st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda axis: np.linalg.norm(axis) > 0.1))
def test_half_a_turn_has_an_axis_of_length_pi(axis):
    unit = np.array(axis) / np.linalg.norm(axis)
    vector = rotation_vector_rad(rotation_matrix(np.pi * unit))
    assert np.linalg.norm(vector) == pytest.approx(np.pi, abs=1e-6)
    assert abs(vector @ unit) == pytest.approx(np.pi, abs=1e-5)


@given(angles)
def test_the_angle_is_what_the_trace_says(angle):
    transform = us_from_mr(angle, [0, 0, 0])
    expected = np.degrees(np.arccos(np.clip((np.trace(transform.rotation) - 1) / 2, -1, 1)))
    assert transform.angle_deg == pytest.approx(expected, abs=1e-4)


def test_many_rotation_vectors_at_once_equal_one_by_one():
    vectors = np.array([[0.1, 0.2, 0.3], [0, 0, 0], [2.0, -1, 0.5]])
    one_by_one = np.stack([rotation_matrix(vector) for vector in vectors])
    np.testing.assert_array_equal(rotation_matrix(vectors), one_by_one)
