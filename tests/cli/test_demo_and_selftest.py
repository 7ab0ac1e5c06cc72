"""The whole way on the bundled pair with the bundled networks, as a newcomer runs it."""

import json

import pytest

from fusioninit.cli.main import main
from fusioninit.cli.selftest_command import SURFACE_ERROR_LIMIT_MM
from fusioninit.landmarks import REQUIRED_NAMES


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    out = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DISPLAY", raising=False)
        patch.delenv("WAYLAND_DISPLAY", raising=False)
        yield out, patch


def test_the_demo_registers_headless_and_says_how_wrong_it_is(demo, capsys):
    out, _ = demo
    assert main(["demo", "--headless", "--out", str(out), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["surface_error_mm"] < SURFACE_ERROR_LIMIT_MM
    for space in ("mr", "us"):
        assert set(answer["models_apart_mm"][space]) >= set(REQUIRED_NAMES)
        assert set(REQUIRED_NAMES) <= {mark["name"] for mark in answer["landmarks"][space]}
    suffixes = {path.suffix for path in out.iterdir()}
    assert {".tfm", ".json", ".png", ".pdf"} <= suffixes


def test_without_a_display_the_demo_prints_the_surface_error(demo, capsys):
    out, _ = demo
    assert main(["demo", "--out", str(out / "again")]) == 0
    streams = capsys.readouterr()
    assert "no display" in streams.err
    assert "surface registration error (SRE)" in streams.out
    assert "Research use only" in streams.out


def test_detect_writes_markups_and_one_json_object(tmp_path, capsys):
    from fusioninit import asset_path

    path = tmp_path / "mr.mrk.json"
    words = ["detect", str(asset_path("demo-mr.nii.gz")), "--modality", "mr", "--out", str(path)]
    assert main([*words, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert set(answer) == {"landmarks", "quality", "seconds", "model"}
    assert len(answer["model"]["sha256"]) == len(answer["quality"]["second_model"]["sha256"]) == 64
    assert set(answer["quality"]["models_apart_mm"]) >= set(REQUIRED_NAMES)
    assert answer["quality"]["notes"] or answer["quality"]["warnings"]
    assert set(answer["landmarks"][0]) == {
        "name", "position_lps_mm", "covariance_mm2", "confidence",
    }  # fmt: skip
    assert json.loads(path.read_text(encoding="utf-8"))["markups"][0]["coordinateSystem"] == "LPS"


def test_one_image_given_as_both_is_refused(tmp_path, capsys):
    from fusioninit import asset_path

    mr = str(asset_path("demo-mr.nii.gz"))
    assert main(["register", "--mr", mr, "--us", mr, "--out", str(tmp_path / "out")]) == 3
    assert "was given as both MR and US; choose the other image" in capsys.readouterr().err


def test_the_self_test_passes_here(capsys):
    assert main(["selftest", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["passed"]
    assert {check["name"] for check in answer["checks"]} >= {"demo pair", "display"}
