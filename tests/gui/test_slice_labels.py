"""Names of landmarks stand clear of each other and inside the view."""

from PySide6.QtCore import QPointF, QRectF

from fusioninit.gui.slice_painting import label_box

EDGE = 300.0


def place(at, width=90.0, taken=()):
    return label_box(QPointF(*at), width, right_edge=EDGE, taken=list(taken))


def test_a_name_stands_above_to_the_right_where_nothing_is_in_its_way():
    assert place((100, 100)) == QRectF(112, 81, 90, 17)


def test_a_name_that_would_be_cut_off_stands_to_the_left():
    assert place((280, 100)).right() == 268


def test_names_of_landmarks_that_lie_together_do_not_cover_each_other():
    spots = [(150, 100), (152, 104), (155, 98), (149, 108), (151, 95)]
    boxes = []
    for spot in spots:
        boxes.append(place(spot, taken=boxes))
    pairs = [(a, b) for n, a in enumerate(boxes) for b in boxes[:n]]
    assert not any(a.intersects(b) for a, b in pairs)


def test_a_name_wider_than_the_view_begins_inside_it():
    assert place((150, 100), width=400.0).left() == 4.0


def test_where_no_place_is_free_the_first_that_fits_is_taken():
    everywhere = QRectF(-1000, -1000, 3000, 3000)
    assert place((100, 100), taken=[everywhere]) == place((100, 100))
