"""Volume rendering: the right voxels in the right place, moved by a matrix, windowed."""

import numpy as np
import pytest

from fusioninit.geometry import Orientation, Space
from fusioninit.gui.scene_state import Body
from fusioninit.gui.scene_volumes import LEVELS, Block

gl = pytest.mark.gl


def placed(prop):
    matrix = prop.GetMatrix()
    return np.array([[matrix.GetElement(i, j) for j in range(4)] for i in range(4)])


def show_mr(scene):
    scene.state.set_body(Space.MR, Body.VOLUME)
    scene.render_now()
    return scene.volumes.prop(Space.MR)


@pytest.mark.parametrize("space", [Space.US, Space.MR])
def test_a_block_has_the_volumes_values_where_the_volume_has_them(case, space):
    volume = case.volume(space)
    block = Block.of(volume, None, most=40)
    assert max(block.grid.shape) <= 40
    for index in ([0, 0, 0], [7, 11, 5], [s - 1 for s in block.grid.shape]):
        at_mm = block.grid.to_world(index[::-1])
        i, j, k = np.rint(volume.grid.to_index(at_mm)).astype(int)
        value = float(volume.voxels[k, j, i])
        assert block.levels[tuple(index)] == pytest.approx(block.level(value), abs=1.01)
    assert (block.levels.min(), block.levels.max()) == (0, LEVELS)


def test_a_block_round_the_gland_holds_it_with_a_margin_and_no_more(case):
    points = case.us_landmarks["apex"].position_mm + np.array([[0, 0, 0], [12, 9, 15]])
    block = Block.of(case.us, points, most=400)
    low, high = block.grid.to_world([0, 0, 0]), block.grid.to_world(block.grid.size_xyz - 1)
    step = case.us.grid.spacing_mm
    assert ((points.min(axis=0) - low >= 10 - 1e-6) & (points.min(axis=0) - low < 10 + step)).all()
    assert (high - points.max(axis=0) >= 10 - 2 * step).all()
    assert np.allclose(block.grid.spacing_mm, step)


@gl
def test_no_volume_is_rendered_until_it_is_asked_for(scene):
    assert scene.volumes.shown() == []
    assert scene.volumes.prop(Space.MR) is None


@gl
@pytest.mark.parametrize("on_the_processor", [True, False])
@pytest.mark.parametrize("space", [Space.US, Space.MR])
def test_a_volume_is_seen_by_either_way_of_drawing_it(scene, picture_of, space, on_the_processor):
    scene.stage.is_software = on_the_processor
    for orientation in Orientation:
        scene.state.set_plane(orientation, shown=False)
    for other in (Space.US, Space.MR):
        scene.state.set_body(other, Body.OFF)
    empty = picture_of(scene)
    scene.state.set_body(space, Body.VOLUME)
    full = picture_of(scene)
    assert (np.abs(full - empty).max(axis=-1) > 20).mean() > 0.05


@gl
def test_the_mr_moves_by_its_matrix_alone_and_keeps_its_voxels(scene):
    prop = show_mr(scene)
    image = prop.GetMapper().GetInput()
    before = placed(prop)
    scene.session.move_landmark(Space.US, "apex", [6.0, 2, -18])
    scene.render_now()
    assert scene.volumes.prop(Space.MR) is prop
    assert prop.GetMapper().GetInput() is image
    mr_index = np.linalg.inv(before)
    old = scene.session.undo_stack.command(0).before.us_from_mr.matrix
    new = scene.session.case.us_from_mr.matrix
    assert np.allclose(placed(prop) @ mr_index, new @ np.linalg.inv(old), atol=1e-4)


@gl
def test_a_volume_lies_where_its_slices_lie(scene):
    scene.state.set_flag("box", on=False)
    scene.state.set_body(Space.US, Body.VOLUME)
    prop = show_mr(scene)
    grid, us_from_mr = scene.session.case.mr.grid, scene.session.case.us_from_mr
    first = placed(prop) @ [0, 0, 0, 1]
    assert first[:3] == pytest.approx(us_from_mr.apply(grid.to_world([0, 0, 0])), abs=1e-3)
    us_first = placed(scene.volumes.prop(Space.US)) @ [0, 0, 0, 1]
    assert us_first[:3] == pytest.approx(scene.session.case.us.grid.to_world([0, 0, 0]), abs=1e-3)


@gl
def test_the_window_changes_opacity_and_not_the_voxels(scene):
    prop = show_mr(scene)
    image, opacity = prop.GetMapper().GetInput(), prop.GetProperty().GetScalarOpacity()
    low, high = scene.view_state.window(Space.MR)
    before = opacity.GetValue(LEVELS / 2)
    scene.view_state.set_window(Space.MR, low, low + 0.3 * (high - low))
    scene.render_now()
    assert prop.GetProperty().GetScalarOpacity().GetValue(LEVELS / 2) > before
    assert prop.GetMapper().GetInput() is image


@gl
def test_a_cut_takes_a_part_of_a_volume_away(scene, picture_of):
    for orientation in Orientation:
        scene.state.set_plane(orientation, shown=False)
    scene.state.set_body(Space.MR, Body.OFF)
    empty_us = scene.state.body(Space.US)
    scene.state.set_body(Space.US, Body.OFF)
    scene.look_from("From the front")
    empty = picture_of(scene)
    assert empty_us is Body.SURFACE
    scene.state.set_body(Space.US, Body.VOLUME)
    middle = empty.shape[1] // 2

    def seen(side):
        return (np.abs(picture_of(scene) - empty).max(axis=-1) > 20)[:, side].sum()

    whole = seen(slice(middle + 12, None))
    scene.state.set_cut(Orientation.SAGITTAL, on=True)
    assert seen(slice(middle + 12, None)) < 0.2 * whole
    assert seen(slice(0, middle - 12)) > 0.5 * whole


@gl
def test_what_stands_still_is_drawn_with_more_rays_than_what_moves(scene, qtbot):
    mapper = show_mr(scene).GetMapper()
    if not scene.stage.is_software:
        pytest.skip("a graphics card draws all rays at once")
    moving = mapper.GetImageSampleDistance()
    qtbot.waitUntil(lambda: mapper.GetImageSampleDistance() < moving)
    scene.session.move_landmark(Space.US, "apex", [6.0, 2, -18])
    qtbot.waitUntil(lambda: mapper.GetImageSampleDistance() == moving)


@gl
def test_without_a_transform_no_volume_of_the_mr_is_shown(scene):
    show_mr(scene)
    scene.session.delete_landmark(Space.US, "apex")
    scene.render_now()
    assert scene.volumes.shown() == []
