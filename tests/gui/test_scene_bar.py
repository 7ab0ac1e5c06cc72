"""The 3D view's bar, worked with mouse and keys: what is chosen is drawn, shown ticked, saved."""

import numpy as np
import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit, QMenu

from fusioninit.geometry import Orientation, Space
from fusioninit.gui.scene_camera import VIEWPOINTS
from fusioninit.gui.scene_state import Body, ErrorLook, SceneState

pytestmark = pytest.mark.gl
LEFT = Qt.MouseButton.LeftButton


def choose(qtbot, bar, button, text):
    """Click a button of the bar, then an entry of its menu."""
    menu = bar.buttons[button].menu()
    action = next(a for a in menu.actions() if a.text() == text)
    QTimer.singleShot(
        30, lambda: qtbot.mouseClick(menu, LEFT, pos=menu.actionGeometry(action).center())
    )
    qtbot.mouseClick(bar.buttons[button], LEFT)
    return action


def test_each_image_is_a_surface_a_volume_or_hidden(scene, qtbot):
    bar = scene.place.bar
    assert scene.glands.actor(Space.MR).GetVisibility()
    volume = choose(qtbot, bar, "MR in 3D", "Volume rendering")
    scene.render_now()
    assert scene.volumes.shown() == [Space.MR]
    assert not scene.glands.actor(Space.MR).GetVisibility()
    assert volume.isChecked()
    choose(qtbot, bar, "MR in 3D", "Hidden")
    scene.render_now()
    assert scene.volumes.shown() == []
    assert not volume.isChecked()
    assert scene.glands.actor(Space.US).GetVisibility()


def test_every_entry_of_the_menus_shows_the_state_and_changes_it(qtbot, qapp):
    from fusioninit.gui.scene_bar import SceneBar

    state = SceneState()
    bar = SceneBar(state)
    qtbot.addWidget(bar)
    bar.show()
    choose(qtbot, bar, "Slice planes in 3D", "Coronal slice")
    assert state.shows_plane(Orientation.CORONAL)
    choose(qtbot, bar, "Cut surfaces and volumes", "At the axial slice")
    assert state.cuts_at(Orientation.AXIAL)
    choose(qtbot, bar, "Cut surfaces and volumes", "Keep the other side")
    assert state.flag("other_side")
    choose(qtbot, bar, "Predicted error in 3D", "Shell that holds 95 % of errors")
    assert state.error is ErrorLook.SHELL
    choose(qtbot, bar, "Predicted error in 3D", "95 % regions of landmarks")
    assert state.flag("regions")
    state.set_body(Space.US, Body.OFF)
    state.set_flag("legend", on=False)
    assert bar.action("Legend").isChecked() is False
    ticked = {a.text() for a in bar.buttons["US in 3D"].menu().actions() if a.isChecked()}
    assert ticked == {"Hidden"}


def test_the_menus_are_reached_by_keys_alone(scene, qtbot):
    button = scene.place.bar.buttons["Slice planes in 3D"]
    button.setFocus(Qt.FocusReason.TabFocusReason)

    def tick_the_third():
        menu = QApplication.activePopupWidget()
        assert isinstance(menu, QMenu)
        for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Return):
            qtbot.keyClick(menu, key)

    QTimer.singleShot(30, tick_the_third)
    qtbot.keyClick(button, Qt.Key.Key_Space)
    assert scene.state.shows_plane(Orientation.CORONAL)


@pytest.mark.parametrize(("viewpoint", "side"), [(n, v[0]) for n, v in VIEWPOINTS.items()])
def test_standard_views_stand_where_they_say(scene, qtbot, viewpoint, side):
    choose(qtbot, scene.place.bar, "Look from", viewpoint)
    camera = scene.stage.camera
    away = np.subtract(camera.GetPosition(), camera.GetFocalPoint())
    expected = np.array(side) / np.linalg.norm(side)
    assert np.allclose(away / np.linalg.norm(away), expected, atol=1e-6)


def test_the_bar_fits_the_smallest_place_of_the_3d_view(scene):
    scene.window().resize(1400, 900)
    QApplication.processEvents()
    bar = scene.place.bar
    assert bar.sizeHint().width() <= bar.width()
    for button in bar.buttons.values():
        assert button.accessibleName()
        assert button.toolTip()
        assert bar.rect().contains(button.geometry())
        assert button.height() >= 24


def type_into_dialog(qtbot, path):
    def fill():
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, QFileDialog)
        field = dialog.findChild(QLineEdit)
        field.clear()
        qtbot.keyClicks(field, str(path))
        qtbot.keyClick(field, Qt.Key.Key_Return)

    QTimer.singleShot(400, fill)


def test_the_picture_is_saved_as_it_is_seen_with_png_as_its_ending(scene, qtbot, tmp_path):
    type_into_dialog(qtbot, tmp_path / "look")
    with qtbot.waitSignal(scene.place.told) as told:
        choose(qtbot, scene.place.bar, "More for the 3D view", "Save picture…")
    assert told.args == ["info", "Picture saved as look.png"]
    picture = QImage(str(tmp_path / "look.png"))
    ratio = scene.stage.widget.devicePixelRatioF()
    assert picture.width() == round(scene.stage.widget.width() * ratio)
    colours = {picture.pixel(x, y) for x in range(0, picture.width(), 7)
               for y in range(0, picture.height(), 7)}  # fmt: skip
    assert len(colours) > 50


def test_a_picture_that_cannot_be_written_is_said_to_be(scene, qtbot, tmp_path):
    folder = tmp_path / "taken.png"
    folder.mkdir()
    with pytest.raises(ValueError, match="cannot be written"):
        scene.save_picture(folder)


def test_us_and_mr_are_named_in_full_or_by_their_glyph_alone(scene):
    bar = scene.place.bar
    for width in (180, 267, 284, 285, 300, 600):
        bar.resize(width, bar.height())
        bar.layout().activate()
        for name in ("US", "MR"):
            button = bar.buttons[f"{name} in 3D"]
            is_named = button.toolButtonStyle() is Qt.ToolButtonStyle.ToolButtonTextBesideIcon
            room = button.width() - button.iconSize().width()
            assert not is_named or room >= button.fontMetrics().horizontalAdvance(name)
            assert is_named == (width >= 285)
