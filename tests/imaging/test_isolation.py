"""The child process: same answer, limits, cancelling, and nothing heavy in the parent."""

import subprocess
import sys

import numpy as np
import pytest
import SimpleITK as sitk
from numpy.testing import assert_array_equal

from fusioninit.errors import ReadError, VoxelSizeNeededError
from fusioninit.geometry import Space
from fusioninit.imaging import isolation
from fusioninit.imaging.isolation import Request, read_isolated
from fusioninit.imaging.reading import read_volume


@pytest.fixture
def scan(tmp_path):
    voxels = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    sitk.WriteImage(sitk.GetImageFromArray(voxels), str(tmp_path / "scan.nii.gz"))
    return tmp_path / "scan.nii.gz"


def test_a_volume_comes_back_whole_from_the_child(scan):
    inside = read_volume(scan, space=Space.US, isolated=False)
    outside = read_volume(scan, space=Space.US)
    assert_array_equal(outside.voxels, inside.voxels)
    assert outside.voxels.dtype == inside.voxels.dtype
    assert outside.grid == inside.grid
    assert outside.source == inside.source
    assert outside.space is Space.US


def test_a_dicom_folder_comes_back_whole_from_the_child(write, grid):
    write.series(grid, WindowCenter=100, WindowWidth=50)
    inside = read_volume(write.folder, space=Space.MR, isolated=False)
    outside = read_volume(write.folder, space=Space.MR)
    assert_array_equal(outside.voxels, inside.voxels)
    assert outside.source == inside.source
    assert outside.source.window == (75, 125)


def test_a_refusal_comes_back_word_for_word(tmp_path):
    (tmp_path / "notes.nii").write_text("text")
    with pytest.raises(ReadError, match=r"^notes.nii is not a NIfTI .* choose another file$"):
        read_volume(tmp_path / "notes.nii", space=Space.MR)


def test_a_refusal_for_want_of_a_voxel_size_comes_back_as_such(write, grid):
    with pytest.raises(VoxelSizeNeededError, match="states no complete voxel size"):
        read_volume(write.us_multiframe(), space=Space.US)
    write.folder.joinpath("us.dcm").unlink()
    with pytest.raises(ReadError, match="slices are missing") as caught:
        read_volume(write.series(grid, skip=(4,)), space=Space.MR)
    assert type(caught.value) is ReadError


def test_what_a_file_does_not_state_comes_back_from_the_child(tmp_path):
    path = tmp_path / "a.nrrd"
    header = b"NRRD0004\ntype: uint8\ndimension: 3\nsizes: 3 4 5\nencoding: raw\n\n"
    path.write_bytes(header + np.arange(60, dtype=np.uint8).tobytes())
    outside = read_volume(path, space=Space.US)
    assert outside.lacks_geometry
    assert outside.source == read_volume(path, space=Space.US, isolated=False).source


def test_a_relative_path_is_found_from_the_callers_folder(scan, monkeypatch):
    monkeypatch.chdir(scan.parent)
    assert read_volume("scan.nii.gz", space=Space.MR).voxels.shape == (3, 4, 5)


def test_a_module_beside_the_image_is_never_imported(scan, monkeypatch):
    (scan.parent / "numpy.py").write_text("raise SystemExit('imported from the data folder')")
    monkeypatch.chdir(scan.parent)
    assert read_volume(scan, space=Space.MR).voxels.shape == (3, 4, 5)


@pytest.mark.skipif(sys.platform == "win32", reason="the launcher of this test is a shell script")
def test_a_bundled_application_is_its_own_reading_child(scan, tmp_path, monkeypatch):
    """It has no interpreter: the launcher stands for its start, which knows one word more."""
    launcher = tmp_path / "fusioninit-bundled"
    launcher.write_text(f'#!/bin/sh\necho "$1" > "{tmp_path}/word"\n'
                        f'exec "{sys.executable}" -P -m fusioninit "$@"\n')  # fmt: skip
    launcher.chmod(0o755)
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(launcher))
    volume = read_volume(scan, space=Space.US)
    assert_array_equal(volume.voxels.ravel(), np.arange(60))
    assert (tmp_path / "word").read_text().strip() == isolation.READ_CHILD


def test_reading_that_is_cancelled_stops_and_leaves_no_folder(scan, tmp_path, monkeypatch):
    monkeypatch.setattr(isolation.tempfile, "tempdir", str(tmp_path))
    with pytest.raises(ReadError, match=r"reading scan\.nii\.gz was stopped"):
        read_volume(scan, space=Space.MR, cancelled=lambda: True)
    assert list(tmp_path.glob("fusioninit-read-*")) == []


def test_reading_that_takes_too_long_is_ended(scan):
    with pytest.raises(ReadError, match=r"scan\.nii\.gz took too long to read"):
        read_isolated(Request(scan, Space.MR), time_limit_s=0.0)


def test_a_child_that_dies_costs_one_sentence(scan, monkeypatch):
    dies = [sys.executable, "-c", "import os; os.abort()"]
    monkeypatch.setattr(isolation, "_command", lambda folder: dies)
    with pytest.raises(ReadError, match="its reader stopped without an answer"):
        read_volume(scan, space=Space.MR)


@pytest.mark.skipif(sys.platform != "linux", reason="address space is limited on Linux alone")
def test_a_child_cannot_take_more_memory_than_its_limit():
    code = (
        "from fusioninit.imaging import child, isolation\n"
        "child._limit_resources()\n"
        "import numpy\n"
        "try: numpy.ones(isolation.MEMORY_LIMIT_BYTES // 8)\n"
        "except MemoryError: print('refused')"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True,
        env=isolation._environment(),
    )  # fmt: skip
    assert ran.stdout.strip() == "refused"


@pytest.mark.parametrize("kind", ["nifti", "dicom"])
def test_neither_parent_nor_child_loads_what_the_format_does_not_need(kind):
    unwanted = {
        "nifti": {"torch", "PySide6", "pydicom", "SimpleITK", "scipy"},
        "dicom": {"torch", "PySide6", "SimpleITK", "scipy", "highdicom"},
    }[kind]
    module = {"nifti": "file_volumes", "dicom": "dicom_volumes"}[kind]
    code = (
        "import sys, fusioninit.imaging.reading\n"
        "assert not {'SimpleITK', 'pydicom'} & set(sys.modules)\n"
        f"import fusioninit.imaging.child, fusioninit.imaging.{module}\n"
        f"print({unwanted} & set(sys.modules))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True,
        env=isolation._environment(),
    )  # fmt: skip
    assert ran.stdout.strip() == "set()", ran.stderr
