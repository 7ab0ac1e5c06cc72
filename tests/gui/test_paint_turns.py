import pytest
import shiboken6
from PySide6.QtWidgets import QApplication, QWidget

from fusioninit.gui.motion import Motion
from fusioninit.gui.paint_turns import PaintTurns


class Canvas(QWidget):
    """Tells a log when it is painted."""

    def __init__(self, log, parent):
        super().__init__(parent)
        self._log = log

    def paintEvent(self, _event):
        self._log.append(self)


@pytest.fixture
def log():
    return []


@pytest.fixture
def window(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    return window


@pytest.fixture
def views(qtbot, window, log):
    views = [Canvas(log, window) for _ in range(3)]
    for number, view in enumerate(views):
        view.setGeometry(60 * number, 0, 50, 50)
    window.resize(200, 60)
    window.show()
    qtbot.waitExposed(window)
    qtbot.waitUntil(lambda: len(log) >= len(views))
    QApplication.processEvents()
    log.clear()
    return views


@pytest.fixture
def motion(qtbot):
    return Motion()


@pytest.fixture
def turns(motion):
    return PaintTurns(motion)


def painted_turn_by_turn(log, count):
    """How many views each turn of the event loop painted, until `count` have been."""
    in_turns, seen = [], 0
    for _ in range(200):
        QApplication.processEvents()
        if len(log) > seen:
            in_turns.append(len(log) - seen)
            seen = len(log)
        if seen >= count:
            break
    return in_turns


def test_views_are_painted_in_a_turn_each_and_in_order(views, turns, log):
    for view in views:
        turns.paint(view)
    assert painted_turn_by_turn(log, 3) == [1, 1, 1]
    assert log == views


def test_asked_twice_a_view_is_painted_once(qtbot, views, turns, log):
    for view in (*views, *views):
        turns.paint(view)
    painted_turn_by_turn(log, 3)
    qtbot.wait(20)
    assert log == views


def test_while_something_moves_they_are_painted_together(views, turns, motion, log):
    motion.step()
    motion.step()
    for view in views:
        turns.paint(view)
    assert painted_turn_by_turn(log, 3) == [3]


def test_a_hidden_view_has_no_turn(qtbot, views, turns, log):
    views[1].hide()
    QApplication.processEvents()
    log.clear()
    for view in views:
        turns.paint(view)
    painted_turn_by_turn(log, 2)
    qtbot.wait(20)
    assert log == [views[0], views[2]]


def test_a_view_that_is_gone_by_its_turn_is_passed_over(views, turns, log):
    for view in views:
        turns.paint(view)
    shiboken6.delete(views[0])
    painted_turn_by_turn(log, 2)
    assert log == views[1:]
