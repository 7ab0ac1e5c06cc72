import subprocess
import sys

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from fusioninit.cli.main import build_parser, main


@pytest.mark.parametrize(
    "words",
    [
        ["detect", "volume.nii.gz"],
        ["detect", "volume.nii.gz", "--modality", "ct", "--out", "x"],
        ["phantom", "--count", "three"],
        ["register", "--mr", "a"],
        ["--nonsense"],
    ],
)
def test_wrong_use_is_status_2(words, capsys):
    with pytest.raises(SystemExit) as stop:
        main(words)
    assert stop.value.code == 2
    assert "usage:" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["demo"], "demo"),
        (["gui", "folder"], "gui"),
        (["info", "v.nii"], "info"),
        (["selftest"], "selftest"),
        (["train", "c.toml", "--resume"], "train"),
    ],
)
def test_each_command_of_the_contract_parses(words, command):
    assert build_parser().parse_args(words).command == command


def test_a_path_without_a_command_opens_the_window(capsys):
    assert main(["no-such-folder"]) == 3
    assert "no-such-folder: no such file or folder" in capsys.readouterr().err


@pytest.fixture
def bad_files(tmp_path):
    (tmp_path / "text.nii").write_text("this is not an image")
    flat = sitk.GetImageFromArray(np.zeros((8, 9), np.uint8))
    sitk.WriteImage(flat, str(tmp_path / "flat.mha"))
    (tmp_path / "empty").mkdir()
    return tmp_path


@pytest.mark.parametrize("name", ["missing.nii.gz", "text.nii", "flat.mha", "empty"])
@pytest.mark.parametrize("command", ["info", "detect", "register"])
def test_an_image_that_cannot_be_used_is_one_sentence_and_status_3(
    bad_files, name, command, capsys
):
    path = str(bad_files / name)
    words = {
        "info": ["info", path],
        "detect": ["detect", path, "--modality", "mr", "--out", str(bad_files / "o.mrk.json")],
        "register": ["register", "--mr", path, "--us", path, "--out", str(bad_files / "out")],
    }[command]
    assert main(words) == 3
    streams = capsys.readouterr()
    assert name in streams.err
    assert "Traceback" not in streams.err
    assert len(streams.err.strip().splitlines()) == 1
    assert not (bad_files / "out").exists()


def test_the_command_is_installed_and_knows_its_version():
    out = subprocess.run(
        [sys.executable, "-m", "fusioninit", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert out.stdout.startswith("fusioninit ")


@pytest.mark.parametrize("command", ["info", "register"])
def test_a_us_without_voxel_size_is_refused_until_it_is_stated_by_options(
    tmp_path, capsys, command
):
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID = "1.2.840.10008.5.1.4.1.1.3.1"
    data.SOPInstanceUID, data.SeriesInstanceUID, data.Modality = "1.2.3", "1.2", "US"
    data.NumberOfFrames, data.Rows, data.Columns, data.SamplesPerPixel = 4, 5, 6, 1
    data.PhotometricInterpretation, data.PixelRepresentation = "MONOCHROME2", 0
    data.BitsAllocated, data.BitsStored, data.HighBit = 8, 8, 7
    data.PixelData = bytes(range(120))
    path = tmp_path / "us.dcm"
    data.save_as(path, enforce_file_format=True)
    words = {
        "info": ["info", str(path), "--modality", "us"],
        "register": [
            "register",
            "--mr",
            str(path),
            "--us",
            str(path),
            "--out",
            str(tmp_path / "o"),
        ],
    }[command]
    assert main(words) == 3
    said = capsys.readouterr().err
    assert "states no complete voxel size; state it with its orientation" in said
    assert {"info": "(--spacing and", "register": "(--us-spacing and"}[command] in said
    assert len(said.strip().splitlines()) == 1
    if command == "info":
        assert main([*words, "--spacing", "0.3,0.4,0.5", "--orientation", "LPS"]) == 0
        assert "spacing mm: 0.300 0.400 0.500" in capsys.readouterr().out


def test_a_file_without_geometry_is_read_as_stated(tmp_path, capsys):
    path = tmp_path / "plain.nrrd"
    voxels = np.arange(4 * 5 * 6, dtype=np.int16).tobytes()
    header = "NRRD0004\ntype: int16\ndimension: 3\nsizes: 6 5 4\nencoding: raw\nendian: little\n\n"
    path.write_bytes(header.encode() + voxels)
    assert main(["info", str(path), "--spacing", "0.5,0.6,3", "--orientation", "LPS"]) == 0
    assert "spacing mm: 0.500 0.600 3.000" in capsys.readouterr().out
    assert main(["info", str(path), "--spacing", "0.5"]) == 3
    assert "--spacing 0.5: give three sizes in mm" in capsys.readouterr().err
