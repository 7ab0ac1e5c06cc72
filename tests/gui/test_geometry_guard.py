"""A volume whose file states no geometry: the window asks, and opens it as the person says."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from fusioninit.errors import VoxelSizeNeededError
from fusioninit.geometry import Grid, Space
from fusioninit.gui.geometry_dialog import PlanePreview
from fusioninit.imaging import Volume, VolumeSource
from fusioninit.imaging.doubts import (
    NO_SPACING,
    no_directions,
    no_spacing,
    sentences_of,
    unstated_of,
)
from fusioninit.imaging.stated_geometry import StatedGeometry
from fusioninit.state.case_file import case_record

DOUBTS = (no_directions(), no_spacing())


def bare_volume(path, space=Space.US):
    voxels = (
        np.random.default_rng(len(path.name) if path else 3)
        .integers(0, 255, (20, 30, 40))
        .astype(np.uint8)
    )
    source = VolumeSource(path=path, warnings=sentences_of(DOUBTS), unstated=unstated_of(DOUBTS))
    return Volume(voxels, Grid.centred(voxels.shape, 1.0), space, source)


def read_bare(path, *, space, series_uid=None, cancelled=None, stated=None):
    volume = bare_volume(path, space)
    return volume if stated is None else volume.with_stated_geometry(stated)


@pytest.fixture
def window(make_window, tmp_path, qtbot):
    window = make_window(read=read_bare)
    window.preferences.set_value("detects_on_open", "false")
    window.show()
    return window


def choose(box, letter):
    box.setCurrentIndex(box.findData(letter))


def test_the_window_asks_and_opens_the_file_again_as_stated(window, tmp_path):
    window.opening.open_volumes({Space.US: tmp_path / "us.nii"})
    dialog = window.geometry_guard.dialog
    assert dialog.isVisible()
    for axis, letter in enumerate("RIA"):
        choose(dialog.directions[axis], letter)
        dialog.sizes[axis].setValue(0.4 + 0.1 * axis)
    assert dialog.previews[0].edges == ("L", "R", "S", "I")
    QTest.mouseClick(dialog.use, Qt.MouseButton.LeftButton)
    us = window.session.case.us
    assert us.source.stated == StatedGeometry((0.4, 0.5, 0.6), "RIA")
    np.testing.assert_allclose(us.grid.direction[:, 1], [0, 0, -1])
    np.testing.assert_allclose(us.grid.spacing_mm, [0.4, 0.5, 0.6])
    assert not us.lacks_geometry
    assert window.geometry_guard.dialog is None
    assert case_record(window.session.case)["images"]["us"]["stated"]["orientation"] == "RIA"


def test_two_axes_along_one_line_cannot_be_used(window, tmp_path):
    window.opening.open_volumes({Space.US: tmp_path / "us.nii"})
    dialog = window.geometry_guard.dialog
    choose(dialog.directions[0], "S")
    assert not dialog.use.isEnabled()
    assert "same line" in dialog.remark.text()
    choose(dialog.directions[2], "L")
    assert dialog.use.isEnabled()
    assert "left-handed" in dialog.remark.text()


def test_left_as_it_is_nothing_changes_and_the_warnings_stay(window, tmp_path):
    window.opening.open_volumes({Space.US: tmp_path / "us.nii"})
    before = window.session.case.us
    QTest.keyClick(window.geometry_guard.dialog, Qt.Key.Key_Escape)
    assert window.session.case.us is before
    assert window.geometry_guard.dialog is None
    assert any(NO_SPACING in text for text in window.messages.texts)


def test_two_volumes_are_asked_about_one_after_the_other(window, tmp_path):
    window.opening.open_volumes({Space.US: tmp_path / "us.nii", Space.MR: tmp_path / "the mr.nii"})
    guard = window.geometry_guard
    first = guard.dialog.windowTitle()
    QTest.mouseClick(guard.dialog.use, Qt.MouseButton.LeftButton)
    assert guard.dialog is not None
    assert guard.dialog.windowTitle() != first
    QTest.mouseClick(guard.dialog.use, Qt.MouseButton.LeftButton)
    case = window.session.case
    assert not case.us.lacks_geometry
    assert not case.mr.lacks_geometry
    assert guard.dialog is None


def test_a_file_refused_for_want_of_a_voxel_size_can_be_stated(make_window, tmp_path, qtbot):
    def read(path, *, space, series_uid=None, cancelled=None, stated=None):
        if stated is None:
            raise VoxelSizeNeededError("us.dcm states two voxel sizes; choose one")
        return read_bare(path, space=space, stated=stated)

    window = make_window(read=read)
    window.preferences.set_value("detects_on_open", "false")
    window.show()
    window.opening.open_volumes({Space.US: tmp_path / "us.dcm"})
    assert window.session.case.us is None
    assert window.messages.answer.isVisible()
    QTest.mouseClick(window.messages.answer, Qt.MouseButton.LeftButton)
    dialog = window.geometry_guard.dialog
    assert dialog.previews == []
    dialog.sizes[2].setValue(0.7)
    QTest.mouseClick(dialog.use, Qt.MouseButton.LeftButton)
    assert window.session.case.us.grid.spacing_mm[2] == pytest.approx(0.7)


def test_of_two_files_a_refused_one_is_said_and_neither_is_opened(make_window, tmp_path, qtbot):
    def read(path, *, space, series_uid=None, cancelled=None, stated=None):
        if space is Space.US:
            raise VoxelSizeNeededError("us.dcm states no complete voxel size")
        return read_bare(path, space=space)

    window = make_window(read=read)
    window.show()
    window.opening.open_volumes({Space.MR: tmp_path / "mr.nii", Space.US: tmp_path / "us.dcm"})
    assert window.session.case.mr is None
    assert "us.dcm states no complete voxel size" in window.messages.texts
    assert not window.messages.answer.isVisible()


def test_a_volume_that_came_from_no_file_is_not_asked_about(window):
    window.session.open_case(window.session.case.with_volume(bare_volume(None)))
    window.actions_by_name["place_us"].trigger()
    assert window.geometry_guard.dialog is None


def test_the_menu_asks_about_an_open_volume_too(window, tmp_path):
    stated = bare_volume(tmp_path / "us.nii").with_stated_geometry(StatedGeometry(None, "LIP"))
    window.session.open_case(window.session.case.with_volume(stated))
    window.actions_by_name["place_us"].trigger()
    assert window.geometry_guard.dialog.isVisible()
    # a question about a case that is no longer open goes with it
    window.session.open_case(window.session.case.with_volume(stated.with_source(path=None)))
    assert window.geometry_guard.dialog is None


def test_previews_show_the_stored_planes_in_true_proportions(qapp, tmp_path):
    voxels = np.zeros((3, 4, 5), np.uint8)
    voxels[1, :, 0], voxels[:, 2, 4] = 200, 100
    volume = Volume(voxels, Grid.centred(voxels.shape, (1.0, 2.0, 4.0)), Space.US)
    front = PlanePreview(volume, 0, 1)
    assert front._image.pixelColor(0, 3).red() > front._image.pixelColor(2, 3).red()
    side = PlanePreview(volume, 0, 2)
    assert side._image.pixelColor(4, 0).red() > side._image.pixelColor(0, 0).red()
    place = front._place()
    assert place.width() / place.height() == pytest.approx(5 * 1.0 / (4 * 2.0))
