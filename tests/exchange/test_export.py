"""The export as a whole: complete, at once, nameless, and readable by a person."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fusioninit.errors import InputError
from fusioninit.exchange import export as export_module
from fusioninit.exchange.export import EXPORTED_NAMES, export, export_contents
from fusioninit.exchange.frames import WrittenFileError
from fusioninit.exchange.pictures import (
    FIELD_MM,
    MR_COLOUR,
    PANEL_PX,
    TARGET_COLOUR,
    US_COLOUR,
    overlay_pictures,
)
from fusioninit.geometry import Space
from fusioninit.imaging.volume import Volume
from fusioninit.landmarks import LandmarkSet
from fusioninit.state import Case, Target


def test_a_case_is_exported_whole(tmp_path, contents):
    case = Case(
        us=contents.us,
        mr=contents.mr,
        us_landmarks=contents.us_landmarks,
        mr_landmarks=contents.mr_landmarks,
    )
    heard = []
    files = export(case, tmp_path / "out", progress=lambda share, text: heard.append((share, text)))
    assert {"transform_tfm", "us_landmarks", "mr_landmarks", "sidecar", "report", "overlay"} <= set(
        files
    )
    assert all(path.is_file() and path.stat().st_size > 100 for path in files.values())
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == sorted(
        path.name for path in files.values()
    )
    assert heard[-1][0] == 1.0


def test_landmarks_alone_are_enough(tmp_path, contents):
    files = export_contents(replace(contents, us=None, mr=None, targets=()), tmp_path)
    assert "transform_tfm" in files
    assert "report" in files
    assert not {"overlay", "mr_on_us_grid", "dicom_registration"} & set(files)


def test_an_unsolved_case_is_refused(tmp_path):
    with pytest.raises(InputError, match="nothing to export yet: waiting for"):
        export(Case(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_disagrees_leaves_nothing_behind(tmp_path, contents, monkeypatch):
    def fails(*_):
        raise WrittenFileError("the report differs")

    monkeypatch.setattr(export_module, "write_report", fails)
    with pytest.raises(WrittenFileError):
        export_contents(replace(contents, us=None, mr=None), tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_cancelled_export_leaves_nothing_behind(tmp_path, contents):
    assert export_contents(contents, tmp_path / "out", cancelled=lambda: True) == {}
    assert list((tmp_path / "out").iterdir()) == []


def test_a_folder_that_is_a_file_is_refused(tmp_path, contents):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(InputError, match="out: the folder cannot be written"):
        export_contents(contents, tmp_path / "out")


def test_a_second_export_replaces_the_first(tmp_path, contents):
    small = replace(contents, us=None, mr=None, targets=())
    first = export_contents(small, tmp_path)
    second = export_contents(small, tmp_path)
    assert first == second
    assert len(list(tmp_path.iterdir())) == len(second)


def test_an_earlier_list_of_targets_goes_and_other_files_stay(tmp_path, contents):
    (tmp_path / "notes.txt").write_text("mine")
    first = export_contents(contents, tmp_path)
    assert {path.name for path in first.values()} <= EXPORTED_NAMES
    second = export_contents(replace(contents, us=None, mr=None, targets=()), tmp_path)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"notes.txt", *(path.name for path in second.values())}


def test_a_full_disk_is_one_sentence_and_leaves_the_earlier_export(tmp_path, contents, monkeypatch):
    small = replace(contents, us=None, mr=None, targets=())
    before = export_contents(small, tmp_path)["sidecar"].read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(export_module, "write_report", full)
    with pytest.raises(InputError, match=r"writing failed \(No space left on device\)"):
        export_contents(small, tmp_path)
    assert (tmp_path / "registration.json").read_bytes() == before


def test_pictures_mark_a_landmark_where_it_is(contents):
    """The only US landmark is the picture's centre: its ring is there, and nowhere else."""
    alone = replace(
        contents,
        us_landmarks=LandmarkSet.from_positions(Space.US, {"apex": [12.0, -30, 225]}),
        mr_landmarks=LandmarkSet(Space.MR),
    )
    pictures = overlay_pictures(alone)
    assert set(pictures) == {"overlay", "axial", "sagittal", "coronal"}
    for name in ("axial", "sagittal", "coronal"):
        panel = np.asarray(pictures[name])[:, :PANEL_PX].astype(int)
        ring = np.argwhere((np.abs(panel - US_COLOUR) < 8).all(-1))
        ring = ring[ring[:, 1] < PANEL_PX / 2 + 7]  # the label stands to the right
        np.testing.assert_allclose(ring.mean(axis=0), PANEL_PX / 2, atol=2)


def test_pictures_show_glands_and_targets_where_they_are(contents):
    """A ball of 12 mm about a known point: its outline lies 12 mm from it, in both modalities."""
    centre_us = np.array([12.0, -30, 225])
    centre_mr = contents.us_from_mr.inverse().apply(centre_us)
    balls = {}
    for space, centre in ((Space.US, centre_us), (Space.MR, centre_mr)):
        grid = contents.volume(space).grid
        mask = np.linalg.norm(grid.points_mm() - centre, axis=-1) <= 12
        balls[f"{space.value}_gland"] = Volume(mask.astype(np.uint8), grid, space)
    alone = replace(
        contents,
        us_landmarks=LandmarkSet(Space.US),
        mr_landmarks=LandmarkSet(Space.MR),
        targets=(Target("", centre_mr, 5.0),),
        **balls,
    )
    panels = np.asarray(overlay_pictures(alone)["axial"]).astype(int)
    mm_per_px = FIELD_MM / PANEL_PX
    middle = PANEL_PX / 2 + (centre_us - contents.us.grid.center_mm)[:2] / mm_per_px
    for number, colour in enumerate((US_COLOUR, MR_COLOUR)):
        panel = panels[:, number * (PANEL_PX + 4) :][:, :PANEL_PX]
        rim = np.argwhere((np.abs(panel - colour) < 2).all(-1))[:, ::-1]
        assert len(rim) > 100
        radius_mm = np.linalg.norm(rim - middle, axis=1) * mm_per_px
        assert abs(radius_mm.mean() - 12) < 1.0
        target = np.argwhere((np.abs(panel - TARGET_COLOUR) < 2).all(-1))[:, ::-1]
        np.testing.assert_allclose(target.mean(axis=0), middle, atol=2)


def test_the_report_is_one_page_with_its_notice_and_numbers(tmp_path, contents):
    files = export_contents(contents, tmp_path)
    raw = files["report"].read_bytes()
    assert raw.startswith(b"%PDF")
    assert raw.count(b"/Type /Page\n") == 1
    assert Image.open(files["overlay"]).size == (4 * PANEL_PX + 12, 3 * PANEL_PX + 8)


def test_exported_text_names_no_file_of_the_patient(tmp_path, contents):
    named = contents.mr.with_source(path=Path("/home/Doe_John/scan.nii"), description="Doe_John")
    files = export_contents(replace(contents, mr=named), tmp_path)
    for path in files.values():
        assert b"Doe_John" not in path.read_bytes()
