import numpy as np
import pytest
from shapes import gland_mask, pair, transform

from fusioninit.geometry import Grid, Space, rotation_matrix
from fusioninit.landmarks import LandmarkSet
from fusioninit.registration import GlandShape, LandmarkFit, fit_landmarks
from fusioninit.registration.metrics import surface_registration_error_mm

SPHERE_MM = 20.0


def sphere(spacing_mm, *, direction=None, center_mm=(5.0, -3, 40)):
    """Mask and grid of a ball of 20 mm about `center_mm`."""
    shape = tuple(int(2 * (SPHERE_MM + 6) / s) for s in np.asarray(spacing_mm)[::-1])
    grid = Grid.centred(shape, spacing_mm, center_mm)
    if direction is not None:
        origin = center_mm - direction @ (grid.center_mm - grid.origin_mm)
        grid = Grid(grid.shape, grid.spacing_mm, origin, direction)
    return np.linalg.norm(grid.points_mm() - center_mm, axis=-1) < SPHERE_MM, grid


@pytest.mark.parametrize("spacing", [(0.4, 0.4, 0.4), (1.5, 1.5, 1.5), (0.5, 0.5, 3.0)])
@pytest.mark.parametrize("oblique", [False, True])
def test_a_balls_surface_centroid_and_volume_are_those_of_a_ball(spacing, oblique):
    direction = rotation_matrix([0.4, 0.2, -0.3]) @ np.diag([1, 1, -1]) if oblique else None
    shape = GlandShape.from_mask(*sphere(spacing, direction=direction))
    outward = shape.surface_mm - [5, -3, 40]
    radius = np.linalg.norm(outward, axis=1)
    slack = max(0.12, 0.12 * max(spacing))
    assert abs(radius.mean() - SPHERE_MM) < slack
    assert radius.std() < 0.35 * max(1.0, max(spacing) / 1.5)
    assert ((outward / radius[:, None] * shape.normals).sum(axis=1) > 0.8).all()
    np.testing.assert_allclose(shape.centroid_mm, [5, -3, 40], atol=0.05)
    assert shape.volume_ml == pytest.approx(4 / 3 * np.pi * 8, rel=0.02)
    assert not shape.is_cut


def test_the_sample_covers_the_surface_evenly():
    shape = GlandShape.from_mask(*sphere((1.0, 1.0, 1.0)))
    points = shape.surface_mm[shape.sample]
    gaps = np.linalg.norm(points[:, None] - points[None], axis=-1) + 1e9 * np.eye(len(points))
    assert len(points) == 150
    assert gaps.min() > 3
    distance, _ = shape.tree.query(points)
    assert distance.max() == 0


def test_where_the_image_cuts_the_gland_there_is_no_surface():
    mask, grid = sphere((1.0, 1.0, 1.0))
    half = Grid((grid.shape[0] // 2, *grid.shape[1:]), grid.spacing_mm, grid.origin_mm)
    shape = GlandShape.from_mask(mask[: half.shape[0]], half)
    top = half.corners_mm()[:, 2].max()
    assert shape.is_cut
    assert shape.surface_mm[:, 2].max() < top
    radius = np.linalg.norm(shape.surface_mm - [5, -3, 40], axis=1)
    assert radius.min() > SPHERE_MM - 1.5
    assert shape.centroid_covariance_mm2[0, 0] == 16


def test_a_stray_voxel_is_not_the_gland():
    mask, grid = sphere((1.0, 1.0, 1.0))
    mask[0, 0, 0] = True
    assert not GlandShape.from_mask(mask, grid).is_cut


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (np.zeros((4, 5, 6)), "mask is empty"),
        (np.ones((5, 5, 6)), "does not match its grid"),
        (np.eye(4, 5)[:, :, None] * np.eye(6)[0] > 0, "at least 20 finite points"),
    ],
)
def test_a_mask_that_holds_no_gland_is_refused(mask, message):
    with pytest.raises(ValueError, match=message):
        GlandShape.from_mask(mask, Grid((4, 5, 6)))


@pytest.fixture(scope="module")
def glands():
    """(US shape, MR shape, truth) of one gland, US turned and shifted, other voxels."""
    truth = transform((0.3, -0.08, 0.12))
    mr_grid = Grid.centred((20, 60, 66), [1.0, 1.0, 3.0])
    us_grid = Grid.centred((66, 64, 72), 0.9, truth.apply([0, 0, 0]))
    return (
        GlandShape.from_mask(gland_mask(us_grid, truth), us_grid),
        GlandShape.from_mask(gland_mask(mr_grid), mr_grid),
        truth,
    )


def solved(glands, us, mr, estimator="auto"):
    fit = fit_landmarks(
        fixed=us, moving=mr, estimator=estimator, fixed_gland=glands[0], moving_gland=glands[1]
    )
    assert isinstance(fit, LandmarkFit)
    return fit


def test_glands_pull_bad_points_toward_the_truth(glands):
    truth, surface = glands[2], glands[1].surface_mm
    alone, together = [], []
    for seed in range(8):
        us, mr = pair(truth, noise_mm=5, seed=seed)
        points = fit_landmarks(fixed=us, moving=mr, estimator="auto")
        alone.append(surface_registration_error_mm(truth, points.us_from_mr, surface))
        fit = solved(glands, us, mr)
        together.append(surface_registration_error_mm(truth, fit.us_from_mr, surface))
    assert np.mean(together) < 0.6 * np.mean(alone)
    assert "both glands" in fit.explanation


def test_with_both_glands_one_landmark_is_enough_and_the_answer_says_so(glands):
    us, mr = pair(glands[2], names=("apex",))
    fit = solved(glands, us, mr)
    assert "would not determine a rotation" in fit.explanation
    error = surface_registration_error_mm(glands[2], fit.us_from_mr, glands[1].surface_mm)
    assert error < 3
    assert fit.predicted_error_mm([0, 0, 0]).upper_mm > 0


def test_glands_shrink_the_predicted_error(glands):
    us, mr = pair(glands[2], noise_mm=2)
    points = fit_landmarks(fixed=us, moving=mr, estimator="auto")
    target = [[10.0, 0, 5]]
    both = solved(glands, us, mr)
    assert both.predicted_error_mm(target).upper_mm < points.predicted_error_mm(target).upper_mm


def test_the_papers_svd_takes_no_notice_of_glands(glands):
    us, mr = pair(glands[2], noise_mm=2)
    with_glands = solved(glands, us, mr, "svd").us_from_mr
    assert with_glands == fit_landmarks(fixed=us, moving=mr).us_from_mr


def test_a_gland_in_one_image_only_changes_nothing(glands):
    us, mr = pair(glands[2], noise_mm=2)
    one = fit_landmarks(fixed=us, moving=mr, estimator="map", fixed_gland=glands[0])
    assert one.us_from_mr == fit_landmarks(fixed=us, moving=mr, estimator="map").us_from_mr


def test_a_cut_gland_is_laid_into_the_whole_one(glands):
    truth = glands[2]
    whole = Grid.centred((66, 64, 72), 0.9, truth.apply([0, 0, 0]))
    grid = Grid((46, 64, 72), whole.spacing_mm, whole.origin_mm)
    cut = GlandShape.from_mask(gland_mask(grid, truth), grid)
    assert cut.is_cut
    us, mr = pair(truth, noise_mm=2)
    fit = solved((cut, glands[1], truth), us, mr)
    assert surface_registration_error_mm(truth, fit.us_from_mr, glands[1].surface_mm) < 3


def test_the_field_tells_gap_and_normal_anywhere_around_a_ball():
    shape = GlandShape.from_mask(*sphere((1.0, 1.0, 1.0)))
    rng = np.random.default_rng(0)
    outward = rng.normal(size=(200, 3))
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    radius = rng.uniform(12, 28, 200)
    points = np.array([5, -3, 40]) + outward * radius[:, None]
    gaps, normals = shape.surface_field.gaps_and_normals(points)
    np.testing.assert_allclose(gaps, SPHERE_MM - radius, atol=0.6)
    assert np.abs(gaps - (SPHERE_MM - radius)).mean() < 0.2
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1)
    assert ((normals * outward).sum(axis=1) > 0.95).all()


def test_far_outside_its_reach_the_field_still_points_home():
    shape = GlandShape.from_mask(*sphere((1.0, 1.0, 1.0)))
    gaps, normals = shape.surface_field.gaps_and_normals(np.array([[205.0, -3, 40]]))
    assert gaps[0] < -5
    assert normals[0, 0] > 0.9


def test_a_networks_mask_can_be_trusted_less(glands):
    grid = Grid.centred((20, 60, 66), [1.0, 1.0, 3.0])
    doubted = GlandShape.from_mask(gland_mask(grid), grid, surface_sd_mm=6.0, centroid_sd_mm=5.0)
    us, mr = pair(glands[2], noise_mm=2)
    sure, unsure = solved(glands, us, mr), solved((glands[0], doubted, glands[2]), us, mr)
    target = [[10.0, 0, 5]]
    assert unsure.predicted_error_mm(target).mean_mm > sure.predicted_error_mm(target).mean_mm


def test_two_outlines_of_different_size_are_questioned(glands):
    grid = Grid.centred((20, 60, 66), [1.0, 1.0, 3.0])
    swollen = Grid(grid.shape, grid.spacing_mm * 1.2, grid.origin_mm * 1.2)
    big = GlandShape.from_mask(gland_mask(grid), swollen)
    us, mr = pair(glands[2], noise_mm=1)
    fit = solved((glands[0], big, glands[2]), us, mr)
    (found,) = [finding for finding in fit.findings if finding.code == "gland-volume"]
    assert f"{big.volume_ml:.0f} ml in MR" in found.sentence


def test_glands_that_stay_apart_are_questioned_even_where_the_fit_ignores_them(glands):
    us, mr = pair(glands[2])
    us = LandmarkSet.from_positions(
        Space.US, {n: np.add(us[n].position_mm, [0, 0, 12]) for n in us}
    )
    fit = solved(glands, us, mr, "svd")
    assert {finding.code for finding in fit.findings} == {"glands-apart"}


def test_points_through_a_ball_have_the_balls_mean_square_radius():
    shape = GlandShape.from_mask(*sphere((1.0, 1.0, 1.0)))
    radius = np.linalg.norm(shape.interior_mm - shape.centroid_mm, axis=1)
    assert radius.max() < SPHERE_MM
    assert (radius**2).mean() == pytest.approx(0.6 * SPHERE_MM**2, rel=0.03)


def test_the_error_over_the_gland_is_one_number_with_and_without_its_shape(glands):
    us, mr = pair(glands[2], noise_mm=2)
    fit = fit_landmarks(fixed=us, moving=mr, estimator="auto")
    inside, between = fit.predicted_gland_error_mm(glands[1]), fit.predicted_gland_error_mm()
    each = fit.predicted_error_mm(glands[1].interior_mm)
    assert inside.mean_mm == pytest.approx(each.mean_mm.mean())
    assert each.upper_mm.min() < inside.upper_mm < each.upper_mm.max()
    assert between.upper_mm > between.mean_mm > 0
