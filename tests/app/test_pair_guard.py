"""Two DICOM images of different patients: the question that stands before everything else."""

import numpy as np
import pytest
from imaging.conftest import ENHANCED_US, SeriesWriter, oblique_grid
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from fusioninit.app.window import make_application, make_window
from fusioninit.geometry import Space
from fusioninit.gui.preferences import Preferences
from fusioninit.session import CLOSED
from fusioninit.state import read_journal

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def write_pair(tmp_path):
    def write(**of_us):
        grid = oblique_grid((11, 40, 42))
        (tmp_path / "mr").mkdir()
        (tmp_path / "us").mkdir()
        rng = np.random.default_rng(2)
        voxels = rng.integers(0, 900, grid.shape).astype(np.uint16)
        mr = SeriesWriter(tmp_path / "mr").series(grid, voxels)
        us = SeriesWriter(tmp_path / "us").enhanced(
            grid, sop_class=ENHANCED_US, SeriesInstanceUID="1.2.3.5", **of_us
        )
        return {Space.MR: mr, Space.US: us}

    return write


@pytest.fixture
def window(qapp, qtbot, tmp_path, leaves_nothing):
    make_application()
    window = make_window(Preferences(tmp_path / "s.ini"), journals=tmp_path / "journals")
    window.preferences.set_value("detects_on_open", "false")
    window.show()
    qtbot.waitExposed(window)
    yield window
    window.close()
    window.deleteLater()


def actions(tmp_path):
    return [e.action for p in (tmp_path / "journals").iterdir() for e in read_journal(p)]


def open_pair(window, qtbot, paths):
    window.files.open_paths(paths)
    qtbot.waitUntil(lambda: window.session.case.us is not None, timeout=60_000)


def test_images_of_two_patients_are_kept_only_after_an_answer_that_is_journaled(
    window, qtbot, tmp_path, write_pair
):
    open_pair(window, qtbot, write_pair(PatientID="synthetic-2", PatientName="Synthetic^Two"))
    box = window.pair_guard.box
    assert box.isVisible()
    assert box.windowModality() is Qt.WindowModality.WindowModal
    assert "different patients" in box.text()
    assert "Two" not in box.text()
    QTest.mouseClick(window.pair_guard.keep, LEFT)
    assert window.pair_guard.box is None
    assert window.session.case.mr is not None
    assert any(a.startswith("Pair kept") and "different patients" in a for a in actions(tmp_path))


def test_esc_closes_the_case_and_leaves_nothing_to_resume(window, qtbot, tmp_path, write_pair):
    open_pair(window, qtbot, write_pair(PatientID="synthetic-2", PatientName="Synthetic^Two"))
    QTest.keyClick(window.pair_guard.box, Qt.Key.Key_Escape)
    assert window.session.case.mr is None
    assert window.session.case.us is None
    said = actions(tmp_path)
    assert said[-2].startswith("Pair refused")
    assert said[-1] == CLOSED


def test_images_years_apart_are_questioned(window, qtbot, write_pair):
    open_pair(window, qtbot, write_pair(StudyDate="20230101"))
    assert "days apart" in window.pair_guard.box.text()
    QTest.mouseClick(window.pair_guard.refuse, LEFT)
    assert window.session.case.us is None


def test_images_of_one_patient_and_time_raise_no_question(window, qtbot, write_pair):
    open_pair(window, qtbot, write_pair())
    assert window.pair_guard.box is None
