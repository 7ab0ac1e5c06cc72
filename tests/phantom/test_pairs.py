import json

import numpy as np
import pytest

from fusioninit.geometry import Grid, Space
from fusioninit.imaging.reading import read_mask, read_volume
from fusioninit.landmarks import ALL_NAMES, READER_NAMES
from fusioninit.phantom import draw_pair
from fusioninit.phantom import writing as pair_writing

MR_GRID = Grid.centred((22, 70, 74), (2.0, 2.0, 3.5), center_mm=(12.0, -30.0, 55.0))
US_GRID = Grid.centred((46, 50, 54), 2.0, center_mm=(-5.0, 8.0, 3.0))


@pytest.fixture(scope="module", params=[1, 6])
def pair(request):
    return draw_pair(seed=request.param, mr_grid=MR_GRID, us_grid=US_GRID)


def test_a_pair_lies_on_the_grids_that_were_asked_for(pair):
    assert pair.mr.grid == pair.mr_gland.grid == MR_GRID
    assert pair.us.grid == pair.us_gland.grid == US_GRID
    assert (pair.mr.space, pair.us.space) == (Space.MR, Space.US)
    assert (pair.us_from_mr.target, pair.us_from_mr.source) == (Space.US, Space.MR)
    assert pair.mr.voxels.dtype == np.int16
    assert pair.us.voxels.dtype == np.uint8


def test_the_dense_truth_takes_mr_landmarks_exactly_to_us_landmarks(pair):
    mapped = pair.to_us(pair.mr_landmarks.positions_mm(ALL_NAMES))
    np.testing.assert_allclose(mapped, pair.us_landmarks.positions_mm(ALL_NAMES), atol=5e-3)


def test_the_rigid_truth_leaves_only_the_deformation(pair):
    mapped = pair.us_from_mr.apply(pair.mr_landmarks.positions_mm(ALL_NAMES))
    rest = np.linalg.norm(mapped - pair.us_landmarks.positions_mm(ALL_NAMES), axis=1)
    assert 0.2 < rest.mean() < 6.0
    assert rest.max() < 10.0


def test_the_rigid_truth_is_the_best_one_over_the_gland(pair):
    where = np.argwhere(pair.mr_gland.voxels)[::7]
    points = MR_GRID.to_world(where[:, ::-1])
    target = pair.to_us(points)

    def error(shift):
        return (((pair.us_from_mr.apply(points) + shift) - target) ** 2).sum(1).mean()

    best = error(np.zeros(3))
    for axis in range(3):
        assert error(2.0 * np.eye(3)[axis]) > best
        assert error(-2.0 * np.eye(3)[axis]) > best


def test_the_dense_truth_takes_the_mr_gland_onto_the_us_gland(pair):
    where = np.argwhere(pair.mr_gland.voxels)
    mapped = pair.to_us(MR_GRID.to_world(where[:, ::-1]))
    index = np.rint(US_GRID.to_index(mapped)).astype(int)[:, ::-1]
    inside = ((index >= 0) & (index < US_GRID.shape)).all(1)
    k, j, i = index[inside].T
    imaged = pair.us.voxels[k, j, i] > 0
    assert imaged.sum() > 100
    assert pair.us_gland.voxels[k, j, i][imaged].mean() > 0.85


def test_masks_have_about_the_volume_of_the_same_gland(pair):
    mr_ml = pair.mr_gland.voxels.sum() * np.prod(MR_GRID.spacing_mm) / 1000
    us_ml = pair.us_gland.voxels.sum() * np.prod(US_GRID.spacing_mm) / 1000
    assert 10 < mr_ml < 220
    assert 0.3 < us_ml / mr_ml < 1.4


def test_the_same_seed_gives_the_same_pair():
    first, again = (draw_pair(seed=9, mr_grid=MR_GRID, us_grid=US_GRID) for _ in range(2))
    assert first.mr.voxels.tobytes() == again.mr.voxels.tobytes()
    assert first.us.voxels.tobytes() == again.us.voxels.tobytes()
    assert first.mr_landmarks == again.mr_landmarks
    np.testing.assert_array_equal(first.us_from_mr.matrix, again.us_from_mr.matrix)


def test_patient_and_poses_do_not_depend_on_the_grids():
    pair = draw_pair(seed=9, mr_grid=MR_GRID, us_grid=US_GRID)
    other_mr = Grid.centred((18, 60, 50), (2.4, 2.4, 4.0), center_mm=MR_GRID.center_mm)
    other_us = Grid.centred((40, 44, 48), 2.5, center_mm=US_GRID.center_mm)
    other = draw_pair(seed=9, mr_grid=other_mr, us_grid=other_us)
    np.testing.assert_allclose(other.us_from_mr.matrix, pair.us_from_mr.matrix, atol=1e-6)
    np.testing.assert_allclose(
        other.us_landmarks.positions_mm(ALL_NAMES), pair.us_landmarks.positions_mm(ALL_NAMES)
    )


def test_an_oblique_left_handed_grid_is_imaged_in_its_own_frame():
    flipped = np.diag([-1.0, 1.0, 1.0])
    grid = Grid((22, 70, 74), np.array([2.0, 2.0, 3.5]), np.array([80.0, -90.0, 10.0]), flipped)
    pair = draw_pair(seed=2, mr_grid=grid, us_grid=US_GRID)
    left = pair.mr_landmarks["left_lateral"].position_mm
    right = pair.mr_landmarks["right_lateral"].position_mm
    assert left[0] > right[0] + 20
    for point in (left, right):
        k, j, i = np.rint(grid.to_index(0.7 * point + 0.15 * (left + right))).astype(int)[::-1]
        assert pair.mr_gland.voxels[k, j, i] == 1


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    out = tmp_path_factory.mktemp("pairs")
    drawn = draw_pair

    def small(*, seed):
        return drawn(seed=seed, mr_grid=MR_GRID, us_grid=US_GRID)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pair_writing, "draw_pair", small)
        pair_writing.write_pairs(count=2, seed=40, out=out)
    return out


def test_pairs_are_written_in_the_data_sets_layout(written):
    names = {path.relative_to(written).as_posix() for path in written.rglob("*") if path.is_file()}
    folders = ("mr_images", "us_images", "mr_labels", "us_labels")
    wanted = {f"{f}/case{n:06d}.nii.gz" for f in folders for n in (1, 2)}
    assert names == wanted | {f"truth/case{n:06d}.json" for n in (1, 2)}


def test_written_pairs_read_back_as_they_were_drawn(written):
    pair = draw_pair(seed=41, mr_grid=MR_GRID, us_grid=US_GRID)
    image = read_volume(written / "us_images" / "case000002.nii.gz", space=Space.US)
    np.testing.assert_array_equal(image.voxels, pair.us.voxels)
    np.testing.assert_allclose(image.grid.world_from_index, US_GRID.world_from_index, atol=1e-4)
    gland = read_mask(written / "mr_labels" / "case000002.nii.gz", space=Space.MR)
    np.testing.assert_array_equal(gland.voxels > 0, pair.mr_gland.voxels > 0)
    truth = json.loads((written / "truth" / "case000002.json").read_text(encoding="utf-8"))
    np.testing.assert_allclose(truth["us_from_mr"], pair.us_from_mr.matrix)
    assert tuple(truth["landmarks"]["us"]) == READER_NAMES
    for name in READER_NAMES:
        np.testing.assert_allclose(
            truth["landmarks"]["us"][name], pair.us_landmarks[name].position_mm
        )


def test_writing_again_gives_the_same_bytes(written, tmp_path, monkeypatch):
    monkeypatch.setattr(
        pair_writing,
        "draw_pair",
        lambda *, seed: draw_pair(seed=seed, mr_grid=MR_GRID, us_grid=US_GRID),
    )
    pair_writing.write_pairs(count=1, seed=40, out=tmp_path)
    for path in (p for p in tmp_path.rglob("*") if p.is_file()):
        assert path.read_bytes() == (written / path.relative_to(tmp_path)).read_bytes(), path.name
