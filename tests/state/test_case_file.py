import hashlib
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk

from fusioninit.errors import InputError, ReadError
from fusioninit.geometry import Grid, Space
from fusioninit.imaging import Volume, VolumeSource
from fusioninit.imaging.reading import read_volume
from fusioninit.imaging.stated_geometry import StatedGeometry
from fusioninit.landmarks import ErrorCorrelation, LandmarkSet, Source
from fusioninit.state import Case, Core, CoreKind, Decision, Target, load_case, save_case
from fusioninit.state.case_file import VERSION, case_record, with_record

ROOT = Path(__file__).parents[2]
SAVED_BY_VERSION_1 = Path(__file__).parent / "saved-by-version-1"
SAVED_BY_VERSION_3 = Path(__file__).parent / "saved-by-version-3"


def read_npy(path: Path, *, space: Space, series_uid: str | None = None) -> Volume:
    voxels = np.load(path)
    return Volume(
        voxels, Grid(voxels.shape), space, VolumeSource(path=path, series_uid=series_uid or "")
    )


@pytest.fixture
def case(tmp_path) -> Case:
    case = Case()
    for space, value in ((Space.US, 1.0), (Space.MR, 2.0)):
        path = tmp_path / "images" / f"{space}.npy"
        path.parent.mkdir(exist_ok=True)
        np.save(path, np.full((2, 3, 4), value, np.float32))
        case = case.with_volume(read_npy(path, space=space))
        marks = LandmarkSet.from_positions(
            space, {"apex": [0.1, 1 / 3, -value]}, source=Source.PREDICTED
        )
        marks = replace(marks, correlation=ErrorCorrelation.uniform(("apex", "bladder_neck"), 0.4))
        second = marks.with_position("apex", [value, 2 / 3, 9], source=Source.PREDICTED)
        case = case.with_prediction(marks, second=second).with_landmarks(
            marks.with_position("bladder_neck", [4, 5, 6])
        )
    return (
        case.with_targets((Target("lesion", np.array([1.5, 2.5, 3.5]), 4.0),))
        .with_cores(
            (
                Core("Left mid lateral", np.array([0.1, 1 / 3, 2]), np.array([0.0, -17, 4])),
                Core("lesion 1", np.zeros(3), np.ones(3), CoreKind.TARGETED, "lesion", 15.0),
            )
        )
        .with_estimator("svd")
        .with_decision(Decision(accepted=False, reason="gland cut off", initials="AB"))
    )


def test_a_saved_case_comes_back_the_same(case, tmp_path):
    path = save_case(case, tmp_path / "patient")
    assert path.name == "patient.fusion.json"
    loaded = load_case(path, read=read_npy)
    assert loaded.us_landmarks == case.us_landmarks
    assert loaded.mr_predicted == case.mr_predicted
    assert (loaded.us_second, loaded.mr_second) == (case.us_second, case.mr_second)
    assert loaded.disagreement(Space.MR) == case.disagreement(Space.MR)
    assert loaded.decision == case.decision
    assert loaded.targets[0].name == "lesion"
    np.testing.assert_array_equal(loaded.targets[0].position_mr_mm, [1.5, 2.5, 3.5])
    np.testing.assert_array_equal(loaded.mr.voxels, case.mr.voxels)
    assert case_record(loaded)["cores"] == case_record(case)["cores"]
    assert loaded.cores[1].kind is CoreKind.TARGETED
    np.testing.assert_array_equal(loaded.cores[0].entry_us_mm, [0.1, 1 / 3, 2])


def test_a_case_saved_by_the_first_version_opens_and_is_saved_as_this_one(tmp_path):
    """The file was written by that version, not by this one with another number."""
    old = SAVED_BY_VERSION_1 / "patient.fusion.json"
    assert json.loads(old.read_text(encoding="utf-8"))["version"] == 1
    case = load_case(old, read=read_npy)
    assert case.cores == ()
    assert case.disagreement(Space.MR) is None
    assert case.estimator == "weighted"
    assert case.decision == Decision(accepted=True, reason="fine", initials="AB")
    np.testing.assert_array_equal(case.mr_landmarks["apex"].position_mm, [1.5, 2.5, -21])
    np.testing.assert_array_equal(case.targets[0].position_mr_mm, [1.5, 2.5, 3.5])
    saved = json.loads(save_case(case, tmp_path / "again").read_text(encoding="utf-8"))
    assert saved["version"] == VERSION
    assert saved["cores"] == []
    assert saved["second"]["us"] == {"space": "us", "landmarks": []}


def test_a_case_saved_by_the_third_version_opens_without_a_second_answer(tmp_path):
    """The file was written by that version, not by this one with another number."""
    old = SAVED_BY_VERSION_3 / "patient.fusion.json"
    record = json.loads(old.read_text(encoding="utf-8"))
    assert record["version"] == 3
    assert "second" not in record
    case = load_case(old, read=read_npy)
    np.testing.assert_array_equal(case.us_landmarks["apex"].position_mm, [1, 2, -20])
    np.testing.assert_array_equal(case.us_predicted["apex"].position_mm, [1.5, 2.5, -21])
    assert case.cores[0].name == "Left mid lateral"
    assert (case.us_second, case.mr_second) == (LandmarkSet(Space.US), LandmarkSet(Space.MR))
    saved = json.loads(save_case(case, tmp_path / "again").read_text(encoding="utf-8"))
    assert saved["version"] == VERSION
    for part in ("landmarks", "predicted", "targets", "cores", "estimator", "decision"):
        assert saved[part] == record[part]


def test_a_journal_of_the_first_version_is_resumed():
    text = (SAVED_BY_VERSION_1 / "patient.fusion.json").read_text(encoding="utf-8")
    assert with_record(Case(), json.loads(text)).targets[0].name == "lesion"


def test_a_case_whose_cores_share_a_name_is_refused(case, tmp_path):
    path = save_case(case, tmp_path / "a.fusion.json")
    record = json.loads(path.read_text(encoding="utf-8"))
    record["cores"][1]["name"] = record["cores"][0]["name"]
    path.write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(ReadError, match="two cores are called Left mid lateral"):
        load_case(path, read=read_npy)


def test_images_are_named_relative_to_the_case(case, tmp_path):
    record = json.loads(save_case(case, tmp_path / "a.fusion.json").read_text(encoding="utf-8"))
    assert record["images"]["us"]["path"] == "images/us.npy"
    assert str(tmp_path) not in json.dumps(record)


def test_a_changed_image_is_noticed(case, tmp_path):
    path = save_case(case, tmp_path / "a.fusion.json")
    np.save(tmp_path / "images" / "us.npy", np.zeros((2, 3, 4), np.float32))
    with pytest.raises(ReadError, match=r"its US 'images/us.npy' has changed since"):
        load_case(path, read=read_npy)


def test_a_missing_image_is_named(case, tmp_path):
    path = save_case(case, tmp_path / "a.fusion.json")
    (tmp_path / "images" / "mr.npy").unlink()
    with pytest.raises(ReadError, match=r"its MR 'images/mr.npy' is missing; put the image back"):
        load_case(path, read=read_npy)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("not json", "is not a saved case"),
        ("[1, 2]", "is not a saved case"),
        ('{"schema": "other", "version": 1}', "is not a saved case"),
        ('{"schema": "fusioninit-case", "version": 99}', "saved by a newer fusioninit"),
        ('{"schema": "fusioninit-case", "version": 1}', "is damaged"),
    ],
)
def test_a_file_that_is_no_case_is_refused_with_one_sentence(tmp_path, text, sentence):
    path = tmp_path / "x.fusion.json"
    path.write_text(text)
    with pytest.raises(ReadError, match=sentence):
        load_case(path, read=read_npy)


def test_a_failed_save_leaves_the_old_file(case, tmp_path, monkeypatch):
    path = save_case(case, tmp_path / "a.fusion.json")
    before = path.read_bytes()

    def refuse(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("fusioninit.state.case_file.os.replace", refuse)
    with pytest.raises(OSError, match="no space"):
        save_case(case.with_decision(None), path)
    assert path.read_bytes() == before


def test_images_are_not_copied_unless_asked(case, tmp_path):
    path = save_case(case, tmp_path / "elsewhere" / "a")
    assert [file.name for file in path.parent.iterdir()] == ["a.fusion.json"]
    record = json.loads(path.read_text(encoding="utf-8"))
    assert record["images"]["us"]["path"] == "../images/us.npy"


def test_a_case_with_copied_images_travels_whole(case, tmp_path):
    path = save_case(case, tmp_path / "one" / "a", copy_images=True)
    for file in (tmp_path / "images").iterdir():
        file.unlink()
    moved = path.parent.rename(tmp_path / "another place")
    loaded = load_case(moved / path.name, read=read_npy)
    np.testing.assert_array_equal(loaded.mr.voxels, case.mr.voxels)
    assert loaded.us_landmarks == case.us_landmarks
    copies = {p.name: p.parent for p in moved.rglob("*.npy")}
    assert set(copies) == {"us.npy", "mr.npy"}
    assert {folder.parent for folder in copies.values()} == {moved / "a-images"}


def test_a_copied_case_saved_again_in_place_keeps_its_images(case, tmp_path):
    path = save_case(case, tmp_path / "one" / "a", copy_images=True)
    loaded = load_case(path, read=read_npy)
    again = save_case(loaded.with_decision(None), path, copy_images=True)
    assert load_case(again, read=read_npy).decision is None
    assert not list(path.parent.rglob(".new-*"))


KILLED_AT = """
import os, sys
from dataclasses import replace
from pathlib import Path
import numpy as np
from fusioninit.geometry import Grid, Space
from fusioninit.imaging import Volume, VolumeSource
from fusioninit.state import load_case, save_case
def read_npy(path, *, space, series_uid=None):
    voxels = np.load(path)
    return Volume(voxels, Grid(voxels.shape), space, VolumeSource(path=path))
case = load_case(Path({case!r}), read=read_npy)
case = case.with_volume(read_npy(Path({other!r}), space=Space.US))
count = 0
def last_word(event, _):
    global count
    if event in ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "shutil.copyfile"):
        count += 1
        if count == {step}:
            os._exit(9)
sys.addaudithook(last_word)
save_case(case, Path({case!r}), copy_images=True)
"""


def test_a_save_that_is_killed_anywhere_leaves_a_case_that_opens(case, tmp_path):
    """Another US over an earlier case with copies: before every change on disk the program dies."""
    path = save_case(case, tmp_path / "a", copy_images=True)
    whole = shutil.copytree(tmp_path, tmp_path.with_name(f"{tmp_path.name}-whole"))
    other = tmp_path.with_name(f"{tmp_path.name}-other") / "us.npy"
    other.parent.mkdir()
    np.save(other, np.full((2, 3, 4), 7.0, np.float32))
    opened = []
    for step in range(1, 40):
        shutil.rmtree(tmp_path)
        shutil.copytree(whole, tmp_path)
        code = KILLED_AT.format(case=str(path), other=str(other), step=step)
        ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False)
        assert ran.returncode in (0, 9)
        opened.append(float(load_case(path, read=read_npy).us.voxels[0, 0, 0]))
        if ran.returncode == 0:
            break
    assert opened == sorted(opened)
    assert set(opened) == {1.0, 7.0}
    assert len(list((tmp_path / "a-images").iterdir())) == 2


@pytest.mark.parametrize("suffix", [".mhd", ".nhdr", ".hdr"])
def test_an_image_in_two_files_is_copied_and_hashed_with_both(tmp_path, suffix):
    original = tmp_path / "original" / f"us{suffix}"
    original.parent.mkdir()
    if suffix == ".hdr":
        image = nib.Nifti1Pair(
            np.arange(60, dtype=np.int16).reshape(3, 4, 5), np.diag([2, 2, 3, 1])
        )
        nib.save(image, original.with_suffix(".img"))
    else:
        sitk.WriteImage(
            sitk.GetImageFromArray(np.arange(60, dtype=np.int16).reshape(3, 4, 5)), str(original)
        )
    case = Case().with_volume(read_volume(original, space=Space.US))
    path = save_case(case, tmp_path / "there" / "a", copy_images=True)
    shutil.rmtree(original.parent)
    back = load_case(path, read=read_volume)
    np.testing.assert_array_equal(back.us.voxels, case.us.voxels)
    (data,) = (f for f in back.us.source.path.parent.iterdir() if f.suffix != suffix)
    data.write_bytes(data.read_bytes()[::-1])
    with pytest.raises(ReadError, match="has changed since"):
        load_case(path, read=read_volume)


def test_a_case_that_hashed_the_header_alone_still_opens(tmp_path):
    """As the first three versions did with images in two files."""
    original = tmp_path / "us.mhd"
    sitk.WriteImage(
        sitk.GetImageFromArray(np.arange(60, dtype=np.int16).reshape(3, 4, 5)), str(original)
    )
    path = save_case(Case().with_volume(read_volume(original, space=Space.US)), tmp_path / "a")
    record = json.loads(path.read_text(encoding="utf-8"))
    alone = hashlib.sha256(hashlib.sha256(original.read_bytes()).digest()).hexdigest()
    assert record["images"]["us"]["sha256"] != alone
    record["images"]["us"]["sha256"] = alone
    path.write_text(json.dumps(record), encoding="utf-8")
    assert load_case(path, read=read_volume).us.voxels.shape == (3, 4, 5)


def test_a_case_and_its_images_moved_together_open_again(case, tmp_path):
    save_case(case, tmp_path / "a.fusion.json")
    (tmp_path / "moved").mkdir()
    for name in ("images", "a.fusion.json"):
        (tmp_path / name).rename(tmp_path / "moved" / name)
    loaded = load_case(tmp_path / "moved" / "a.fusion.json", read=read_npy)
    np.testing.assert_array_equal(loaded.us.voxels, case.us.voxels)


def test_a_changed_copy_is_noticed(case, tmp_path):
    path = save_case(case, tmp_path / "a", copy_images=True)
    (copy,) = (tmp_path / "a-images").rglob("us.npy")
    np.save(copy, np.zeros((2, 3, 4), np.float32))
    with pytest.raises(ReadError, match=r"its US 'a-images/us-\w{8}/us.npy' has changed since"):
        load_case(path, read=read_npy)


def test_an_image_that_came_from_no_file_cannot_be_copied(case, tmp_path):
    made = case.with_reference(case.us.with_source(path=None))
    with pytest.raises(InputError, match="the US was not read from a file that is still there"):
        save_case(made, tmp_path / "b", copy_images=True)
    assert not (tmp_path / "b.fusion.json").exists()


def test_what_a_person_stated_about_an_image_is_kept_with_the_case(case, tmp_path):
    asked = []

    def read(path, *, space, series_uid=None, stated=None):
        asked.append((space, stated))
        volume = read_npy(path, space=space, series_uid=series_uid)
        return volume if stated is None else volume.with_stated_geometry(stated)

    stated = StatedGeometry((0.4, 0.5, 0.6), "RIA")
    path = save_case(case.with_reference(case.us.with_stated_geometry(stated)), tmp_path / "a")
    loaded = load_case(path, read=read)
    assert dict(asked) == {Space.US: stated, Space.MR: None}
    np.testing.assert_allclose(loaded.us.grid.spacing_mm, [0.4, 0.5, 0.6])
    assert loaded.us.source.stated == stated


def gland_of(space, *, shape=(7, 9, 11), format="predicted"):
    rng = np.random.default_rng(4)
    voxels = (rng.random(shape) > 0.6).astype(np.uint8)
    turned = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, -1]])
    grid = Grid(shape, [0.5, 0.6, 2.2], [-10.0, 1 / 3, 7], turned)
    return Volume(voxels, grid, space, VolumeSource(format=format, description="by hand"))


def test_glands_come_back_voxel_for_voxel_where_they_lay(case, tmp_path):
    for space, origin in ((Space.US, "predicted"), (Space.MR, "NIfTI")):
        case = case.with_gland(gland_of(space, format=origin))
    loaded = load_case(save_case(case, tmp_path / "with-glands"), read=read_npy)
    for space in (Space.US, Space.MR):
        saved, found = case.gland(space), loaded.gland(space)
        assert np.array_equal(found.voxels, saved.voxels)
        corners = [[0, 0, 0], [10, 0, 0], [0, 8, 0], [0, 0, 6]]
        assert np.array_equal(found.grid.to_world(corners), saved.grid.to_world(corners))
        assert found.source.format == saved.source.format
    # a network's mask is no evidence, before and after
    assert loaded.gland_shape(Space.US) is None


@pytest.mark.parametrize(
    "change",
    [
        {"voxels_zlib_base64": "AAAA"},
        {"shape_kji": [1 << 20, 1 << 20, 1 << 20]},
        {"shape_kji": [7, 9]},
        {"spacing_mm": [0, 1, 1]},
    ],
)
def test_a_damaged_gland_is_named(case, change):
    record = case_record(case.with_gland(gland_of(Space.MR)))
    record["glands"]["mr"] = record["glands"]["mr"] | change
    with pytest.raises(ReadError, match="the saved MR gland is damaged"):
        with_record(case, record)


def test_a_version_that_is_no_number_is_refused(case, tmp_path):
    path = save_case(case, tmp_path / "odd")
    record = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(record | {"version": [5]}), encoding="utf-8")
    with pytest.raises(ReadError, match="is not a saved case"):
        load_case(path, read=read_npy)
