"""Another case over unsaved edits: save them, discard them, or stay."""

from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox

from fusioninit.bundled import asset_path
from fusioninit.geometry import Space
from fusioninit.imaging.reading import read_volume
from fusioninit.state import Case, load_case, save_case

Key, Button = Qt.Key, QMessageBox.StandardButton


def read(path, *, space, series_uid=None, cancelled=None):
    return read_volume(path, space=space)


@pytest.fixture
def window(make_window, qtbot, tmp_path):
    """The demo's images from their files, with the estimator changed and so unsaved."""
    case = Case()
    for space in (Space.US, Space.MR):
        case = case.with_volume(read_volume(asset_path(f"demo-{space.value}.nii.gz"), space=space))
    window = make_window(case, read=read)
    window.preferences.set_value("detects_on_open", "false")
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    window.session.set_estimator("translation")
    window.other = save_case(case, tmp_path / "other")
    return window


def by_command(window, path):
    window.files.open_case(path)


def by_recent(window, path):
    window.preferences.add_recent([path])
    window._recent_menu.aboutToShow.emit()
    window._recent_menu.actions()[0].trigger()


def by_drop(window, path):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    event = QDropEvent(
        QPointF(400, 400), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    window.dropEvent(event)  # Qt hands drops to its own drag manager only


def by_demo(window, _path):
    window.actions_by_name["demo"].trigger()


def by_volume(window, _path):
    window.files.open_paths({Space.MR: asset_path("demo-mr.nii.gz")})


WAYS = [by_command, by_recent, by_drop, by_demo, by_volume]


def question(window):
    return window.files.unsaved.box


def answer(window, button):
    QTest.mouseClick(question(window).button(button), Qt.MouseButton.LeftButton)
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.mark.parametrize("open_another", WAYS)
def test_every_way_of_opening_asks_first_and_escape_stays(window, open_another):
    before = window.session.case
    open_another(window, window.other)
    assert window.session.case is before
    assert "are not saved" in question(window).text()
    QTest.keyClick(question(window), Key.Key_Escape)
    assert question(window) is None
    assert window.session.case is before
    assert window.session.has_unsaved_work


@pytest.mark.parametrize("open_another", WAYS)
def test_discarded_edits_go_and_the_other_case_opens(window, open_another):
    before = window.session.case
    open_another(window, window.other)
    answer(window, Button.Discard)
    assert window.session.case is not before
    assert question(window) is None


def test_edits_are_saved_where_the_case_lies_and_the_other_one_opens(window, tmp_path):
    window.files._save_to(tmp_path / "mine")
    window.session.set_estimator("svd")
    window.session.set_estimator("translation")
    mine = window.files.saved_as
    window.session.set_estimator("svd")
    window.files.open_case(window.other)
    QTest.keyClick(question(window), Key.Key_Return)
    assert load_case(mine, read=read).estimator == "svd"
    assert window.files.saved_as == window.other
    assert not window.session.has_unsaved_work


def test_edits_of_a_case_saved_with_its_images_are_saved_so_before_the_other_opens(
    window, tmp_path
):
    window._services.saving.start(tmp_path / "whole.fusion.json")
    window.session.set_estimator("svd")
    window.files.open_case(window.other)
    answer(window, Button.Save)
    assert load_case(tmp_path / "whole.fusion.json", read=read).estimator == "svd"
    assert list((tmp_path / "whole-images").glob("us-*/demo-us.nii.gz"))
    assert window.files.saved_as == window.other


def test_where_the_save_is_called_off_the_case_stays(window, monkeypatch):
    before = window.session.case
    monkeypatch.setattr(window.files, "_ask_where", lambda _title: None)
    window.files.open_case(window.other)
    answer(window, Button.Save)
    assert window.session.case is before
    window.files._save_to(Path(window.other).parent / "later")
    assert window.session.case is before, "a later save must open nothing"


def test_a_saved_case_gives_way_without_a_question(window, tmp_path):
    window.files._save_to(tmp_path / "mine")
    window.files.open_case(window.other)
    assert question(window) is None
    assert window.files.saved_as == window.other


def test_a_volume_added_to_a_case_asks_nothing_and_leaves_its_edits_unsaved(make_window):
    us = read_volume(asset_path("demo-us.nii.gz"), space=Space.US)
    window = make_window(Case().with_volume(us), read=read)
    window.preferences.set_value("detects_on_open", "false")
    window.session.move_landmark(Space.US, "apex", [1.0, 2.0, 3.0])
    window.files.open_paths({Space.MR: asset_path("demo-mr.nii.gz")})
    assert question(window) is None
    assert window.session.case.mr is not None
    assert window.session.has_unsaved_work
    assert window.isWindowModified()


def test_a_case_that_cannot_be_opened_leaves_the_name_of_the_open_one(window, tmp_path):
    window.files._save_to(tmp_path / "mine")
    mine = window.files.saved_as
    (tmp_path / "bad.fusion.json").write_text("no case")
    window.files.open_case(tmp_path / "bad.fusion.json")
    assert window.messages.text != ""
    assert window.files.saved_as == mine


def test_the_demo_is_not_saved_over_the_case_that_was_open(window, tmp_path):
    window.files._save_to(tmp_path / "mine")
    window.open_demo()
    assert window.files.saved_as is None


def test_a_resumed_case_is_unsaved_until_it_is_saved(make_window, case, tmp_path):
    window = make_window()
    window.preferences.set_value("detects_on_open", "false")
    window.offer_to_resume("The last case was not saved.", lambda _read: case)
    QTest.mouseClick(window.messages.answer, Qt.MouseButton.LeftButton)
    assert window.session.case is case
    assert window.session.has_unsaved_work
