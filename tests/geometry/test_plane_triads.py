"""Planes turned by hand: always at right angles, each turn about the plane that is looked at."""

import numpy as np
import pytest

from fusioninit.geometry import Orientation, PlaneTriad, rotation_matrix, slice_plane

AXIAL, SAGITTAL, CORONAL = Orientation
TURNED = PlaneTriad().turned(AXIAL, 0.3).turned(SAGITTAL, -0.7).turned(CORONAL, 0.2)


def normals(triad):
    return np.array([triad.plane(each, np.zeros(3)).normal for each in Orientation])


def test_level_planes_are_those_of_the_patient_frame():
    for each in Orientation:
        plane, level = PlaneTriad().plane(each, [1, 2, 3]), slice_plane(each, [1, 2, 3])
        assert np.array_equal(plane.right, level.right)
        assert np.array_equal(plane.down, level.down)
    assert PlaneTriad().is_level
    assert not TURNED.is_level


def test_planes_stay_at_right_angles_however_they_are_turned():
    assert np.allclose(normals(TURNED) @ normals(TURNED).T, np.eye(3))


@pytest.mark.parametrize("about", list(Orientation))
def test_the_plane_looked_at_stays_and_the_others_turn_about_its_normal(about):
    after = TURNED.turned(about, 0.4)
    assert after.rotations[about] is TURNED.rotations[about]
    axis = TURNED.plane(about, np.zeros(3)).normal
    turn = rotation_matrix(0.4 * axis)
    for other in set(Orientation) - {about}:
        before = TURNED.plane(other, np.zeros(3))
        assert np.allclose(after.plane(other, np.zeros(3)).normal, turn @ before.normal)


@pytest.mark.parametrize("about", list(Orientation))
def test_lines_turn_clockwise_on_the_screen_by_the_angle(about):
    for other in set(Orientation) - {about}:
        before = TURNED.line_on(about, other)
        after = TURNED.turned(about, np.radians(10)).line_on(about, other)
        angles = np.degrees(np.arctan2([before[1], after[1]], [before[0], after[0]]))
        assert (angles[1] - angles[0]) % 180 == pytest.approx(10)


def test_level_lines_are_exactly_across_and_upright():
    assert PlaneTriad().line_on(AXIAL, CORONAL).tolist() == [1, 0]
    assert PlaneTriad().line_on(AXIAL, SAGITTAL).tolist() == [0, 1]


def test_a_turn_and_its_inverse_give_level_planes_again():
    back = TURNED.turned(CORONAL, -0.2).turned(SAGITTAL, 0.7).turned(AXIAL, -0.3)
    assert back.is_level


def test_the_tilt_is_the_angle_from_the_level_plane():
    triad = PlaneTriad().turned(SAGITTAL, np.radians(-25))
    assert triad.tilt_deg(AXIAL) == pytest.approx(25)
    assert triad.tilt_deg(CORONAL) == pytest.approx(25)
    assert triad.tilt_deg(SAGITTAL) == 0


def test_points_of_one_line_lie_on_both_planes():
    for here, other in ((AXIAL, CORONAL), (SAGITTAL, AXIAL), (CORONAL, SAGITTAL)):
        plane = TURNED.plane(here, [1.0, 2.0, 3.0])
        on_line = plane.to_world(17.0 * TURNED.line_on(here, other))
        assert abs(TURNED.plane(other, [1.0, 2.0, 3.0]).distance_mm(on_line)) < 1e-9
