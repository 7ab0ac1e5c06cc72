"""Names of landmarks, targets and cores stand clear of each other, of glyphs and of the frame."""

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter
from PySide6.QtWidgets import QApplication

from fusioninit.geometry import Space
from fusioninit.gui import slice_labels
from fusioninit.gui.slice_labels import Label, SliceLabels, label_boxes
from fusioninit.state import Core, CoreKind, Target

SIZE = (300.0, 280.0)


def label(at, text="Bladder neck", *, key=None, rank=0, reach=6.0):
    return Label(key or text, QPointF(*at), text, QColor("#ffffff"), reach, rank=rank)


@pytest.fixture
def drawn(qapp, monkeypatch):
    """Draws labels with a new or given sheet; where each text went."""

    def draw(labels, *, sheet=None, clear=(), keeps_places=False):
        sheet, boxes = sheet or SliceLabels(), {}
        note = lambda _painter, box, text, **_: boxes.__setitem__(text, box)  # noqa: E731
        monkeypatch.setattr(slice_labels, "draw_text", note)
        image = QImage(300, 280, QImage.Format.Format_ARGB32_Premultiplied)
        painter = QPainter(image)
        sheet.begin(SIZE)
        for at in clear:
            sheet.keep_clear(QPointF(*at), 6.0)
        for each in labels:
            sheet.add(each)
        sheet.draw(painter, keeps_places=keeps_places)
        painter.end()
        return boxes

    return draw


def best(at, width=90.0):
    return next(label_boxes(label(at), width, SIZE))


def test_a_name_stands_above_to_the_right_where_nothing_is_in_its_way(drawn):
    assert best((100, 100)) == QRectF(112, 81, 90, 17)
    (box,) = drawn([label((100, 100))]).values()
    assert box.topLeft() == QPointF(112, 81)


def test_a_name_that_would_be_cut_off_stands_to_the_left():
    assert best((280, 100)).right() == 268


def test_names_of_things_that_lie_together_cover_neither_each_other_nor_their_glyphs(drawn):
    spots = [(150, 120), (152, 124), (155, 118), (149, 128), (151, 115)]
    boxes = drawn([label(spot, f"name {n}") for n, spot in enumerate(spots)])
    glyphs = [QRectF(x - 6, y - 6, 12, 12) for x, y in spots]
    every = list(boxes.values())
    pairs = [(a, b) for n, a in enumerate(every) for b in every[:n]]
    assert not any(a.intersects(b) for a, b in pairs)
    assert not any(a.intersects(b) for a in every for b in glyphs)


def test_names_keep_off_titles_letters_scale_bar_and_what_is_to_be_kept_clear(drawn):
    boxes = drawn(
        [label((60, 22), "high"), label((150, 270), "low"), label((60, 150), "middle")],
        clear=[(90, 140)],
    )
    assert boxes["high"].top() >= 26
    assert boxes["low"].bottom() <= 255
    assert not boxes["middle"].intersects(QRectF(84, 134, 12, 12))


def test_a_name_wider_than_the_view_begins_inside_it():
    assert best((150, 100), width=400.0).left() == 4.0


def test_where_no_place_is_free_the_first_that_fits_is_taken(drawn):
    everywhere = [(x, y) for x in range(0, 301, 10) for y in range(0, 281, 10)]
    (box,) = drawn([label((100, 100))], clear=everywhere).values()
    assert box.topLeft() == QPointF(112, 81)


def test_the_lower_rank_chooses_first(drawn):
    boxes = drawn([label((100, 100), "target", rank=2), label((101, 100), "apex", rank=0)])
    assert boxes["apex"].topLeft() == QPointF(113, 81)
    assert not boxes["target"].intersects(boxes["apex"])


def test_a_name_keeps_its_side_while_something_is_dragged_and_takes_the_best_after(drawn):
    sheet, still = SliceLabels(), label((100, 150), "still", rank=1)
    apart = drawn([still], sheet=sheet)["still"]
    near = drawn([label((112, 140), "moved"), still], sheet=sheet, keeps_places=True)["still"]
    assert near != apart
    away = drawn([label((200, 60), "moved"), still], sheet=sheet, keeps_places=True)["still"]
    assert away == near
    assert drawn([label((200, 60), "moved"), still], sheet=sheet)["still"] == apart


def test_a_landmark_a_target_and_the_chosen_core_at_one_place_are_all_read(
    make_window, case, qtbot, monkeypatch
):
    at_us = case.us_landmarks["posterior_median"].position_mm
    target = Target("Lesion", case.us_from_mr.inverse().apply(at_us), 4.0)
    core = Core("Core 1", at_us - [0, 0, 15.0], at_us + [0, 0, 6.0], CoreKind.TARGETED, "Lesion")
    window = make_window(case.with_targets((target,)).with_cores((core,)))
    window.show()
    qtbot.waitExposed(window)
    window.views.jump_to("posterior_median")
    window.view_state.choose_core("Core 1")
    view, boxes = window.slices["us_axial"], {}
    real = slice_labels.draw_text

    def note(painter, box, text, **more):
        boxes[text] = box
        real(painter, box, text, **more)

    monkeypatch.setattr(slice_labels, "draw_text", note)

    def read():
        boxes.clear()
        view.grab()
        assert {"Posterior median", "Lesion", "Core 1"} <= set(boxes)
        every = list(boxes.values())
        pairs = [(a, b) for n, a in enumerate(every) for b in every[:n]]
        assert not any(a.intersects(b) for a, b in pairs)

    read()
    start = view.to_view(at_us)
    kind = QEvent.Type
    for what, way in ((kind.MouseButtonPress, 0), *((kind.MouseMove, n) for n in (6, 14, 22))):
        button = Qt.MouseButton.LeftButton if what is kind.MouseButtonPress else Qt.MouseButton(0)
        at = start + QPointF(way, way / 2)
        event = QMouseEvent(
            what, at, view.mapToGlobal(at), button, Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )  # fmt: skip
        QApplication.sendEvent(view, event)
        read()
    moved = window.session.case.landmarks(Space.US)["posterior_median"].position_mm
    assert not np.array_equal(moved, at_us)
