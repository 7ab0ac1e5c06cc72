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
        self.detects = QCheckBox("Find landmarks as soon as a volume is open")
        self.detects.setChecked(preferences.detects_on_open)
        self.device = QComboBox()
        self.device.addItems(list(DEVICES))
        self.device.setCurrentText(preferences.device)
        self.device.setToolTip("Where the networks run, from the next detection on")
        self.theme.setAccessibleName("Theme")
        self.gestures.setAccessibleName("Mouse gestures")
        self.nudge.setAccessibleName("Arrow keys move by")
        self.device.setAccessibleName("Networks run on")
        form = QFormLayout(self)
        form.setContentsMargins(18, 16, 18, 14)
        form.setSpacing(10)
        form.addRow("Theme", self.theme)
        form.addRow("Mouse", self.gestures)
        form.addRow("Arrow keys move by", self.nudge)
        form.addRow("Networks run on", self.device)
        form.addRow("", self.detects)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        form.addRow(buttons)
        buttons.rejected.connect(self.reject)
        self.theme.textActivated.connect(self._set_theme)
        self.gestures.textActivated.connect(lambda name: preferences.set_value("gestures", name))
        self.device.textActivated.connect(lambda name: preferences.set_value("device", name))
        self.nudge.valueChanged.connect(lambda value: preferences.set_value("nudge_mm", value))
        self.detects.toggled.connect(
            lambda on: preferences.set_value("detects_on_open", "true" if on else "false")
        )

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
        grid = QGridLayout(self)
        grid.setContentsMargins(22, 18, 22, 18)
        grid.setHorizontalSpacing(18)
        grid.setVerticalSpacing(5)
        grid.setColumnMinimumWidth(2, 20)
        rows = _gesture_rows(gestures)
        for column, title, lines in ((0, "Mouse in slices", rows), (3, "Keys", _KEY_ROWS)):
            heading = QLabel(title.upper())
            heading.setObjectName("heading")
            grid.addWidget(heading, 0, column, 1, 2)
            for row, (keys, what) in enumerate(lines, start=1):
                name = QLabel(keys)
                name.setStyleSheet("font-weight: 600;")
                grid.addWidget(name, row, column)
                grid.addWidget(QLabel(what), row, column + 1)


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
        ("Wheel", "through the slices"),
        ("Ctrl + wheel", "zoom about the pointer"),
        ("Middle or Shift + drag", "pan"),
        (_RIGHT_DRAG[gestures], "window and level (Alt: of MR over US)"),
        (_ZOOM_DRAG[gestures], "zoom"),
        ("Right click", "place a landmark here"),
        ("Double click", "this view alone, and back"),
    ]


_KEY_ROWS = [
    ("1  2  3", "go to apex, bladder neck, posterior median"),
    ("Arrows", "nudge the chosen landmark (Shift: five times as far)"),
    ("Page up, down", "through the slices"),
    ("C", "confirm the chosen landmark"),
    ("P", "place it at the crosshair"),
    ("Del", "delete it"),
    ("T", "add a target at the crosshair"),
    ("D", "detect the chosen landmark again"),
    ("S", "show the second network's landmarks"),
    ("U, Shift+U", "use its position for the chosen landmark, for all"),
    ("Ctrl+T", "load targets from a file"),
    ("G, N, Shift+N", "review tour, its next stop, the one before"),
    ("Ctrl+Return", "decide: initials, then Return accepts"),
    ("Space", "MR and US in turn"),
    ("B  K  W  F", "blend, checkerboard, wipe, flicker"),
    ("R", "reset views"),
    ("Ctrl+Z, Ctrl+Shift+Z", "undo, redo"),
    ("F2 … F7", "layouts"),
]
