"""The menu of a right click in a slice: place a landmark, window the image, turn planes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu

from fusioninit.geometry import Space
from fusioninit.gui.theme import SPACE_NAME
from fusioninit.gui.window_presets import WINDOW_PRESETS
from fusioninit.landmarks import LABELS, REQUIRED_NAMES

if TYPE_CHECKING:
    from fusioninit.gui.main_window import MainWindow


class ViewMenu(QMenu):
    """Made for one click, at `position_mm` ((3,) LPS mm of `space`); gone once it is closed."""

    def __init__(self, window: MainWindow, space: Space, position_mm: NDArray[np.float64]) -> None:
        super().__init__(window)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for name in REQUIRED_NAMES:
            action = self.addAction(f"Place {LABELS[name].lower()} here ({SPACE_NAME[space]})")
            action.triggered.connect(
                lambda _on=False, name=name: window.place_landmark(space, name, position_mm)
            )
        self.addSeparator()
        for preset in WINDOW_PRESETS:
            action = self.addAction(f"Window of {SPACE_NAME[space]}: {preset}")
            action.triggered.connect(
                lambda _on=False, preset=preset: window.views.set_window_preset(space, preset)
            )
        self.addSeparator()
        for name in ("turning", "level", "reset"):
            self.addAction(window.actions_by_name[name])
