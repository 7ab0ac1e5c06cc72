import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapes import gland_mask, pair, transform

from fusioninit.geometry import Grid, rotation_matrix, rotation_vector_rad
from fusioninit.registration import DeformationModel, GlandShape, RotationPrior
from fusioninit.registration.gland_evidence import CentroidTerm, SurfaceTerm
from fusioninit.registration.landmark_pairs import OBSERVER_SD_MM, pair_landmarks
from fusioninit.registration.posterior import PointsTerm, Pose, PriorTerm, maximise
from fusioninit.registration.rotations import exponential, logarithm, logarithm_jacobian

vectors = st.tuples(*[st.floats(-1.6, 1.6)] * 3)
GRID = Grid.centred((40, 34, 44), 1.6)


@given(vectors)
def test_fast_rotations_equal_the_geometry_floors(vector):
    vector = np.array(vector)
    np.testing.assert_allclose(exponential(vector), rotation_matrix(vector), atol=1e-14)
    rotation = rotation_matrix(vector)
    np.testing.assert_allclose(logarithm(rotation), rotation_vector_rad(rotation), atol=1e-9)


@settings(deadline=None)
@given(vectors)
def test_the_logarithms_jacobian_is_its_derivative(vector):
    vector, step = np.array(vector), 1e-6
    numeric = np.column_stack(
        [
            (
                logarithm(exponential(step * axis) @ exponential(vector))
                - logarithm(exponential(-step * axis) @ exponential(vector))
            )
            / (2 * step)
            for axis in np.eye(3)
        ]
    )
    np.testing.assert_allclose(logarithm_jacobian(vector), numeric, atol=1e-6)


def term_of(kind):
    us, mr = pair(transform(), noise_mm=3)
    if kind == "points":
        return PointsTerm(pair_landmarks(us, mr), DeformationModel())
    if kind == "gaussian prior":
        return PriorTerm(
            RotationPrior.from_degrees(mean_deg=(9, 2, -4), sd_deg=(8, 5, 3), name="n")
        )
    if kind == "student prior":
        return PriorTerm(RotationPrior.for_probe())
    glands = (
        GlandShape.from_mask(gland_mask(GRID), GRID),
        GlandShape.from_mask(gland_mask(GRID), GRID),
    )
    return CentroidTerm(*glands)


@pytest.mark.parametrize("kind", ["points", "gaussian prior", "student prior", "centroid"])
def test_each_terms_gradient_is_minus_half_the_derivative_of_its_cost(kind):
    term, center = term_of(kind), np.array([3.0, -25, 15])
    pose, step = Pose(rotation_matrix([0.3, 0.1, 0.05]), np.array([1.0, -28, 20])), 1e-5
    numeric = [
        (
            term.linearise(pose.changed(step * axis, center), center).cost
            - term.linearise(pose.changed(-step * axis, center), center).cost
        )
        / (-4 * step)
        for axis in np.eye(6)
    ]
    found = term.linearise(pose, center).gradient
    # the points' covariance turns with the pose, which the gradient leaves out on purpose
    slack = 0.15 if kind == "points" else 1e-4
    np.testing.assert_allclose(found, numeric, atol=slack * np.abs(numeric).max())


def test_the_mode_is_where_all_terms_pull_to_nothing():
    points, prior = term_of("points"), term_of("student prior")
    solution = maximise(Pose(np.eye(3), np.zeros(3)), [points, prior], np.array([4.0, -30, 18]))
    pulls = [t.linearise(solution.pose, solution.center_mm).gradient for t in (points, prior)]
    assert solution.converged
    assert np.linalg.norm(pulls[0]) > 1e-3
    np.testing.assert_allclose(pulls[0] + pulls[1], 0, atol=1e-4)


def test_two_equal_glands_meet_and_feel_no_pull():
    shape = GlandShape.from_mask(gland_mask(GRID), GRID)
    term = SurfaceTerm(shape, shape, DeformationModel())
    together = term.linearise(Pose(np.eye(3), np.zeros(3)), np.zeros(3))
    assert together.cost < 0.5
    assert np.linalg.norm(np.linalg.solve(together.information, together.gradient)[3:]) < 0.1
    apart = term.linearise(Pose(np.eye(3), np.array([0.0, 5, 0])), np.zeros(3))
    assert apart.gradient[4] < 0
    assert apart.cost > 5


def test_many_surface_points_count_as_the_few_patches_that_deform_together():
    shape = GlandShape.from_mask(gland_mask(GRID), GRID)
    pose = Pose(np.eye(3), np.zeros(3))
    smooth = SurfaceTerm(shape, shape, DeformationModel()).linearise(pose, np.zeros(3))
    white = SurfaceTerm(shape, shape, DeformationModel.rigid()).linearise(pose, np.zeros(3))
    sd = np.sqrt(np.diag(np.linalg.inv(smooth.information))[3:])
    independent = np.sqrt(np.diag(np.linalg.inv(white.information))[3:])
    assert (sd > 3 * independent).all()
    assert (sd > 0.5).all()


def test_a_landmark_of_unknown_uncertainty_gets_that_of_its_kind_and_image():
    us, mr = pair(transform())
    pairs = pair_landmarks(us, mr)
    apex_mr, apex_us = (np.diag(np.square(sd)) for sd in OBSERVER_SD_MM["apex"])
    np.testing.assert_array_equal(pairs.moving_covariance_mm2[0], apex_mr)
    np.testing.assert_array_equal(pairs.fixed_covariance_mm2[0], apex_us)
    known = pair_landmarks(*pair(transform(), covariance_mm2=np.eye(3) * 2))
    np.testing.assert_array_equal(known.fixed_covariance_mm2, np.stack([np.eye(3) * 2] * 3))


def test_deformation_is_shared_by_neighbours_and_turns_with_the_frame():
    model, rng = DeformationModel(), np.random.default_rng(0)
    points, turn = rng.normal(size=(5, 3)) * 15, rotation_matrix([0.3, -0.5, 1.0])
    joint = model.covariance_mm2(points, points)
    flat = joint.reshape(15, 15)
    np.testing.assert_allclose(flat, flat.T, atol=1e-12)
    assert np.linalg.eigvalsh(flat).min() > -1e-9
    rotated = np.einsum("ij,ajbk,lk->aibl", turn, joint, turn)
    np.testing.assert_allclose(model.covariance_mm2(points @ turn.T, points @ turn.T), rotated)
    np.testing.assert_allclose(model.variance_mm2(points)[2], joint[2, :, 2, :])
    normals = rng.normal(size=(5, 3))
    along = np.einsum("ai,aibj,bj->ab", normals, joint, normals)
    np.testing.assert_allclose(model.normal_covariance_mm2(points, normals), along)


def test_deformation_kernels_match_random_fields_drawn_as_stated():
    rng, model = np.random.default_rng(1), DeformationModel(0.0, 20.0, 0.07)
    raw = rng.normal(size=(40000, 3, 3)) * 0.07
    strain = (raw + raw.transpose(0, 2, 1)) / 2
    strain[:, [0, 1, 2], [0, 1, 2]] = raw[:, [0, 1, 2], [0, 1, 2]]
    points = np.array([[20.0, 5, -3], [-4, 10, 18]])
    moved = strain @ points.T
    measured = np.einsum("nia,njb->aibj", moved, moved) / len(raw)
    np.testing.assert_allclose(measured, model.covariance_mm2(points, points), atol=0.06)
