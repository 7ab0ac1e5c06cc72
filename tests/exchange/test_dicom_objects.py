"""Our DICOM objects in programs that know the standard: dciodvfy, highdicom, SimpleITK."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace

import highdicom
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from numpy.testing import assert_allclose, assert_array_equal

from fusioninit.exchange import dicom_us
from fusioninit.exchange.dicom_sources import dicom_series_of
from fusioninit.exchange.dicom_us import stored_pixels, write_us_volume
from fusioninit.exchange.export import export_contents
from fusioninit.exchange.frames import WrittenFileError
from fusioninit.geometry import Grid, Space
from fusioninit.imaging.reading import read_volume
from fusioninit.imaging.volume import Volume
from fusioninit.state import Case, load_case, save_case

OBJECTS = ["dicom_registration", "mr_landmarks_dicom", "us_landmarks_dicom", "us_dicom"]


@pytest.fixture(scope="module")
def named_files(dicom_contents, tmp_path_factory):
    kept = replace(dicom_contents, keep_identity=True)
    return export_contents(kept, tmp_path_factory.mktemp("named"))


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="install dicom3tools for dciodvfy")
@pytest.mark.parametrize("name", OBJECTS)
@pytest.mark.parametrize("files", ["dicom_files", "named_files"])
def test_dciodvfy_finds_no_error(request, files, name):
    path = request.getfixturevalue(files)[name]
    ran = subprocess.run(["dciodvfy", path], capture_output=True, text=True, check=False)
    assert "Error" not in ran.stdout + ran.stderr


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="install dicom3tools for dciodvfy")
@pytest.mark.parametrize("keep", [False, True])
def test_where_both_images_are_dicom_their_own_frames_are_named_and_dciodvfy_is_content(
    dicom_contents, dicom_files, tmp_path, keep
):
    us = read_volume(dicom_files["us_dicom"], space=Space.US)
    both = replace(dicom_contents, us=us, keep_identity=keep)
    files = export_contents(both, tmp_path / "out")
    assert "us_dicom" not in files
    registration = pydicom.dcmread(files["dicom_registration"])
    frames = [item.FrameOfReferenceUID for item in registration.RegistrationSequence]
    assert frames == [us.source.frame_of_reference_uid, "1.2.826.0.1.3"]
    for name in ("dicom_registration", "mr_landmarks_dicom", "us_landmarks_dicom"):
        ran = subprocess.run(["dciodvfy", files[name]], capture_output=True, text=True, check=False)
        assert "Error" not in ran.stdout + ran.stderr


def test_the_registration_and_the_exported_us_share_a_frame_of_reference(dicom_files):
    registration = pydicom.dcmread(dicom_files["dicom_registration"])
    us = pydicom.dcmread(dicom_files["us_dicom"])
    us_item = registration.RegistrationSequence[0]
    assert registration.FrameOfReferenceUID == us_item.FrameOfReferenceUID
    assert us.FrameOfReferenceUID == registration.FrameOfReferenceUID
    (referenced,) = us_item.ReferencedImageSequence
    assert referenced.ReferencedSOPInstanceUID == us.SOPInstanceUID
    series = {item.SeriesInstanceUID for item in registration.ReferencedSeriesSequence}
    assert us.SeriesInstanceUID in series
    assert us.StudyInstanceUID == registration.StudyInstanceUID


def test_the_same_us_always_gets_the_same_frame_of_reference(dicom_files, named_files):
    first, second = (pydicom.dcmread(f["us_dicom"]) for f in (dicom_files, named_files))
    assert first.FrameOfReferenceUID == second.FrameOfReferenceUID
    assert first.SOPInstanceUID != second.SOPInstanceUID


def test_our_reader_finds_the_exported_us_where_it_was(dicom_files, contents):
    back = read_volume(dicom_files["us_dicom"], space=Space.US)
    assert back.source.frame_of_reference_uid
    points = contents.us.grid.points_mm().reshape(-1, 3)[::97]
    ours = contents.us.grid.to_index(points).round().astype(int)
    theirs = back.grid.to_index(points)
    assert_allclose(theirs, theirs.round(), atol=1e-6)
    i, j, k = theirs.round().astype(int).T
    stored = stored_pixels(contents.us.voxels)
    assert_array_equal(back.voxels[k, j, i], stored[ours[:, 2], ours[:, 1], ours[:, 0]])


def test_highdicom_finds_the_exported_us_where_it_was(dicom_files, contents):
    volume = highdicom.image.imread(dicom_files["us_dicom"]).get_volume()
    points = contents.us.grid.points_mm().reshape(-1, 3)[::97]
    index = volume.map_reference_to_indices(points)
    assert_allclose(index, index.round(), atol=1e-5)
    ours = contents.us.grid.to_index(points).round().astype(int)
    stored = stored_pixels(contents.us.voxels)
    found = volume.array[tuple(index.round().astype(int).T)]
    assert_array_equal(found, stored[ours[:, 2], ours[:, 1], ours[:, 0]])


def test_simpleitk_finds_the_exported_us_where_it_was(dicom_files, contents):
    image = sitk.ReadImage(str(dicom_files["us_dicom"]))
    grid = contents.us.grid
    corner = image.TransformIndexToPhysicalPoint([0, 0, 0])
    far = image.TransformIndexToPhysicalPoint([size - 1 for size in image.GetSize()])
    ends = grid.to_world(np.array([[0, 0, 0], grid.size_xyz - 1]))
    assert_allclose([corner, far], ends, atol=1e-3)


@pytest.mark.parametrize(
    ("voxels", "dtype", "top"),
    [
        (np.arange(60).reshape(3, 4, 5).astype(np.float32), np.uint8, 59),
        (np.arange(60).reshape(3, 4, 5) * 100, np.uint16, 5900),
        (np.linspace(-1, 1, 60).reshape(3, 4, 5), np.uint16, dicom_us.SCALED_TO),
    ],
)
def test_whole_intensities_stay_and_others_are_scaled(voxels, dtype, top):
    stored = stored_pixels(voxels)
    assert stored.dtype == dtype
    assert stored.max() == top
    order = np.argsort(voxels.ravel(), kind="stable")
    assert (np.diff(stored.ravel()[order].astype(int)) >= 0).all()


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_us_of_either_hand_and_odd_size_is_written_and_verified(
    dicom_contents, tmp_path, mirrored
):
    direction = np.diag([1.0, 1, -1 if mirrored else 1])
    grid = Grid((5, 3, 7), [0.4, 0.6, 0.9], [10, -20, 30], direction)
    us = Volume(np.arange(105, dtype=np.uint8).reshape(grid.shape), grid, Space.US)
    series = dicom_series_of(dicom_contents.mr)
    path = write_us_volume(tmp_path / "us.dcm", us, study=series, frame_uid="1.2.3")
    assert pydicom.dcmread(path).FrameOfReferenceUID == "1.2.3"


def test_a_us_that_comes_back_elsewhere_is_an_error_and_nothing_is_left(
    dicom_contents, tmp_path, monkeypatch
):
    away = [f"{value:.3f}" for value in (1, 0, 0, 0, 1, 0)]
    real = dicom_us._shared_groups

    def turned(us):
        shared = real(us)
        shared.PlaneOrientationSequence[0].ImageOrientationPatient = away
        return shared

    monkeypatch.setattr(dicom_us, "_shared_groups", turned)
    series = dicom_series_of(dicom_contents.mr)
    grid = Grid((4, 5, 6), [1, 1, 1], [0, 0, 0], np.diag([-1.0, -1, 1]))
    us = Volume(np.arange(120, dtype=np.uint8).reshape(grid.shape), grid, Space.US)
    with pytest.raises(WrittenFileError, match="its voxels are not where they were"):
        write_us_volume(tmp_path / "us.dcm", us, study=series, frame_uid="1.2.3")
    assert list(tmp_path.iterdir()) == []


def test_of_a_dicom_study_a_case_takes_only_its_own_series_along(dicom_contents, tmp_path):
    source = dicom_contents.mr.source.path
    case = Case().with_volume(dicom_contents.mr)
    path = save_case(case, tmp_path / "one" / "case", copy_images=True)
    moved = path.parent.rename(tmp_path / "two")
    back = load_case(moved / path.name, read=read_volume)
    assert_array_equal(back.mr.voxels, dicom_contents.mr.voxels)
    assert back.mr.source.path.parent == moved / "case-images"
    assert len(list(back.mr.source.path.iterdir())) == len(list(source.glob("*.dcm")))
