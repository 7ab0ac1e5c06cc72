"""The needle plan in the window: made, listed, edited by mouse and keys, undone, drawn."""

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit

from fusioninit.geometry import Orientation, PixelFrame, Space, slice_plane
from fusioninit.gui.core_table import DEPTH, ENTRY, NAME, OFF, TARGET, TIP
from fusioninit.gui.slice_cores import SLAB_MM, crossing_mm, within_slab
from fusioninit.state import CoreKind, Target

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def window(make_window, case, qtbot):
    at_us = case.us_from_mr.inverse().apply([6.0, 5.0, 2.0])
    window = make_window(case.with_targets((Target("Lesion", at_us),)))
    window.sidebar_tabs.setCurrentIndex(2)
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    return window


def click_cell(window, row, column, *, double=False):
    table = window.cores.table
    table.scrollTo(table.model().index(row, column))
    at = table.visualRect(table.model().index(row, column)).center()
    QTest.mouseClick(table.viewport(), LEFT, pos=at)
    if double:
        QTest.mouseDClick(table.viewport(), LEFT, pos=at)


def type_into_cell(window, row, column, text):
    click_cell(window, row, column, double=True)
    editor = window.cores.table.findChildren(QLineEdit)[-1]
    editor.selectAll()
    QTest.keyClicks(editor, text)
    QTest.keyClick(editor, Qt.Key.Key_Return)
    QCoreApplication.processEvents()  # the cell takes the text in the next turn of the loop
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def test_the_template_gives_twelve_cores_in_one_undo_step(window):
    QTest.mouseClick(window.cores.template, LEFT)
    cores = window.session.case.cores
    assert len(cores) == 12
    assert {core.kind for core in cores} == {CoreKind.SYSTEMATIC}
    assert window.cores.table.model().rowCount() == 12
    window.slices["us_axial"].setFocus()
    QTest.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert window.session.case.cores == ()


def test_targeted_cores_join_the_template_and_planning_again_replaces_only_their_kind(window):
    QTest.mouseClick(window.cores.template, LEFT)
    QTest.mouseClick(window.cores.targeted, LEFT)
    assert len(window.session.case.cores) == 14
    window.cores.per_target.setValue(3)
    QTest.mouseClick(window.cores.targeted, LEFT)
    QTest.mouseClick(window.cores.template, LEFT)
    kinds = [core.kind for core in window.session.case.cores]
    assert kinds == [CoreKind.SYSTEMATIC] * 12 + [CoreKind.TARGETED] * 3


def test_a_row_says_path_depth_and_target(window):
    QTest.mouseClick(window.cores.targeted, LEFT)
    core = window.session.case.cores[0]
    model = window.cores.cores
    assert model.index(0, NAME).data() == "Lesion 1"
    tip = [float(word.replace("−", "-")) for word in model.index(0, TIP).data().split()]
    assert np.allclose(tip, core.tip_us_mm, atol=0.051)
    assert model.index(0, DEPTH).data() == f"{core.depth_mm:.0f}"
    assert model.index(0, TARGET).data() == "Lesion"
    assert model.index(0, OFF).data() == "0.0"
    assert "for Lesion" in model.index(0, NAME).data(Qt.ItemDataRole.ToolTipRole)


@pytest.mark.parametrize("size", [(1400, 900), (1024, 768)])
def test_every_column_of_the_plan_is_whole_and_in_sight(window, qtbot, size):
    window.resize(*size)
    QTest.mouseClick(window.cores.template, LEFT)
    QTest.mouseClick(window.cores.targeted, LEFT)
    table = window.cores.table
    qtbot.waitUntil(lambda: window.width() == size[0])
    shown = [c for c in range(table.model().columnCount()) if not table.isColumnHidden(c)]
    assert shown == [NAME, ENTRY, TIP, DEPTH, OFF]
    assert sum(table.columnWidth(column) for column in shown) <= table.viewport().width()
    assert not table.horizontalScrollBar().isVisible()
    for column in shown:
        assert table.sizeHintForColumn(column) <= table.columnWidth(column)


def test_name_and_tip_are_typed_into_the_table_and_undone(window):
    QTest.mouseClick(window.cores.targeted, LEFT)
    before = window.session.case.cores
    type_into_cell(window, 0, NAME, "First core")
    type_into_cell(window, 0, TIP, "1.5 -20 3")
    core = window.session.case.cores[0]
    assert core.name == "First core"
    assert np.allclose(core.tip_us_mm, [1.5, -20.0, 3.0])
    assert np.array_equal(core.entry_us_mm, before[0].entry_us_mm)
    window.session.undo()
    window.session.undo()
    assert window.session.case.cores is before


def test_nonsense_typed_as_a_position_is_refused_in_a_sentence(window):
    QTest.mouseClick(window.cores.targeted, LEFT)
    before = window.session.case.cores
    type_into_cell(window, 0, ENTRY, "over there")
    assert window.session.case.cores is before
    assert "'over there' is no position" in window.messages.text


def test_the_chosen_core_is_gone_to_moved_to_the_crosshair_and_removed(window):
    QTest.mouseClick(window.cores.template, LEFT)
    click_cell(window, 3, DEPTH)
    core = window.session.case.cores[3]
    middle = (core.sample_start_us_mm + core.tip_us_mm) / 2
    assert np.allclose(window.view_state.crosshair_mm(Space.US), middle)
    assert window.view_state.core == core.name
    window.view_state.set_crosshair(Space.US, [9.0, -3.0, 7.0])
    QTest.mouseClick(window.cores.buttons["tip"], LEFT)
    assert np.allclose(window.session.case.cores[3].tip_us_mm, [9.0, -3.0, 7.0])
    click_cell(window, 3, DEPTH)
    QTest.mouseClick(window.cores.buttons["remove"], LEFT)
    assert core.name not in [c.name for c in window.session.case.cores]


def test_a_plan_whose_alignment_has_changed_is_questioned(window, qtbot):
    QTest.mouseClick(window.cores.targeted, LEFT)
    assert "off target" not in window.cores.hint.text()
    for name in window.session.case.us_landmarks:
        position = window.session.case.us_landmarks[name].position_mm
        window.session.move_landmark(Space.US, name, position + np.array([9.0, 0, 0]))
    qtbot.waitUntil(lambda: "off target" in window.cores.hint.text())
    QTest.mouseClick(window.cores.targeted, LEFT)
    assert "off target" not in window.cores.hint.text()


def test_without_landmarks_the_template_says_what_is_missing(make_window, pair, qtbot):
    window = make_window()
    window.preferences.set_value("detects_on_open", "false")
    window.open_demo()
    window.cores.plan_systematic()
    assert window.session.case.cores == ()
    assert window.messages.text != ""


def test_the_whole_plan_is_copied(window):
    QTest.mouseClick(window.cores.template, LEFT)
    QTest.mouseClick(window.cores.buttons["copy"], LEFT)
    lines = QGuiApplication.clipboard().text().splitlines()
    assert len(lines) == 13
    assert lines[0].split("\t")[:3] == ["Core", "Kind", "Entry x y z"]
    assert lines[0].endswith("Target")


def test_cores_are_drawn_in_us_and_mr_slices(window):
    pictures = {name: window.slices[name].grab().toImage() for name in ("us_axial", "mr_axial")}
    QTest.mouseClick(window.cores.template, LEFT)
    click_cell(window, 5, DEPTH)
    for name, before in pictures.items():
        assert window.slices[name].grab().toImage() != before


def test_a_needle_in_the_plane_is_a_line_and_one_across_it_a_dot():
    frame = PixelFrame(slice_plane(Orientation.AXIAL, np.zeros(3)), (100, 100), 1.0)
    begin, end = np.array([0.0, 20.0, 0.5]), np.array([0.0, -10.0, 0.5])
    assert np.allclose(within_slab(frame, begin, end), [begin, end])
    assert crossing_mm(frame, begin, end) is None
    begin, end = np.array([4.0, 5.0, -10.0]), np.array([4.0, 5.0, 30.0])
    assert np.allclose(crossing_mm(frame, begin, end), [4.0, 5.0, 0.0])
    part = within_slab(frame, begin, end)
    assert np.allclose(sorted(part[:, 2]), [-SLAB_MM, SLAB_MM])
    assert within_slab(frame, begin + [0, 0, 40.0], end + [0, 0, 40.0]) is None
