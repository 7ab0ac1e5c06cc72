"""Colour maps of US and MR: chosen in the bar, seen in slices and in 3D."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest

from fusioninit.geometry import Space
from fusioninit.gui.colour_maps import COLOUR_MAPS, argb_table
from fusioninit.gui.view_state import FusionMode


@pytest.fixture
def window(make_window, case, qtbot):
    window = make_window(case)
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    for flag in ("contours", "names", "regions", "crosshair"):
        window.view_state.set_flag(flag, shown=False)
    return window


def choose(box, name):
    """Step to an entry with the arrow keys, as a person does."""
    box.setFocus()
    while box.currentText() != name:
        wanted = box.findText(name)
        QTest.keyClick(box, Qt.Key.Key_Down if wanted > box.currentIndex() else Qt.Key.Key_Up)


def greyness(view):
    """Share of pixels whose red, green and blue are alike."""
    image = view.grab().toImage().convertToFormat(QImage.Format.Format_RGBX8888)
    flat = np.frombuffer(image.constBits(), np.uint8)
    rgb = flat.reshape(image.height(), image.width(), 4)[40:-40, 40:-40, :3].astype(int)
    return float((np.ptp(rgb, axis=-1) <= 2).mean())


def test_us_takes_the_colours_chosen_by_keys_in_us_views_and_only_there(window):
    window.view_state.set_mode(FusionMode.US)
    assert greyness(window.slices["us_axial"]) > 0.97
    before = window.slices["mr_axial"].grab().toImage()
    choose(window.fusion_bar.colours[Space.US], "Viridis")
    assert window.view_state.colour_map(Space.US) == "Viridis"
    assert greyness(window.slices["us_axial"]) < 0.2
    assert window.slices["mr_axial"].grab().toImage() == before


def test_us_keeps_its_colours_where_the_mr_has_none(window):
    choose(window.fusion_bar.colours[Space.US], "Ice")
    window.view_state.set_mode(FusionMode.WIPE)
    assert not window.fusion_bar.colours[Space.MR].isEnabled()
    assert window.fusion_bar.colours[Space.US].isEnabled()
    assert 0.2 < greyness(window.slices["us_axial"]) < 0.9


@pytest.mark.gl
def test_the_slice_planes_in_3d_take_the_colours_of_us(scene, picture_of):
    before = picture_of(scene)
    scene.view_state.set_colour_map(Space.US, "Cividis")
    changed = np.abs(picture_of(scene) - before).max(axis=-1) > 20
    assert changed.mean() > 0.02


@pytest.mark.parametrize("name", COLOUR_MAPS)
def test_every_map_differs_in_lightness_all_the_way(name):
    """A map is read by its lightness alone, whichever colours an eye tells apart."""
    table = argb_table(name)
    red, green, blue = ((table >> shift & 255) / 255.0 for shift in (16, 8, 0))
    lightness = 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2
    steps = np.diff(lightness[::8])
    assert (steps > 0).all() or (steps < 0).all()
