"""A picture in 3D waits for a library that the system loads, and never blocks on it."""

import pytest

from fusioninit.gui.loader import LOADER, unless_loading


def test_nothing_is_drawn_while_a_library_is_loaded():
    drawn = []
    with LOADER:
        assert not unless_loading(lambda: drawn.append(1))
    assert drawn == []


def test_the_loader_is_held_for_one_picture_and_given_back_even_after_an_error():
    assert unless_loading(lambda: None if LOADER.locked() else pytest.fail("not held"))
    with pytest.raises(ValueError, match="damaged"):
        unless_loading(lambda: (_ for _ in ()).throw(ValueError("damaged")).__next__())
    assert not LOADER.locked()


@pytest.mark.gl
def test_a_picture_put_off_by_a_loading_library_is_drawn_afterwards(scene, qtbot, monkeypatch):
    drawn = []
    monkeypatch.setattr(scene, "_draw", lambda: drawn.append(1))
    with LOADER:
        scene.render_now()
    assert drawn == []
    qtbot.waitUntil(lambda: drawn != [])
