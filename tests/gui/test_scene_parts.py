"""What stands in the 3D scene: each part against the case it draws."""

import gc
import weakref
from dataclasses import replace

import numpy as np
import pytest
from vtkmodules.util.numpy_support import vtk_to_numpy

from fusioninit.geometry import Orientation, Space
from fusioninit.gui.gland_surface import gland_surface
from fusioninit.gui.scene_planes import SlicePicture
from fusioninit.gui.scene_state import Body, ErrorLook
from fusioninit.gui.theme import SPACE_COLOUR
from fusioninit.state import Case, Core, Target, plan_cores

pytestmark = pytest.mark.gl


def bounds(actor):
    """(3, 2) least and most along x, y, z of the frame shown."""
    return np.reshape(actor.GetBounds(), (3, 2))


def points_of(actor):
    mapper = actor.GetMapper()
    mapper.Update()
    return vtk_to_numpy(mapper.GetInput().GetPoints().GetData()).astype(float)


def bare(scene):
    """Only glands: no planes, no notes."""
    for orientation in Orientation:
        scene.state.set_plane(orientation, shown=False)
    for flag in ("legend", "marker"):
        scene.state.set_flag(flag, on=False)
    scene.render_now()


def bluish(picture):
    """Where the US gland is seen."""
    return picture[..., 2] - picture[..., 0] > 40


# -- planes and cuts ----------------------------------------------------------------------------


def test_slice_planes_go_through_the_crosshair_and_follow_it(scene):
    scene.state.set_plane(Orientation.CORONAL, shown=True)
    for at in ([3.0, -7.0, 11.0], [-9.0, 4.0, -2.0]):
        scene.view_state.set_crosshair(Space.US, at)
        scene.render_now()
        for orientation, axis in ((Orientation.AXIAL, 2), (Orientation.SAGITTAL, 0),
                                  (Orientation.CORONAL, 1)):  # fmt: skip
            plane = scene.planes.pictures[orientation].actor
            assert plane.GetVisibility()
            assert bounds(plane)[axis] == pytest.approx([at[axis]] * 2, abs=1e-4)
            assert plane.GetTexture().GetInput().GetNumberOfPoints() > 10_000


def test_an_unchanged_slice_plane_is_not_cut_again(scene):
    plane = scene.planes.pictures[Orientation.AXIAL]
    texture = plane.actor.GetTexture().GetInput()
    scene.view_state.set_crosshair(Space.US, scene.view_state.crosshair_mm(Space.US) + [5, 0, 0])
    scene.render_now()
    assert plane.actor.GetTexture().GetInput() is texture
    assert isinstance(plane, SlicePicture)


def test_a_cut_takes_one_side_of_the_surfaces_away_and_the_other_side_on_demand(scene, picture_of):
    bare(scene)
    scene.state.set_body(Space.MR, Body.OFF)
    scene.look_from("From the front")
    whole = bluish(picture_of(scene))
    scene.view_state.set_crosshair(Space.US, [0.0, 0, 0])
    scene.state.set_cut(Orientation.SAGITTAL, on=True)
    right = bluish(picture_of(scene))
    scene.state.set_flag("other_side", on=True)
    left = bluish(picture_of(scene))
    middle = whole.shape[1] // 2
    assert right[:, :middle].sum() > 5 * right[:, middle:].sum()
    assert left[:, middle:].sum() > 5 * left[:, :middle].sum()
    assert whole.sum() > 1.5 * max(left.sum(), right.sum())
    scene.state.set_cut(Orientation.SAGITTAL, on=False)
    assert bluish(picture_of(scene)).sum() == pytest.approx(whole.sum(), rel=0.02)


def test_a_cut_follows_the_crosshair(scene, picture_of):
    bare(scene)
    scene.state.set_body(Space.MR, Body.OFF)
    scene.look_from("From the front")
    scene.state.set_cut(Orientation.AXIAL, on=True)
    seen = []
    for z in (-12.0, 0.0, 12.0):
        scene.view_state.set_crosshair(Space.US, [0.0, 0, z])
        seen.append(bluish(picture_of(scene)).sum())
    assert seen[0] < 0.7 * seen[1] < 0.7 * seen[2]


# -- landmarks ----------------------------------------------------------------------------------


def test_regions_are_the_95_percent_ellipsoids_of_the_landmarks(scene):
    assert scene.marks.region_actors() == []
    scene.state.set_flag("regions", on=True)
    scene.render_now()
    marks = scene.session.case.us_landmarks
    mark = marks["apex"]
    half_mm = np.sqrt(7.815 * np.diag(mark.covariance_mm2))
    regions = [bounds(actor) for actor in scene.marks.region_actors()]
    own = [box for box in regions if np.allclose(box.mean(axis=1), mark.position_mm, atol=0.2)]
    assert len(own) == 1
    assert (own[0][:, 1] - own[0][:, 0]) / 2 == pytest.approx(half_mm, rel=0.02)
    assert len(regions) == 6
    scene.state.set_flag("regions", on=False)
    scene.render_now()
    assert scene.marks.region_actors() == []


def test_a_landmark_moved_by_hand_gets_the_region_of_a_hand(scene):
    scene.state.set_flag("regions", on=True)
    scene.render_now()
    scene.session.move_landmark(Space.US, "apex", [5.0, 5.0, -20.0])
    scene.render_now()
    after = scene.session.case.us_landmarks["apex"]
    half_mm = np.sqrt(7.815 * after.covariance_mm2[0, 0])
    widths = [np.ptp(bounds(a)[0]) / 2 for a in scene.marks.region_actors()
              if np.allclose(bounds(a).mean(axis=1), after.position_mm, atol=0.2)]  # fmt: skip
    assert widths == pytest.approx([half_mm], rel=0.02)


# -- targets and cores --------------------------------------------------------------------------


def test_targets_stand_where_the_registration_puts_them_within_their_predicted_error(scene):
    position = scene.session.case.mr_landmarks["apex"].position_mm + [4, -9, 12]
    scene.session.set_targets((Target("A", position, 4.0),))
    for _ in range(2):
        scene.render_now()
        fit = scene.session.case.registration
        for actor, radius in (
            (scene.targets.spheres[0], 4.0),
            (scene.targets.halos[0], float(fit.predicted_error_mm(position).upper_mm)),
        ):
            box = bounds(actor)
            assert box.mean(axis=1) == pytest.approx(fit.us_from_mr.apply(position), abs=0.2)
            own_mm = np.ptp(points_of(actor)[:, 2]) / 2 * actor.GetScale()[2]
            assert own_mm == pytest.approx(radius, rel=0.03)
        scene.session.move_landmark(Space.US, "apex", [6.0, 9, -26])
    scene.state.set_flag("halos", on=False)
    scene.render_now()
    assert not scene.targets.halos[0].GetVisibility()
    scene.session.delete_landmark(Space.US, "apex")
    scene.render_now()
    assert not scene.targets.spheres[0].GetVisibility()


def test_cores_are_lines_from_entry_to_tip_that_thicken_where_tissue_is_taken(scene):
    core = Core("A", [0.0, 30.0, -10.0], [0.0, -10.0, -10.0], sample_mm=17.0)
    scene.session.set_cores((core,))
    scene.render_now()
    needle, sample = (bounds(actor) for actor in scene.cores.actors)
    assert needle[1] == pytest.approx([-10.0, 30.0], abs=0.01)
    assert sample[1] == pytest.approx([-10.0, 7.0], abs=0.01)
    assert np.ptp(sample[0]) > np.ptp(needle[0])
    scene.session.undo()
    scene.render_now()
    assert scene.cores.actors == []


def test_a_whole_plan_is_drawn_and_hidden_at_will(scene):
    scene.session.set_cores(plan_cores(scene.session.case))
    scene.render_now()
    assert len(scene.cores.actors) == 2 * len(scene.session.case.cores) > 20
    assert all(actor.GetVisibility() for actor in scene.cores.actors)
    scene.state.set_flag("cores", on=False)
    scene.render_now()
    assert not any(actor.GetVisibility() for actor in scene.cores.actors)


# -- the error over the gland -------------------------------------------------------------------


def test_the_error_over_the_gland_is_the_registrations_own(scene):
    scene.state.set_error(ErrorLook.COLOURS)
    scene.render_now()
    fit = scene.session.case.registration
    points = points_of(scene.error.actor)
    assert len(points) > 200
    expected = fit.predicted_error_mm(points).upper_mm
    assert scene.error.upper_mm == pytest.approx(expected, abs=0.01)
    low, high = scene.error.range_mm
    assert low <= expected.min() < expected.max() <= high


def test_the_shell_lies_outside_the_gland_by_the_bound(scene):
    scene.state.set_error(ErrorLook.COLOURS)
    scene.render_now()
    on_gland = points_of(scene.error.actor)
    scene.state.set_error(ErrorLook.SHELL)
    scene.render_now()
    out_mm = np.linalg.norm(points_of(scene.error.actor) - on_gland, axis=1)
    assert out_mm == pytest.approx(scene.error.upper_mm, rel=1e-3)
    middle = on_gland.mean(axis=0)
    further = np.linalg.norm(points_of(scene.error.actor) - middle, axis=1)
    assert (further > np.linalg.norm(on_gland - middle, axis=1)).mean() > 0.99


def test_no_see_through_gland_falsifies_the_colours_of_the_error(scene):
    for look, shown in ((ErrorLook.COLOURS, False), (ErrorLook.SHELL, True)):
        scene.state.set_error(look)
        scene.render_now()
        seen = [bool(scene.glands.actor(s).GetVisibility()) for s in (Space.US, Space.MR)]
        assert seen == [shown, shown]
    scene.state.set_error(ErrorLook.COLOURS)
    scene.session.delete_landmark(Space.US, "apex")
    scene.render_now()
    assert scene.glands.actor(Space.US).GetVisibility()


def test_the_error_follows_an_edit_and_goes_with_the_registration(scene):
    scene.state.set_error(ErrorLook.SHELL)
    scene.render_now()
    before = scene.error.upper_mm
    scene.session.move_landmark(Space.US, "apex", [16.0, 9, -26])
    scene.render_now()
    assert not np.allclose(scene.error.upper_mm, before)
    scene.session.delete_landmark(Space.US, "apex")
    scene.render_now()
    assert not scene.error.is_shown


def test_the_legend_shows_the_scale_of_the_error_and_names_what_is_drawn(scene, picture_of):
    scene.state.set_flag("marker", on=False)
    plain = picture_of(scene)
    scene.state.set_error(ErrorLook.COLOURS)
    scene.session.set_targets((Target("A", [0.0, 0, 0]),))
    scene.render_now()
    full = picture_of(scene)

    def painted(picture):  # discs, squares and the scale in the lower left corner
        corner = picture[-90:, :205]
        return (corner.max(axis=-1) - corner.min(axis=-1) > 90).sum()

    assert painted(full) > 2 * painted(plain) > 0
    scene.state.set_flag("legend", on=False)
    assert not scene.notes.legend.GetVisibility() or painted(picture_of(scene)) < painted(plain)


def test_without_any_gland_there_is_no_error_surface(scene, pair):
    case = Case().with_volume(pair.us).with_volume(pair.mr)
    for space in (Space.US, Space.MR):
        case = case.with_landmarks(scene.session.case.landmarks(space))
    scene.state.set_error(ErrorLook.SHELL)
    scene.session.open_case(case)
    scene.render_now()
    assert not scene.error.is_shown


def test_the_marks_wear_their_spaces_colours(scene):
    for space in (Space.US, Space.MR):
        actor = scene.marks.actors(space)["apex"]
        colour = SPACE_COLOUR[space]
        assert actor.GetProperty().GetColor() == pytest.approx(
            (colour.redF(), colour.greenF(), colour.blueF()), abs=1e-3
        )


def test_a_masks_surface_is_taken_once_and_goes_with_the_mask(pair):
    mask = replace(pair.us_gland)
    surface = gland_surface(mask)
    assert gland_surface(mask) is surface
    assert gland_surface(mask, voxels=20) is not surface
    assert gland_surface(pair.us_gland) is not surface
    gone = weakref.ref(mask)
    del mask
    gc.collect()
    assert gone() is None
