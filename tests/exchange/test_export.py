"""The export as a whole: complete, at once, nameless, and readable by a person."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Spacer

from fusioninit.errors import InputError
from fusioninit.exchange import export as export_module
from fusioninit.exchange import report, report_fonts
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
from fusioninit.exchange.sidecar import read_sidecar_transform
from fusioninit.exchange.transforms import read_transform
from fusioninit.geometry import Space
from fusioninit.imaging.volume import Volume
from fusioninit.landmarks import LandmarkSet, Source
from fusioninit.registration.disagreement import FAR_APART_MM
from fusioninit.state import Case, Decision, Target


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
    assert list(tmp_path.iterdir()) == []


def test_a_cancelled_export_leaves_nothing_behind(tmp_path, contents):
    assert export_contents(contents, tmp_path / "out", cancelled=lambda: True) == {}
    assert list(tmp_path.iterdir()) == []


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


KILLED = """
import os, shutil, sys
from pathlib import Path
from fusioninit.exchange.contents import Contents
from fusioninit.exchange.export import export_contents
from fusioninit.geometry import RigidTransform, Space, rotation_matrix
from fusioninit.landmarks import LandmarkSet

root, before = Path(sys.argv[1]), Path(sys.argv[2])
turn = rotation_matrix([0.1, 0.2, 0.3])
us_from_mr = RigidTransform.from_parts(Space.US, Space.MR, rotation=turn, translation_mm=[2, 3, 4])
marks = LandmarkSet.from_positions(Space.US, {"apex": [1.0, 2, 3]})
contents = Contents(us_from_mr, marks, LandmarkSet(Space.MR))
changes = 0

def export_and_die(out, step):
    is_placing = []

    def before_a_change(event, _):
        global changes
        if is_placing and event in ("os.mkdir", "os.rename", "os.remove", "os.rmdir"):
            changes += 1
            if changes == step:
                os._exit(9)

    sys.addaudithook(before_a_change)
    export_contents(
        contents, out, progress=lambda share, _: is_placing.append(1) if share == 1 else None
    )

for step in range(1, 100):
    out = root / str(step) / "out"
    out.parent.mkdir(parents=True)
    if before.is_dir():
        shutil.copytree(before, out)
    child = os.fork()
    if child == 0:
        export_and_die(out, step)
        os._exit(0)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
        sys.exit(0)
sys.exit("it never ended")
"""


def killed_everywhere(root, before) -> list[Path]:
    """The folders that exports leave which die before their first, second ... change on disk."""
    ran = subprocess.run(
        [sys.executable, "-c", KILLED, str(root), str(before)],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-2000:]
    return [root / str(n + 1) / "out" for n in range(len(list(root.iterdir())))]


def made_by(out) -> set[str]:
    """Which transforms the files of a folder hold, by one number of each."""
    names = ("us_from_mr_elastix.txt", "us_from_mr.h5", "us_from_mr.tfm", "registration.json")
    there = [out / name for name in names if (out / name).is_file()]
    readers = {".json": read_sidecar_transform}
    found = [readers.get(path.suffix, read_transform)(path) for path in there]
    return {f"{us_from_mr.matrix[0, 3]:.6f}" for us_from_mr in found}


def names_in(folder) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.skipif(sys.platform == "win32", reason="dies by fork")
def test_an_export_to_a_new_folder_that_is_killed_anywhere_is_whole_or_not_there(tmp_path):
    outs = killed_everywhere(tmp_path / "runs", tmp_path / "nothing")
    whole = names_in(outs[-1])
    assert "registration.json" in whole
    for out in outs:
        assert not out.exists() or names_in(out) == whole


@pytest.mark.skipif(sys.platform == "win32", reason="dies by fork")
def test_an_export_over_another_that_is_killed_anywhere_never_mixes_the_two(tmp_path, contents):
    small = replace(contents, us=None, mr=None, targets=())
    before = tmp_path / "before"
    export_contents(small, before)
    (before / "notes.txt").write_text("mine")
    (old,) = made_by(before)
    outs = killed_everywhere(tmp_path / "runs", before)
    (new,) = made_by(outs[-1])
    assert new != old
    seen = set()
    for out in outs:
        assert (out / "notes.txt").read_text() == "mine"
        assert len(made_by(out)) <= 1
        if (out / "registration.json").is_file():
            finished = outs[-1] if made_by(out) == {new} else before
            assert names_in(finished) <= names_in(out)
        seen |= made_by(out)
    assert seen == {old, new}
    # the next export clears up after the one that died
    export_contents(small, outs[len(outs) // 2])
    assert names_in(outs[len(outs) // 2]) == names_in(before)


def test_a_move_that_fails_brings_the_earlier_export_back(tmp_path, contents, monkeypatch):
    small = replace(contents, us=None, mr=None, targets=())
    export_contents(small, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    real, moved = Path.rename, []

    def rename(self, target):
        moved.append(target)
        if len(moved) == len(before) + 3:
            raise OSError(5, "Input/output error")
        return real(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(InputError, match="nothing was put in place"):
        export_contents(small, tmp_path)
    left = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    assert left == before


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
        # the number stands to the right of the circle
        target = target[np.linalg.norm(target - middle, axis=1) * mm_per_px < 5.5]
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


def test_a_long_plan_goes_on_over_pages_with_every_target_and_core(tmp_path, contents):
    """Nothing is left out or shrunk: 40 targets with long names in several scripts, 90 cores."""
    names = (
        "Läsion links",
        "Ζώνη",
        "Очаг левая доля",
        "左葉外側",
        "a name of a whole report " * 12,
    )
    centre = contents.targets[0].position_mr_mm
    targets = tuple(
        Target(f"{names[n % len(names)]} {n}", centre + [n / 3, -n / 7, n / 5]) for n in range(40)
    )
    cores = tuple(replace(contents.cores[0], name=f"core {n}") for n in range(90))
    many = replace(contents, targets=targets, cores=cores)
    pages = read_pages(write_report(tmp_path / "report.pdf", many))
    assert len(pages) > 3
    for number, page in enumerate(pages):
        assert f"page {number + 1} of {len(pages)}" in page
        assert "Research use only; not a medical device." in page
    text = " ".join(pages)
    assert "core 89" in text
    assert "Läsion links 35" in text
    last = contents.us_from_mr.apply(targets[-1].position_mr_mm)
    assert all(f"{value:.1f}" in text for value in last)


@pytest.mark.parametrize("accepted", [True, False])
def test_the_report_says_who_decided_what_and_why(tmp_path, contents, accepted):
    decided = replace(contents, decision=Decision(accepted, "seen on three planes", "MK"))
    (first, *_) = read_pages(write_report(tmp_path / "report.pdf", decided))
    verdict = "accepted" if accepted else "rejected"
    assert f"Alignment {verdict} by MK. seen on three planes" in " ".join(first.split())
    (first, *_) = read_pages(write_report(tmp_path / "none.pdf", contents))
    assert "Not reviewed by a person." in first


def test_letters_that_no_font_here_has_become_question_marks(monkeypatch):
    monkeypatch.setattr(report_fonts, "_font_with", lambda letters: None)
    assert report_fonts.marked_up("Läsion <1> 左葉") == "Läsion &lt;1&gt; ??"


def test_a_font_of_the_computer_is_taken_for_letters_beyond_latin():
    text = report_fonts.marked_up("Очаг")
    assert text == "????" or text.startswith('<font name="fusioninit-')
    assert report_fonts.marked_up("Läsion") == "Läsion"


def test_names_written_from_right_to_left_are_drawn_so(monkeypatch):
    monkeypatch.setattr(report_fonts, "_font_with", lambda letters: "F")
    assert report_fonts.marked_up("נגע 7") == '<font name="F">עגנ 7</font>'


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
    assert list(tmp_path.iterdir()) == []


def test_exported_text_names_no_file_of_the_patient(tmp_path, contents):
    named = contents.mr.with_source(path=Path("/home/Doe_John/scan.nii"), description="Doe_John")
    files = export_contents(replace(contents, mr=named), tmp_path)
    for path in files.values():
        assert b"Doe_John" not in path.read_bytes()


def test_pages_are_read_whatever_byte_their_packed_drawing_ends_with(tmp_path):
    # of 600 packed pages some end like a line, with the byte of a line feed or a return
    path = tmp_path / "pages.pdf"
    canvas = Canvas(str(path), pageCompression=1)
    texts = ["n" * (number // 40 + 1) + chr(48 + number % 40) for number in range(600)]
    for text in texts:
        canvas.drawString(10, 10, text)
        canvas.showPage()
    canvas.save()
    packed = path.read_bytes().split(b"endstream")
    assert {b"\n", b"\r"} <= {part[-1:] for part in packed}
    assert read_pages(path) == texts
