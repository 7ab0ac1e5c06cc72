"""What is assumed of the pose is chosen in the window, by keys, and kept for the next start."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog

from fusioninit.gui.preferences import Preferences
from fusioninit.gui.prior_choice import LEARN
from fusioninit.registration import RotationPrior
from fusioninit.state.pose_prior import PosePrior

LEARNED = PosePrior(
    RotationPrior.from_degrees(mean_deg=[9, 0, 0], sd_deg=[3, 3, 3], name="learned from 9 exports")
)


@pytest.fixture
def window(make_window, case, qtbot, tmp_path):
    window = make_window(case.with_estimator("map"), learn_prior=lambda _folder: LEARNED)
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    window.registration.prior.setFocus()
    return window


def choose(box, text):
    """By keys, as a person does: down to the entry in the open list, then Return."""
    at = box.findText(text)
    box.showPopup()
    view = box.view()
    QTest.keyClick(view, Qt.Key.Key_Home)
    for _ in range(at):
        QTest.keyClick(view, Qt.Key.Key_Down)
    QTest.keyClick(view, Qt.Key.Key_Return)


def test_a_type_of_probe_is_chosen_undone_and_kept(window, tmp_path):
    box = window.registration.prior
    before = window.session.case.us_from_mr.matrix
    assert box.currentText() == "Unknown probe"
    choose(box, "Side-fire probe")
    assert window.session.case.prior.name == "side-fire probe"
    assert abs(window.session.case.us_from_mr.matrix - before).max() > 1e-9
    assert "side-fire probe" in window.registration.caption.text()
    assert Preferences(tmp_path / "settings.ini").prior.name == "side-fire probe"
    window.session.undo()
    assert box.currentText() == "Unknown probe"


def test_a_prior_learned_from_a_folder_is_shown_and_kept(window, tmp_path, monkeypatch):
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *a, **k: str(tmp_path))
    box = window.registration.prior
    choose(box, LEARN)
    assert box.currentText() == "Learned from 9 exports"
    assert window.session.case.prior is LEARNED
    assert Preferences(tmp_path / "settings.ini").prior.name == "learned from 9 exports"
    choose(box, "End-fire probe")
    choose(box, "Learned from 9 exports")
    assert window.session.case.prior is LEARNED


def test_giving_up_the_choice_of_a_folder_changes_nothing(window, monkeypatch):
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *a, **k: "")
    box = window.registration.prior
    choose(box, LEARN)
    assert box.currentText() == "Unknown probe"
    assert not window.session.undo_stack.canUndo()


def test_a_damaged_preference_is_that_of_an_unknown_probe(tmp_path):
    (tmp_path / "s.ini").write_text('[General]\nprior="{broken"\n')
    assert Preferences(tmp_path / "s.ini").prior.name == "unknown probe"
