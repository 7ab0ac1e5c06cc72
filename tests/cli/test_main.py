import subprocess
import sys

import numpy as np
import pytest
import SimpleITK as sitk

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


def test_a_file_without_geometry_is_read_as_stated(tmp_path, capsys):
    path = tmp_path / "plain.nrrd"
    voxels = np.arange(4 * 5 * 6, dtype=np.int16).tobytes()
    header = "NRRD0004\ntype: int16\ndimension: 3\nsizes: 6 5 4\nencoding: raw\nendian: little\n\n"
    path.write_bytes(header.encode() + voxels)
    assert main(["info", str(path), "--spacing", "0.5,0.6,3", "--orientation", "LPS"]) == 0
    assert "spacing mm: 0.500 0.600 3.000" in capsys.readouterr().out
    assert main(["info", str(path), "--spacing", "0.5"]) == 3
    assert "--spacing 0.5: give three sizes in mm" in capsys.readouterr().err
