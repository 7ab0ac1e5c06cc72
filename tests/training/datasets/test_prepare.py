import json
from dataclasses import replace

import numpy as np
import pytest
from dataset_files import (
    GRID,
    RADII_MM,
    centre_of,
    gland_image,
    gland_mask,
    gland_points,
    write_case,
    write_nifti,
)

from fusioninit.detection.normalise import InputGrid
from fusioninit.errors import ReadError
from fusioninit.geometry import Grid, Space
from fusioninit.landmarks import ALL_NAMES
from fusioninit.training.datasets.listing import CaseFiles
from fusioninit.training.datasets.prepare import MARGIN_VOXELS, prepare
from fusioninit.training.datasets.store import CaseStore, load

INPUT = InputGrid((30, 32, 34), 2.0)


@pytest.fixture
def files(tmp_path):
    write_case(tmp_path, "case", 0)
    points = {"landmarks": gland_points(centre_of(0))}
    (tmp_path / "case.json").write_text(json.dumps(points))
    return CaseFiles(
        where="here",
        patient="A",
        image=tmp_path / "case.nii.gz",
        landmarks=tmp_path / "case.json",
        mask=tmp_path / "case-gland.nii.gz",
        point_sd_mm=1.0,
    )


def ready(files, **changes):
    return prepare(replace(files, **changes), Space.MR, INPUT, isolated=False)


@pytest.mark.parametrize("shift", [(0, 0, 0), (3, -2, 5), (-8, 8, -8)])
def test_image_gland_and_landmarks_agree_in_every_window(files, shift):
    sample = ready(files).window(np.array(shift), spacing_mm=2.0, reference_sd_mm=3.0)
    assert tuple(sample.image.shape) == INPUT.shape
    points = INPUT.centred_at([0, 0, 0]).points_mm()
    bright = sample.image.numpy() > 0.75 * float(sample.image.max()) * 100 / 140
    inside = sample.gland.numpy() > 0.5
    middle = sample.landmarks_mm[3:5].mean(0).numpy()
    truth = (((points - middle) / RADII_MM) ** 2).sum(-1) < 1
    for found in (bright, inside):
        assert 2 * (found & truth).sum() / (found.sum() + truth.sum()) > 0.9
    wanted = np.array([gland_points(np.zeros(3))[name] for name in ALL_NAMES])
    assert np.allclose(sample.landmarks_mm.numpy() - middle, wanted, atol=1e-3)


def test_the_kept_grid_is_centred_on_the_gland(files):
    case = ready(files)
    assert case.image.shape == tuple(n + 2 * MARGIN_VOXELS for n in INPUT.shape)
    assert np.abs(case.position_mm[3:5].mean(0)).max() < 0.5
    assert case.image.dtype == np.float16
    assert case.visible.all()


def test_a_case_with_points_alone_is_centred_on_them_and_knows_no_gland(files):
    case = ready(files, mask=None)
    assert not case.gland_known
    assert case.gland.max() == 0
    assert np.allclose(case.position_mm.mean(0), 0, atol=1e-9)


def test_the_child_process_reads_the_same(files):
    isolated = prepare(files, Space.MR, INPUT, isolated=True)
    assert np.array_equal(isolated.image, ready(files).image)


@pytest.mark.parametrize(
    ("move_mm", "sentence"),
    [
        (
            [0, 0, 60],
            "100% of the gland lies outside the image; check that both are in one frame",
        ),
        (None, "gland.nii.gz: nothing is labelled in it; choose the gland's mask"),
    ],
)
def test_a_mask_of_another_frame_or_of_nothing_is_refused(files, tmp_path, move_mm, sentence):
    mask = gland_mask(GRID, centre_of(0)).astype(np.uint8) * (move_mm is not None)
    grid = GRID if move_mm is None else replace(GRID, origin_mm=GRID.origin_mm + move_mm)
    path = write_nifti(tmp_path / "gland.nii.gz", mask, grid)
    with pytest.raises(ReadError) as refusal:
        ready(files, mask=path, landmarks=None)
    assert str(refusal.value) == sentence


def test_an_image_without_content_at_the_gland_is_refused(files, tmp_path):
    long = Grid((200, *GRID.shape[1:]), GRID.spacing_mm, GRID.origin_mm)
    voxels = np.zeros(long.shape, np.int16)
    voxels[150:] = 100
    path = write_nifti(tmp_path / "black.nii.gz", voxels, long)
    with pytest.raises(ReadError) as refusal:
        ready(files, image=path)
    assert str(refusal.value) == (
        "the image is 0 all around the gland; check that both are in one frame"
    )


def test_a_kept_case_is_read_back_equal_and_its_files_are_not_read_again(files, tmp_path):
    store = CaseStore(Space.MR, INPUT, folder=tmp_path / "cache", isolated=False)
    path = store.keep(files)
    first = load(path)
    assert [p.suffix for p in (tmp_path / "cache").iterdir()] == [".npz"]
    for name, value in vars(ready(files)).items():
        assert np.array_equal(value, getattr(first, name)), name
    written = path.stat().st_mtime_ns
    assert store.keep(files) == path
    assert path.stat().st_mtime_ns == written


def test_a_changed_file_or_a_damaged_copy_is_prepared_anew(files, tmp_path):
    store = CaseStore(Space.MR, INPUT, folder=tmp_path / "cache", isolated=False)
    path = store.keep(files)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert store.keep(files) == path
    assert np.array_equal(load(path).image, ready(files).image)
    write_nifti(files.image, gland_image(GRID, gland_mask(GRID, centre_of(0)), seed=9))
    changed = store.keep(files)
    assert changed != path
    assert not np.array_equal(load(changed).image, load(path).image)
    other = CaseStore(Space.MR, InputGrid((30, 32, 36), 2.0), folder=tmp_path / "cache")
    assert other.keep(replace(files)) not in (path, changed)
