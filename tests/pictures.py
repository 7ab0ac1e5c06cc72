"""Takes the README's pictures of the window anew, on the demo pair with the bundled networks.

xvfb-run -a -s "-screen 0 1600x1000x24 +extension GLX" .venv/bin/python -m tests.pictures
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from PySide6.QtGui import QImage

from fusioninit.app.window import make_application, make_window
from fusioninit.geometry import Orientation, Space
from fusioninit.gui.main_window import MainWindow
from fusioninit.gui.preferences import Preferences
from fusioninit.gui.scene_state import ErrorLook
from fusioninit.gui.slice_cores import CORE_COLOUR
from fusioninit.gui.slice_targets import TARGET_COLOUR
from fusioninit.gui.theme import SPACE_COLOUR
from fusioninit.state import Target
from tests.waiting import rest, wait_until

ASSETS = Path(__file__).resolve().parents[1] / "assets"
SIZE = (1400, 900)
MARKS = (*SPACE_COLOUR.values(), *CORE_COLOUR.values(), TARGET_COLOUR)
"""Colours of small marks, which a palette made from areas would lose."""


class Photographer:
    """Waits until the window shows what it is to show, and keeps the picture."""

    def __init__(self, folder: Path) -> None:
        self.application = make_application()
        self.window: MainWindow = make_window(Preferences(folder / "s.ini"), journals=folder / "j")
        self.window.resize(*SIZE)
        self.window.move(0, 0)
        self.window.show()

    def take(self, name: str) -> None:
        rest(2.0)
        scene = self.window.scene_place.scene
        if scene is None:
            raise SystemExit("no OpenGL here: the pictures show the 3D view")
        if scene.isVisible():
            scene.render_now()
            rest(3.0)
        shot = self.window.screen().grabWindow(0, 0, 0, *SIZE).toImage()
        image = shot.convertToFormat(QImage.Format.Format_RGB888)
        rows = bytes(image.constBits())
        picture = Image.frombytes("RGB", SIZE, rows, "raw", "RGB", image.bytesPerLine())
        path = ASSETS / f"window-{name}.png"
        with_palette(picture).save(path, optimize=True)
        sys.stdout.write(f"{path.name}: {path.stat().st_size // 1000} kB\n")


def with_palette(picture: Image.Image) -> Image.Image:
    """The picture in 256 colours, which keeps it under 400 kB."""
    marks = [part for colour in MARKS for part in (colour.red(), colour.green(), colour.blue())]
    common = picture.quantize(256 - len(MARKS)).getpalette() or []
    palette = Image.new("P", (1, 1))
    palette.putpalette(marks + common[: 768 - len(marks)])
    return picture.quantize(palette=palette, dither=Image.Dither.NONE)


def main() -> None:
    """Open the demo, and take each picture in turn."""
    with tempfile.TemporaryDirectory() as folder:
        camera = Photographer(Path(folder))
        window, session = camera.window, camera.window.session
        wait_until(lambda: window.scene_place.scene is not None)
        window.open_demo()
        wait_until(lambda: session.case.us_from_mr is not None)
        wait_until(lambda: not window.progress.isVisible())
        window.messages.dismiss_all()
        window.views.jump_to("posterior_median")
        camera.take("review")
        session.set_targets(suspicious_spots(window))
        window.cores.plan_systematic()
        window.cores.plan_targeted()
        window.tour.begin()
        window.tour.step(3)
        camera.take("tour")
        window.tour.end()
        window.show_layout("3D")
        window.show_page(1)
        window.targets.table.choose(0)
        state = window.scene_place.scene.state
        state.set_error(ErrorLook.COLOURS)
        for orientation in (Orientation.AXIAL, Orientation.CORONAL):
            state.set_plane(orientation, shown=False)
        camera.take("3d")
        window.close()


def suspicious_spots(window: MainWindow) -> tuple[Target, ...]:
    """Two places in the MR's peripheral zone, as a radiologist might mark them."""
    gland = window.session.case.gland(Space.MR)
    if gland is None:
        raise SystemExit("the network has found no gland")
    center = gland.grid.to_world(np.argwhere(gland.voxels).mean(axis=0)[::-1])
    return (
        Target("Left apex", center + [10.0, 8.0, -9.0], 4.0),
        Target("Right mid", center + [-12.0, 9.0, 2.0], 5.0),
    )


if __name__ == "__main__":
    main()
