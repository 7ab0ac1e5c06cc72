"""Edges of one image over the other: found where they are, and nowhere else."""

import numpy as np
from PySide6.QtGui import QColor, QImage

from fusioninit.gui.slice_edges import EdgeLayer, edge_strength
from fusioninit.gui.theme import SPACE_COLOUR
from fusioninit.gui.view_state import FusionMode


def picture(grey, inside):
    grey = grey.astype(np.uint32)
    return np.where(inside, 0xFF000000 | grey << 16 | grey << 8 | grey, 0).astype(np.uint32)


def a_square(rows=40, columns=52):
    grey = np.full((rows, columns), 60)
    grey[12:28, 16:37] = 200
    inside = np.ones((rows, columns), bool)
    inside[:, 46:] = False
    return picture(grey, inside)


def test_the_border_of_a_bright_square_is_an_edge_and_its_middle_is_none():
    strength = edge_strength(a_square())
    assert strength.min() == 0.0
    assert strength.max() == 1.0
    assert (strength[14:26, 15:17].max(axis=1) == 1.0).all()
    assert (strength[15:25, 20:33] == 0).all()


def test_where_the_volume_ends_there_is_no_edge():
    strength = edge_strength(a_square())
    assert (strength[:, 42:] == 0).all()
    assert (strength[(0, -1), :] == 0).all()


def test_a_slice_outside_the_volume_has_no_edges():
    assert not edge_strength(np.zeros((5, 7), np.uint32)).any()


def test_edges_are_found_anew_only_for_another_slice(qapp):
    pixels = a_square()
    image = QImage(pixels.data, 52, 40, 4 * 52, QImage.Format.Format_ARGB32_Premultiplied)
    layer = EdgeLayer()
    first = layer.image(image, QColor("#f5a13a"))
    assert layer.image(image, QColor("#f5a13a")) is first
    assert first.pixelColor(16, 20).name() == "#f5a13a"
    assert first.pixelColor(25, 20).alpha() == 0


def test_the_fused_view_shows_us_with_the_edges_of_mr_in_its_colour(make_window, case):
    window = make_window(case)
    for name in ("contours", "names", "regions", "crosshair"):
        window.view_state.set_flag(name, shown=False)
    view = window.slices["us_axial"]
    view.resize(300, 300)
    counts = {}
    for mode in (FusionMode.US, FusionMode.EDGES):
        window.view_state.set_mode(mode)
        image = view.grab().toImage()
        hue = SPACE_COLOUR[next(iter(SPACE_COLOUR.keys() - {view.space}))].hueF()
        seen = [image.pixelColor(x, y) for x in range(60, 240, 2) for y in range(60, 240, 2)]
        counts[mode] = sum(c.saturationF() > 0.35 and abs(c.hueF() - hue) < 0.04 for c in seen)
    assert counts[FusionMode.EDGES] > 50 + counts[FusionMode.US]
