"""The few dialogs: preferences, keys and gestures, about."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from fusioninit.gui.preferences import DEVICES, Preferences
from fusioninit.gui.slice_mouse import GESTURES
from fusioninit.gui.theme import THEMES, apply_theme

_RIGHT_DRAG = {"Clinical": "Right-drag", "Slicer": "Ctrl + drag"}
_ZOOM_DRAG = {"Clinical": "Ctrl + drag", "Slicer": "Right-drag"}


class PreferencesDialog(QDialog):
    """Changes take effect at once, so that they can be judged."""

    def __init__(self, preferences: Preferences, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Preferences")
        self._preferences = preferences
        self.theme = QComboBox()
        self.theme.addItems(list(THEMES))
        self.theme.setCurrentText(preferences.theme)
        self.gestures = QComboBox()
        self.gestures.addItems(list(GESTURES))
        self.gestures.setCurrentText(preferences.gestures)
        self.nudge = QDoubleSpinBox()
        self.nudge.setRange(0.1, 5.0)
        self.nudge.setSingleStep(0.1)
        self.nudge.setSuffix(" mm")
        self.nudge.setValue(preferences.nudge_mm)
        self.nudge.setDisabled(preferences.nudges_by_voxel)
        self.nudge_unit = QComboBox()
        self.nudge_unit.addItem("millimetres", "mm")
        self.nudge_unit.addItem("one voxel", "voxel")
        self.nudge_unit.setCurrentIndex(int(preferences.nudges_by_voxel))
        self.detects = QCheckBox("Find landmarks as soon as a volume is open")
        self.detects.setChecked(preferences.detects_on_open)
        self.device = QComboBox()
        self.device.addItems(list(DEVICES))
        self.device.setCurrentText(preferences.device)
        self.device.setToolTip("Where the networks run, from the next detection on")
        self.theme.setAccessibleName("Theme")
        self.gestures.setAccessibleName("Mouse gestures")
        self.nudge.setAccessibleName("Arrow keys move by, in mm")
        self.nudge_unit.setAccessibleName("Arrow keys move by")
        self.device.setAccessibleName("Networks run on")
        form = QFormLayout(self)
        form.setContentsMargins(18, 16, 18, 14)
        form.setSpacing(10)
        form.addRow("Theme", self.theme)
        form.addRow("Mouse", self.gestures)
        step = QHBoxLayout()
        step.addWidget(self.nudge_unit, 1)
        step.addWidget(self.nudge)
        form.addRow("Arrow keys move by", step)
        form.addRow("Networks run on", self.device)
        form.addRow("", self.detects)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        form.addRow(buttons)
        buttons.rejected.connect(self.reject)
        self.theme.textActivated.connect(self._set_theme)
        self.gestures.textActivated.connect(lambda name: preferences.set_value("gestures", name))
        self.device.textActivated.connect(lambda name: preferences.set_value("device", name))
        self.nudge.valueChanged.connect(lambda value: preferences.set_value("nudge_mm", value))
        self.nudge_unit.currentIndexChanged.connect(self._set_nudge_unit)
        self.detects.toggled.connect(
            lambda on: preferences.set_value("detects_on_open", "true" if on else "false")
        )

    def _set_nudge_unit(self, index: int) -> None:
        self._preferences.set_value("nudge_unit", self.nudge_unit.itemData(index))
        self.nudge.setDisabled(self._preferences.nudges_by_voxel)

    def _set_theme(self, name: str) -> None:
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        apply_theme(application, THEMES[name])
        self._preferences.set_value("theme", name)


class ShortcutsSheet(QDialog):
    """Every key and gesture on one page."""

    def __init__(self, gestures: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keyboard and mouse")
        sides = QHBoxLayout(self)
        sides.setContentsMargins(20, 16, 20, 16)
        sides.setSpacing(26)
        left = [("Mouse in slices", _gesture_rows(gestures)), ("Views", _VIEW_ROWS)]
        for blocks in (left, _KEY_BLOCKS):
            grid = QGridLayout()
            grid.setHorizontalSpacing(12)
            grid.setVerticalSpacing(5)
            for title, lines in blocks:
                _add_block(grid, title, lines)
            grid.setRowStretch(grid.rowCount(), 1)
            sides.addLayout(grid)


def _add_block(grid: QGridLayout, title: str, lines: list[tuple[str, str]]) -> None:
    """A heading and its lines, below what is there."""
    row = grid.rowCount()
    heading = QLabel(title.upper())
    heading.setObjectName("heading")
    heading.setContentsMargins(0, 8 if row > 1 else 0, 0, 0)
    grid.addWidget(heading, row, 0, 1, 2)
    for at, (keys, what) in enumerate(lines, start=row + 1):
        name = QLabel(keys)
        name.setStyleSheet("font-weight: 600;")
        grid.addWidget(name, at, 0)
        grid.addWidget(QLabel(what), at, 1)


class AboutBox(QDialog):
    """What this program is, what it is not, and on whose work it stands."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        from fusioninit import __version__

        self.setWindowTitle("About fusioninit")
        text = QLabel(
            f"<h2>fusioninit {__version__}</h2>"
            "<p>Landmark-based rigid initialisation of MR and ultrasound fusion<br>"
            "for prostate biopsy planning.</p>"
            "<p><b>Research use only. Not a medical device.</b><br>"
            "A small residual at the landmarks is no small error at the target.</p>"
            "<p>Method: Fang, Delingette, Ayache, ASMUS 2023.<br>"
            "Built on Qt, VTK, PyTorch, SimpleITK, pydicom and highdicom.</p>"
        )
        text.setTextFormat(Qt.TextFormat.RichText)
        column = QVBoxLayout(self)
        column.setContentsMargins(26, 18, 26, 16)
        column.addWidget(text)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        column.addWidget(buttons)


def _gesture_rows(gestures: str) -> list[tuple[str, str]]:
    return [
        ("Drag a landmark", "move it on the slice shown"),
        ("Esc while dragging", "back to where it was"),
        ("Click, drag", "crosshair"),
        ("Shift + move", "crosshair follows the pointer"),
        ("Drag a handle (O)", "turn the other two planes (Shift: by 5°)"),
        ("Wheel", "through the slices"),
        ("Ctrl + wheel", "zoom about the pointer"),
        ("Middle or Shift + drag", "pan"),
        (_RIGHT_DRAG[gestures], "window and level (Alt: of MR over US)"),
        (_ZOOM_DRAG[gestures], "zoom"),
        ("Right click", "place a landmark here"),
        ("Double click", "this view alone, and back"),
    ]


_VIEW_ROWS = [
    ("Page up, down", "through the slices"),
    ("Ctrl + arrows", "move the crosshair"),
    ("O, Shift+O", "handles to turn planes by, level planes"),
    ("Alt + left, right", "turn the other two planes by 1° (Shift: 5°)"),
    ("Space", "MR and US in turn"),
    ("B  K  W  E  F", "blend, checkerboard, wipe, edges, flicker"),
    ("M", "the focused view alone, and back"),
    ("Ctrl++, Ctrl+−", "zoom"),
    ("R", "reset views"),
    ("F2 … F7", "layouts"),
]
_KEY_BLOCKS = [
    ("Landmarks", [
        ("1  2  3", "go to apex, bladder neck, posterior median"),
        ("Arrows", "nudge the chosen one (Shift: five times)"),
        ("C", "confirm it"),
        ("L", "lock or unlock it"),
        ("P", "place it at the crosshair"),
        ("V", "put it back where it was predicted"),
        ("D", "detect it again"),
        ("S", "show the second network's positions"),
        ("U, Shift+U", "use its position for the chosen one, for all"),
        ("Del", "delete it"),
        ("Ctrl+D", "detect all"),
    ]),
    ("Targets and decision", [
        ("T", "add a target at the crosshair"),
        ("Ctrl+T", "load targets from a file"),
        ("G, N, Shift+N", "review tour, its next stop, the one before"),
        ("Ctrl+Return", "decide: initials, then Return accepts"),
    ]),
    ("Window", [
        ("Ctrl+Z, Ctrl+Shift+Z", "undo, redo"),
        ("F9", "hide or show the side panel"),
        ("Ctrl+1, 2, 3", "its pages: landmarks, targets, needle plan"),
        ("Tab", "on to the next view or control"),
        ("Return", "press a button"),
        ("F2 in a list", "change a name"),
    ]),
]  # fmt: skip
