"""The bar above the views: layout, how US and MR are combined, colours, what is drawn over them."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QSlider,
    QToolButton,
    QWidget,
)

from fusioninit.geometry import Space
from fusioninit.gui.colour_maps import COLOUR_MAPS
from fusioninit.gui.glyphs import icon
from fusioninit.gui.theme import current_theme
from fusioninit.gui.view_grid import LAYOUTS
from fusioninit.gui.view_state import FusionMode, ViewState

FLICKER_MS = 600
_MODES = {
    FusionMode.BLEND: ("circle-opacity", "Blend: MR over US"),
    FusionMode.CHECKER: ("checkerboard", "Checkerboard of US and MR"),
    FusionMode.WIPE: ("compare", "Wipe: MR left of the divider, US right of it"),
    FusionMode.EDGES: ("image-filter-center-focus-weak", "Edges of the MR drawn over US"),
    FusionMode.FLICKER: ("swap-horizontal", "Flicker between US and MR"),
    FusionMode.US: ("alpha-u-circle-outline", "US only (Space changes to MR)"),
    FusionMode.MR: ("alpha-m-box-outline", "MR only, where the transform puts it"),
}
_FLAGS = {
    "contours": ("vector-polygon", "Gland outlines"),
    "names": ("label-outline", "Landmark names"),
    "regions": ("circle-double", "95 % regions of landmarks"),
    "crosshair": ("crosshairs", "Crosshair"),
    "auxiliary": ("dots-horizontal", "Auxiliary landmarks (points of the surface)"),
    "turning": ("rotate-3d-variant", "Turn planes by the handles of the crosshair (O)"),
    "second": ("rhombus-outline", "Second network's landmarks (S)"),
}

_COLOUR_NAMES = {Space.US: "Colour of US", Space.MR: "Colour of MR over US"}
_COLOUR_TIPS = {
    Space.US: "Colour of US, in slices and in 3D",
    Space.MR: "Colour of MR where it is blended over US, and in 3D",
}


class FusionBar(QFrame):
    """Shows and changes the view state; holds none of its own."""

    layout_chosen = Signal(str)

    def __init__(self, view_state: ViewState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("bar")
        self._view_state = view_state
        self.layouts = QComboBox()
        self.layouts.addItems(list(LAYOUTS))
        self.layouts.setAccessibleName("Layout")
        self.mix = QSlider(Qt.Orientation.Horizontal)
        self.mix.setRange(0, 100)
        self.mix.setFixedWidth(80)
        self.mix.setAccessibleName("Mix of US and MR")
        self.mix.setToolTip("Opacity of MR; place of the divider when wiping")
        self.colours = {space: self._colour_box(space) for space in (Space.US, Space.MR)}
        self.modes, self._mode_group = self._make_modes()
        self.flags = {name: self._flag_button(name) for name in _FLAGS}
        self._flicker = QTimer(self, interval=FLICKER_MS)
        self._flicker.timeout.connect(view_state.flick)
        self._arrange()
        self._show()
        self.layouts.textActivated.connect(self.layout_chosen)
        self.mix.valueChanged.connect(lambda value: view_state.set_mix(value / 100))
        view_state.fusion_changed.connect(self._show)

    def _arrange(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 3, 8, 3)
        row.setSpacing(4)
        row.addWidget(self.layouts)
        row.addSpacing(10)
        for button in self.modes.values():
            row.addWidget(button)
        row.addSpacing(10)
        self._ends = [QLabel("US"), QLabel("MR")]
        self.renew_colours()
        row.addWidget(self._ends[0])
        row.addWidget(self.colours[Space.US])
        row.addWidget(self.mix)
        row.addWidget(self._ends[1])
        row.addWidget(self.colours[Space.MR])
        row.addStretch(1)
        for button in self.flags.values():
            row.addWidget(button)

    def _colour_box(self, space: Space) -> QComboBox:
        box = QComboBox()
        box.addItems(list(COLOUR_MAPS))
        box.setAccessibleName(_COLOUR_NAMES[space])
        box.setToolTip(_COLOUR_TIPS[space])
        box.textActivated.connect(lambda name: self._view_state.set_colour_map(space, name))
        return box

    def renew_colours(self) -> None:
        """US and MR in the theme's colours for them."""
        theme = current_theme()
        for label, colour in zip(self._ends, (theme.us, theme.mr), strict=True):
            label.setStyleSheet(f"color: {colour}; font-weight: 600;")

    def _make_modes(self) -> tuple[dict[FusionMode, QToolButton], QButtonGroup]:
        group = QButtonGroup(self)
        buttons = {}
        for mode, (picture, tip) in _MODES.items():
            button = QToolButton()
            button.setIcon(icon(picture))
            button.setCheckable(True)
            button.setToolTip(tip)
            button.setAccessibleName(mode.value)
            if mode is FusionMode.BLEND:
                button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
            button.clicked.connect(lambda _on, mode=mode: self._view_state.set_mode(mode))
            group.addButton(button)
            buttons[mode] = button
        return buttons, group

    def _flag_button(self, name: str) -> QToolButton:
        picture, tip = _FLAGS[name]
        button = QToolButton()
        button.setIcon(icon(picture))
        button.setCheckable(True)
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        button.toggled.connect(lambda on, name=name: self._view_state.set_flag(name, shown=on))
        return button

    def _show(self) -> None:
        state = self._view_state
        self.modes[state.mode].setChecked(True)
        self.mix.setEnabled(state.mode in (FusionMode.BLEND, FusionMode.WIPE))
        with QSignalBlocker(self.mix):
            self.mix.setValue(round(state.mix * 100))
        for space, box in self.colours.items():
            box.setCurrentText(state.colour_map(space))
        self.colours[Space.MR].setEnabled(state.mode is FusionMode.BLEND)
        for name, button in self.flags.items():
            button.setChecked(state.flag(name))
        flickering = state.mode is FusionMode.FLICKER
        if flickering and not self._flicker.isActive():
            self._flicker.start()
        elif not flickering:
            self._flicker.stop()

    def show_layout(self, name: str) -> None:
        """The layout was changed elsewhere."""
        self.layouts.setCurrentText(name)
