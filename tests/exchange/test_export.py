"""The export as a whole: complete, at once, nameless, and readable by a person."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from reportlab.platypus import Spacer

from fusioninit.errors import InputError
from fusioninit.exchange import export as export_module
from fusioninit.exchange import report
from fusioninit.exchange.contents import contents_of
from fusioninit.exchange.export import EXPORTED_NAMES, export, export_contents
from fusioninit.exchange.frames import WrittenFileError
from fusioninit.exchange.pdf_text import read_pages
from fusioninit.exchange.pictures import (
    FIELD_MM,
    MR_COLOUR,
    PANEL_PX,
    TARGET_COLOUR,
    US_COLOUR,
    overlay_pictures,
)
from fusioninit.exchange.report import write_report
from fusioninit.geometry import Space
from fusioninit.imaging.volume import Volume
from fusioninit.landmarks import LandmarkSet, Source
from fusioninit.registration.disagreement import FAR_APART_MM
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


def test_two_networks_far_apart_stand_in_sidecar_and_report_until_a_person_confirms(
    tmp_path, contents
):
    far_mm = FAR_APART_MM[Space.US] + 5
    case = Case(us=contents.us, mr=contents.mr, mr_landmarks=contents.mr_landmarks)
    us = LandmarkSet.from_positions(
        Space.US,
        dict(zip(contents.us_landmarks, contents.us_landmarks.positions_mm(), strict=True)),
        source=Source.PREDICTED,
    )
    second = us.with_position("apex", us["apex"].position_mm + [far_mm, 0, 0])
    case = case.with_prediction(us, second=second)
    files = export(case, tmp_path / "out")
    record = json.loads(files["sidecar"].read_text(encoding="utf-8"))
    assert record["models_apart_mm"]["us"]["apex"] == round(far_mm, 1)
    assert record["models_apart_mm"]["mr"] is None
    sentence = f"two networks place apex {far_mm:.0f} mm apart"
    assert any(sentence in warning for warning in record["warnings"])
    page = " ".join(" ".join(read_pages(files["report"])).split())
    assert sentence in page
    assert f"Two networks apart, mm: US apex {far_mm:.1f}, bladder neck 0.0" in page

    confirmed = replace(us["apex"], source=Source.CONFIRMED)
    again = contents_of(case.with_landmarks(us.with_landmark(confirmed)))
    assert not any("two networks" in warning for warning in again.all_warnings())
    assert "apex" not in again.us_disagreement.distances_mm


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


def test_the_report_is_one_page_and_a_second_with_a_needle_plan(tmp_path, contents):
    files = export_contents(contents, tmp_path / "two")
    assert Image.open(files["overlay"]).size == (4 * PANEL_PX + 12, 3 * PANEL_PX + 8)
    first, second = read_pages(files["report"])
    assert "Research use only; not a medical device." in first
    assert "Research use only; not a medical device." in second
    for value in contents.us_from_mr.matrix[:3].ravel():
        assert f"{value:.6f}" in first
    assert "right apex 1" in second
    assert "1.5 mm" in second
    small = replace(contents, cores=())
    assert len(read_pages(export_contents(small, tmp_path / "one")["report"])) == 1


def test_other_readers_find_the_same_text_in_the_report(tmp_path, contents):
    pypdf = pytest.importorskip("pypdf", reason="pypdf is an optional extra")
    path = export_contents(contents, tmp_path)["report"]
    theirs = [page.extract_text() for page in pypdf.PdfReader(path).pages]
    for our_page, their_page in zip(read_pages(path), theirs, strict=True):
        words = their_page.split()
        assert all(word in words for word in our_page.split())


def test_a_report_without_the_transform_in_it_is_an_error(tmp_path, contents, monkeypatch):
    monkeypatch.setattr(report, "_matrix_table", lambda contents: Spacer(1, 1))
    with pytest.raises(WrittenFileError, match=r"report.pdf: read back, the report comes without"):
        write_report(tmp_path / "report.pdf", contents)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damage", ["cut", "page", "text"])
def test_a_damaged_pdf_is_noticed(tmp_path, contents, damage):
    path = write_report(tmp_path / "report.pdf", contents)
    raw = path.read_bytes()
    if damage == "cut":
        raw = raw[: len(raw) // 2]
    elif damage == "page":
        raw = raw.replace(b"/Contents", b"/Nothing0", 1)
    else:
        at = raw.index(b"stream") + 40
        raw = raw[:at] + bytes(20) + raw[at + 20 :]
    path.write_bytes(raw)
    with pytest.raises(WrittenFileError, match="read back"):
        read_pages(path)


def test_a_picture_that_comes_back_otherwise_is_an_error(tmp_path, contents, monkeypatch):
    real = Image.Image.save

    def darker(self, path, *args, **options):
        real(self.point(lambda level: level // 2), path, *args, **options)

    monkeypatch.setattr(Image.Image, "save", darker)
    with pytest.raises(WrittenFileError, match=r"\.png: read back, the picture differs"):
        export_contents(contents, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_exported_text_names_no_file_of_the_patient(tmp_path, contents):
    named = contents.mr.with_source(path=Path("/home/Doe_John/scan.nii"), description="Doe_John")
    files = export_contents(replace(contents, mr=named), tmp_path)
    for path in files.values():
        assert b"Doe_John" not in path.read_bytes()
