"""Targets in the window: added, loaded, dropped, listed in both frames, copied, removed."""

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication
from PySide6.QtTest import QTest

from fusioninit.geometry import Space
from fusioninit.gui.target_table import ERROR, MR, NAME, US
from fusioninit.state import Target

LEFT = Qt.MouseButton.LeftButton


def two_targets(_path):
    return Target("Lesion", np.array([-1.0, 2.25, 3.0])), Target("Apical", np.zeros(3), 4.0)


@pytest.fixture
def window(make_window, case, qtbot):
    window = make_window(case, read_targets=two_targets)
    window.sidebar_tabs.setCurrentIndex(1)
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    return window


def texts(window, row):
    model = window.targets.targets
    return [model.index(row, column).data() for column in range(model.columnCount())]


def test_each_target_stands_in_both_frames_with_its_predicted_error(window, tmp_path):
    window.files.load_targets(tmp_path / "a.mrk.json")
    case = window.session.case
    name, mr, us, error = texts(window, 0)
    assert (name, mr) == ("Lesion", "−1.0 2.2 3.0")
    expected = case.us_from_mr.apply([-1.0, 2.25, 3.0])
    found = [float(text.replace("−", "-")) for text in us.split()]
    assert np.allclose(found, expected, atol=0.051)
    fit_error = case.registration.predicted_error_mm(case.targets[0].position_mr_mm)
    assert error.startswith(f"{float(np.ravel(fit_error.mean_mm)[0]):.1f}")


def test_us_coordinates_and_error_follow_a_landmark_that_is_moved(window, tmp_path):
    window.files.load_targets(tmp_path / "a.mrk.json")
    before = texts(window, 0)
    window.session.move_landmark(Space.US, "apex", [6.0, 9.0, -25.0])
    after = texts(window, 0)
    assert before[NAME] == after[NAME]
    assert before[MR] == after[MR]
    assert before[US] != after[US]
    assert before[ERROR] != after[ERROR]


def test_the_list_is_copied_with_titles_and_coordinates(window, tmp_path):
    window.files.load_targets(tmp_path / "a.mrk.json")
    QTest.mouseClick(window.targets.copy, LEFT)
    lines = QGuiApplication.clipboard().text().splitlines()
    assert lines[0].split("\t") == ["Target", "MR x y z", "US x y z", "Error"]
    assert [line.split("\t")[0] for line in lines[1:]] == ["Lesion", "Apical"]
    window.targets.table.choose(1)
    window.targets.table.setFocus()
    QTest.keyClick(window.targets.table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text().splitlines()[1].startswith("Apical\t0.0 0.0 0.0")


def test_choosing_a_target_goes_there_and_says_what_a_millimetre_does(window, tmp_path):
    window.files.load_targets(tmp_path / "a.mrk.json")
    table = window.targets.table
    QTest.mouseClick(
        table.viewport(), LEFT, pos=table.visualRect(table.model().index(1, 1)).center()
    )
    assert np.allclose(window.view_state.crosshair_mm(Space.MR), 0.0)
    assert window.targets.hint.text().startswith("1 mm moves Apical: at apex by ")


def test_a_target_is_added_at_the_crosshair_and_removed_by_keys_and_mouse(window):
    window.view_state.set_crosshair(Space.MR, [4.0, 5.0, 6.0])
    window.slices["mr_axial"].setFocus()
    QTest.keyClick(window, Qt.Key.Key_T)
    assert np.allclose(window.session.case.targets[0].position_mr_mm, [4.0, 5.0, 6.0])
    QTest.mouseClick(window.targets.remove, LEFT)
    assert window.session.case.targets == ()
    QTest.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert len(window.session.case.targets) == 1


def test_a_dropped_file_of_targets_is_no_volume(make_window, case, qtbot, tmp_path):
    read = []
    window = make_window(
        case,
        read_targets=lambda path: read.append(path.name) or two_targets(path),
        holds_targets=lambda path: path.suffix == ".stl",
    )
    drop(window, [tmp_path / "lesion.stl"])
    assert read == ["lesion.stl"]
    assert len(window.session.case.targets) == 2
    assert window.session.case.mr is case.mr
    assert window.messages.text == "Added 2 targets from lesion.stl"


def test_targets_dropped_together_with_the_images_wait_for_the_mr(make_window, pair, tmp_path):
    window = make_window(
        read=lambda path, *, space, series_uid=None, cancelled=None: getattr(pair, space.value),
        read_targets=two_targets,
        holds_targets=lambda path: path.suffix == ".stl",
    )
    drop(window, [tmp_path / "lesion.stl", tmp_path / "p_us.nii.gz", tmp_path / "p_t2.nii.gz"])
    assert window.session.case.mr is pair.mr
    assert [target.name for target in window.session.case.targets] == ["Lesion", "Apical"]


def drop(window, paths):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    event = QDropEvent(
        QPointF(5, 5), Qt.DropAction.CopyAction, data, LEFT, Qt.KeyboardModifier.NoModifier
    )
    window.dropEvent(event)
