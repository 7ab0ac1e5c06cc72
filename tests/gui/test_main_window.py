"""The window as a whole: opening, detecting, refusing, undoing, closing."""

import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QFileDialog

from fusioninit.bundled import asset_path
from fusioninit.errors import ReadError
from fusioninit.geometry import Space
from fusioninit.gui.main_window import BANNER
from fusioninit.gui.view_grid import LAYOUTS
from fusioninit.gui.view_state import FusionMode
from fusioninit.imaging.reading import read_volume
from fusioninit.landmarks import REQUIRED_NAMES, Source
from fusioninit.registration import LandmarkFit, Unsolved
from fusioninit.session import LatestJob
from fusioninit.state import Case, Decision


def test_the_demo_opens_is_detected_and_aligned(make_window, qtbot):
    window = make_window()
    window.actions_by_name["demo"].trigger()
    qtbot.waitUntil(lambda: bool(window.session.case.us_landmarks))
    case = window.session.case
    assert set(case.us_landmarks) == set(REQUIRED_NAMES)
    assert isinstance(case.registration, LandmarkFit)
    assert not window.progress.isVisibleTo(window)


def test_the_detection_that_follows_an_opening_shows_its_progress(make_window, qtbot):
    asked, answered = threading.Event(), threading.Event()

    def predict(volume, *, progress, cancelled):
        asked.set()
        answered.wait(30)
        raise ReadError("nothing was looked for")

    window = make_window(predict=predict, detect_job=LatestJob())
    window.open_demo()
    qtbot.waitUntil(asked.is_set)
    shown = window.progress.isVisibleTo(window), window.progress.text
    answered.set()
    qtbot.waitUntil(lambda: not window.detecting.is_running)
    assert shown == (True, "Finding landmarks in MR")


def test_detection_is_left_to_the_person_where_they_prefer_it(make_window):
    window = make_window()
    window.preferences.set_value("detects_on_open", "false")
    window.open_demo()
    assert isinstance(window.session.case.registration, Unsolved)
    assert window.registration.figure.text() == "Not aligned"
    window.actions_by_name["detect"].trigger()
    assert isinstance(window.session.case.registration, LandmarkFit)


def test_a_file_that_cannot_be_read_gives_a_sentence_and_loses_nothing(make_window, case):
    def read(path, *, space, series_uid=None, cancelled=None):
        raise ReadError(f"{path.name} is a text file; choose a volume")

    window = make_window(case, read=read)
    before = window.session.case
    window.files.open_paths({Space.MR: Path("notes.nii")})
    assert window.messages.text == "notes.nii is a text file; choose a volume"
    assert window.messages.isVisibleTo(window)
    assert window.session.case is before


def test_the_same_volume_as_mr_and_us_is_refused(make_window, case, pair):
    def read(path, *, space, series_uid=None, cancelled=None):
        from dataclasses import replace

        return replace(pair.us, space=space)

    window = make_window(case, read=read)
    window.files.open_paths({Space.MR: Path("a.nii"), Space.US: Path("a.nii")})
    assert "both MR and US" in window.messages.text
    assert window.session.case.mr is case.mr


def test_several_messages_wait_for_each_other(make_window):
    window = make_window()
    for text in ("first", "second"):
        window.messages.show_message(text)
    assert window.messages.text == "second"
    window.messages.dismiss()
    assert window.messages.text == "first"
    window.messages.dismiss()
    assert not window.messages.isVisibleTo(window)


def test_a_dropped_file_becomes_the_volume_of_the_view_under_it(make_window, case, pair, qtbot):
    read_as = []

    def read(path, *, space, series_uid=None, cancelled=None):
        read_as.append((path.name, space))
        return pair.mr if space is Space.MR else pair.us

    window = make_window(case, read=read)
    window.show()
    qtbot.waitExposed(window)
    view = window.slices["mr_axial"]
    drop(window, view.mapTo(window, view.rect().center()), ["/data/volume.mha"])
    assert read_as == [("volume.mha", Space.MR)]


def test_two_dropped_files_are_told_apart_by_name(make_window, pair):
    read_as = {}

    def read(path, *, space, series_uid=None, cancelled=None):
        read_as[space] = path.name
        return pair.mr if space is Space.MR else pair.us

    window = make_window(read=read)
    window.files.open_dropped([Path("p1_US.nii.gz"), Path("p1_t2.nii.gz")], over=None)
    assert read_as == {Space.US: "p1_US.nii.gz", Space.MR: "p1_t2.nii.gz"}


def drop(window, at, paths):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(path) for path in paths])
    event = QDropEvent(
        QPointF(at), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    window.dropEvent(event)


def test_undo_and_redo_reach_the_table_and_the_alignment(make_window, case):
    window = make_window(case)
    residual = window.registration.figure.text()
    window.session.move_landmark(Space.US, "apex", [30.0, 0, -20])
    window.registration.refresh()
    assert window.registration.figure.text() != residual
    window.actions_by_name["undo"].trigger()
    window.registration.refresh()
    assert window.registration.figure.text() == residual
    assert window.actions_by_name["redo"].isEnabled()


def test_number_keys_jump_and_c_confirms_and_locks(make_window, case, qtbot):
    window = make_window(case)
    window.show()
    qtbot.waitExposed(window)
    view = window.slices["mr_axial"]
    view.setFocus()
    window.actions_by_name["jump_2"].trigger()
    assert window.view_state.selection == (Space.MR, "bladder_neck")
    position = case.mr_landmarks["bladder_neck"].position_mm
    assert np.allclose(window.view_state.crosshair_mm(Space.MR), position)
    window.actions_by_name["confirm"].trigger()
    mark = window.session.case.mr_landmarks["bladder_neck"]
    assert (mark.source, mark.locked) == (Source.CONFIRMED, True)


def test_choosing_a_row_of_the_table_shows_the_landmark_everywhere(make_window, case):
    window = make_window(case)
    table = window.landmarks.table
    row = table.landmarks.row_of(Space.MR, "posterior_median")
    table.setCurrentIndex(table.landmarks.index(row, 0))
    position = case.mr_landmarks["posterior_median"].position_mm
    assert np.allclose(window.view_state.crosshair_mm(Space.MR), position)
    assert window.view_state.selection == (Space.MR, "posterior_median")


def test_the_table_says_what_is_predicted_edited_and_confirmed(make_window, case):
    window = make_window(case)
    model = window.landmarks.table.landmarks
    window.session.move_landmark(Space.US, "apex", [0, 0, -20])
    window.session.confirm_landmark(Space.MR, "apex")
    states = [model.index(row, 2).data() for row in range(3)]
    assert states == ["Edited", "Confirmed", "Predicted 87 %"]


def test_a_decision_needs_initials_and_is_void_after_a_move(make_window, case):
    window = make_window(case)
    assert not window.review.accept.isEnabled()
    window.review.initials.setText("AB")
    window.review.accept.click()
    assert window.session.case.decision == Decision(True, "", "AB")
    window.session.move_landmark(Space.US, "apex", [0, 0, -20])
    assert window.session.case.decision is None
    assert "not decided" in window.review.state.text()


@pytest.mark.parametrize("name", list(LAYOUTS))
def test_every_layout_shows_its_views_and_a_maximised_view_shows_alone(make_window, case, name):
    window = make_window(case)
    window.show_layout(name)
    wanted = {view for row in LAYOUTS[name] for view in row}
    shown = {n for n, view in window.grid.views.items() if view.isVisibleTo(window)}
    assert shown == wanted
    window.grid.toggle_maximised("us_axial")
    assert [n for n, v in window.grid.views.items() if v.isVisibleTo(window)] == ["us_axial"]
    window.grid.toggle_maximised("us_axial")
    assert {n for n, v in window.grid.views.items() if v.isVisibleTo(window)} == wanted


def test_space_shows_mr_and_us_in_turn(make_window, case):
    window = make_window(case)
    window.actions_by_name["toggle"].trigger()
    assert window.view_state.mode is FusionMode.MR
    window.actions_by_name["toggle"].trigger()
    assert window.view_state.mode is FusionMode.US


def test_the_crosshair_of_mr_stays_while_an_mr_landmark_is_dragged(make_window, case, qtbot):
    window = make_window(case)
    window.show()
    qtbot.waitExposed(window)
    view = window.slices["mr_sagittal"]
    mark = case.mr_landmarks["apex"]
    window.view_state.set_crosshair(Space.MR, mark.position_mm)
    start = view.to_view(mark.position_mm).toPoint()
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseMove(view, start)
    before = window.view_state.crosshair_mm(Space.US).copy()
    window.session.move_landmark(Space.MR, "apex", mark.position_mm + np.array([0, 9, 0]))
    assert np.array_equal(window.view_state.crosshair_mm(Space.US), before)
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=start)
    us_from_mr = window.session.case.us_from_mr
    expected = us_from_mr.apply(window.view_state.crosshair_mm(Space.MR))
    assert np.allclose(window.view_state.crosshair_mm(Space.US), expected)


def test_the_banner_is_always_there(make_window):
    window = make_window()
    from PySide6.QtWidgets import QLabel

    banner = next(label for label in window.findChildren(QLabel) if label.text() == BANNER)
    assert banner.isVisibleTo(window)


def test_what_is_exported_is_told(make_window, case, tmp_path):
    def export(case, folder, *, keep_identity, progress, cancelled):
        (folder / "us_from_mr.tfm").write_text("transform")
        return {"tfm": folder / "us_from_mr.tfm"}

    window = make_window(case, export=export)
    window.files.export_to(tmp_path)
    assert window.messages.text == f"Exported to {tmp_path}: 1 files, read back and verified"


def test_a_case_saved_with_its_images_goes_on_being_saved_so(make_window, tmp_path, monkeypatch):
    volume = read_volume(asset_path("demo-us.nii.gz"), space=Space.US)
    window = make_window(Case().with_volume(volume))
    path = tmp_path / "taken along.fusion.json"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    window.actions_by_name["save_whole"].trigger()
    assert window.messages.text == "Saved as taken along.fusion.json with its images"
    (copy,) = (tmp_path / "taken along-images").glob("us-*/demo-us.nii.gz")
    assert copy.read_bytes() == volume.source.path.read_bytes()
    assert window.session.undo_stack.isClean()
    copy.unlink()
    window.session.set_estimator("translation")
    window.actions_by_name["save"].trigger()
    assert copy.is_file()
    assert '"translation"' in path.read_text(encoding="utf-8")


def test_nothing_is_offered_that_cannot_be_done(make_window):
    window = make_window()
    off = {name for name, action in window.actions_by_name.items() if not action.isEnabled()}
    assert {"save", "export", "undo", "redo", "detect"} <= off


def test_closing_in_the_middle_of_a_detection_is_clean(make_window, leaves_nothing, qtbot):
    begun, answers = threading.Event(), []

    def slow(volume, *, progress, cancelled):
        begun.set()
        while not cancelled():
            progress(0.3, "still looking")
            time.sleep(0.01)
        answers.append("stopped")

    window = make_window(predict=slow, detect_job=LatestJob())
    window.show()
    window.open_demo()
    qtbot.waitUntil(begun.is_set)
    qtbot.waitUntil(lambda: window.progress.text == "still looking")
    window.close()
    assert answers == ["stopped"]
    QApplication.processEvents()
    assert len(window.session.case.us_landmarks) == 0


def test_cancel_stops_a_detection_and_keeps_the_landmarks(make_window, case, qtbot):
    def slow(volume, *, progress, cancelled):
        while not cancelled():
            progress(0.5, "looking")
            time.sleep(0.01)

    window = make_window(case, predict=slow, detect_job=LatestJob())
    window.show()
    window.detect((Space.US,))
    qtbot.waitUntil(window.progress.isVisible)
    qtbot.mouseClick(window.progress._button, Qt.MouseButton.LeftButton)
    assert not window.progress.isVisible()
    assert window.session.case.us_landmarks == case.us_landmarks


def test_another_theme_recolours_icons_at_once(make_window, case, qapp):
    from fusioninit.gui.dialogs import PreferencesDialog
    from fusioninit.gui.theme import DARK, apply_theme

    def darkest(image):
        opaque = [image.pixelColor(x, y) for x in range(18) for y in range(18)]
        return min(colour.lightness() for colour in opaque if colour.alpha() > 200)

    window = make_window(case)
    action = window.actions_by_name["detect"]
    before = darkest(action.icon().pixmap(18, 18).toImage())
    PreferencesDialog(window.preferences, window).theme.textActivated.emit("Light")
    try:
        assert darkest(action.icon().pixmap(18, 18).toImage()) < before - 80
    finally:
        apply_theme(qapp, DARK)


@pytest.mark.parametrize("size", [(1280, 720), (1024, 768)])
def test_nothing_is_cut_off_in_a_small_window(make_window, case, qtbot, size):
    window = make_window(case)
    window.resize(*size)
    window.show()
    qtbot.waitExposed(window)
    name = "a-very-long-file-name-of-a-patient" * 8
    window.messages.show_message(f"{name}.nii.gz is shorter than its header says; copy it again")
    window.progress.follow(window.detecting)
    window.detecting.started.emit(f"Reading {name}")
    QApplication.processEvents()
    assert (window.width(), window.height()) == size
    for control in window.findChildren(QAbstractButton):
        if control.isVisible() and not control.objectName().startswith("qt_"):
            in_panel = window.sidebar_tabs.isAncestorOf(control)
            corner = control.mapTo(window, control.rect().bottomRight())
            assert corner.x() < window.width(), control.text()
            assert in_panel or corner.y() < window.height(), control.text()
    window.detecting.finished.emit()


def test_a_detection_shows_its_progress_though_the_opening_ends_after_it_began(make_window, qtbot):
    seen = []

    def look(volume, *, progress, cancelled):
        seen.append((window.progress.isVisibleTo(window), window.progress.text))
        raise ReadError(f"{volume.space.upper()}: too thin")

    window = make_window(predict=look, detect_job=LatestJob())
    window.show()
    window.open_demo()
    qtbot.waitUntil(lambda: window.progress.text.startswith("Finding landmarks in"))
    assert window.progress.isVisible()
    qtbot.waitUntil(lambda: not window.progress.isVisible())
    assert window.messages.texts == ["MR: too thin", "US: too thin"]


def test_an_error_stays_in_sight_while_warnings_follow_it(make_window):
    window = make_window()
    for kind, text in (("error", "no such file"), ("warning", "US: thin"), ("info", "Saved")):
        window.messages.show_message(text, kind=kind)
        if kind != "info":
            assert window.messages.text == "no such file"
    assert window.messages.text == "Saved"
    window.messages.dismiss()
    assert window.messages.text == "no such file"
    window.messages.dismiss()
    assert window.messages.text == "US: thin"


def test_what_is_edited_while_another_volume_is_read_is_kept(make_window, case, pair):
    windows = []

    def read(path, *, space, series_uid=None, cancelled=None):
        windows[0].session.move_landmark(Space.US, "apex", [1.0, 2.0, -20.0])
        return pair.mr

    windows.append(make_window(case, read=read))
    windows[0].files.open_paths({Space.MR: Path("t2.nii.gz")})
    marks = windows[0].session.case.us_landmarks
    assert marks["apex"].position_mm.tolist() == [1.0, 2.0, -20.0]
