"""Colours and looks: a dark and a light theme on Qt's Fusion style, and the pair for US and MR.

US is blue and round, MR is orange and square (Okabe and Ito's colour-blind-safe pair, lightened
for dark ground), so that neither colour nor shape alone has to be told apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory

from fusioninit.geometry import Space

SPACE_COLOUR: dict[Space, QColor] = {Space.US: QColor("#56b9f2"), Space.MR: QColor("#f5a13a")}
SPACE_NAME: dict[Space, str] = {Space.US: "US", Space.MR: "MR"}


@dataclass(frozen=True)
class Theme:
    """The colours of one look, as #rrggbb."""

    name: str
    window: str
    panel: str
    raised: str
    line: str
    text: str
    faint: str
    accent: str
    on_accent: str
    us: str
    mr: str
    focus: str
    good: str = "#4fc08d"
    warn: str = "#e8b339"
    bad: str = "#ef6a6a"

    def space(self, space: Space) -> str:
        """Text colour of a space, readable on this theme's panels."""
        return self.us if space is Space.US else self.mr


DARK = Theme(
    name="Dark", window="#14171b", panel="#1b1f25", raised="#262c34", line="#343c46",
    text="#e4e8ec", faint="#97a3b0", accent="#3d8fd1", on_accent="#ffffff",
    us="#6cc3f5", mr="#f7ac50", focus="#8fd0ff",
)  # fmt: skip

LIGHT = Theme(
    name="Light", window="#eceff2", panel="#ffffff", raised="#e3e8ed", line="#c5cdd6",
    text="#1c2329", faint="#5a6772", accent="#1f6fb0", on_accent="#ffffff",
    us="#0a6aa8", mr="#a85a00", focus="#004f8a", good="#1c7d50", warn="#8a6100", bad="#b3261e",
)  # fmt: skip

THEMES: dict[str, Theme] = {theme.name: theme for theme in (DARK, LIGHT)}


def apply_theme(application: QApplication, theme: Theme) -> None:
    """Give the whole application the look of `theme`."""
    application.setStyle(QStyleFactory.create("Fusion"))
    application.setPalette(_palette(theme))
    font = QFont(application.font())
    font.setPointSizeF(9.5)
    application.setFont(font)
    application.setProperty("fusioninit_theme", theme.name)
    application.setStyleSheet(_style_sheet(theme))


def current_theme() -> Theme:
    """The theme last applied."""
    application = QApplication.instance()
    name = application.property("fusioninit_theme") if application is not None else None
    return THEMES.get(str(name), DARK)


def _palette(theme: Theme) -> QPalette:
    palette = QPalette()
    role = QPalette.ColorRole
    for which, colour in (
        (role.Window, theme.window),
        (role.WindowText, theme.text),
        (role.Base, theme.panel),
        (role.AlternateBase, theme.raised),
        (role.Text, theme.text),
        (role.Button, theme.raised),
        (role.ButtonText, theme.text),
        (role.ToolTipBase, theme.raised),
        (role.ToolTipText, theme.text),
        (role.PlaceholderText, theme.faint),
        (role.Highlight, theme.accent),
        (role.HighlightedText, theme.on_accent),
        (role.Link, theme.accent),
        (role.Mid, theme.line),
    ):
        palette.setColor(which, QColor(colour))
        if which in (role.WindowText, role.Text, role.ButtonText):
            faded = QColor(colour)
            faded.setAlpha(95)
            palette.setColor(QPalette.ColorGroup.Disabled, which, faded)
    return palette


def _style_sheet(theme: Theme) -> str:
    values = {name: getattr(theme, name) for name in theme.__dataclass_fields__}
    sheet = _SHEET.replace("@pictures;", Path(__file__).parent.as_posix())
    for name, value in values.items():
        sheet = sheet.replace(f"@{name};", f"{value};")
    return sheet


_SHEET = """
QMainWindow, QDialog { background: @window; }
QToolBar { background: @panel; border: 0; border-bottom: 1px solid @line; spacing: 2px;
  padding: 3px 6px; }
QToolBar::separator { background: @line; width: 1px; margin: 5px 6px; }
QToolButton { border: 1px solid transparent; border-radius: 5px; padding: 4px 8px; color: @text; }
QToolButton:hover { background: @raised; }
QToolButton:pressed, QToolButton:checked { background: @accent; color: @on_accent; }
QToolButton:disabled { color: @line; }
QPushButton { background: @raised; border: 1px solid @line; border-radius: 5px; padding: 4px 7px;
  color: @text; min-height: 18px; }
QPushButton:hover { border-color: @accent; }
QPushButton:pressed { background: @line; }
QPushButton:disabled { color: @faint; background: @panel; border-color: @raised; }
QPushButton:default { background: @accent; color: @on_accent; border-color: @accent; }
QPushButton[role="good"]:enabled { background: @good; color: #08130d; border-color: @good; }
QDialogButtonBox, QMessageBox { dialogbuttonbox-buttons-have-icons: 0; }
QComboBox { background: @raised; border: 1px solid @line; border-radius: 5px; padding: 3px 8px;
  min-height: 18px; }
QComboBox:hover { border-color: @accent; }
QComboBox::drop-down { border: 0; width: 20px; }
QComboBox::down-arrow { image: url("@pictures;/chevron-down.svg"); width: 12px; height: 12px; }
QAbstractSpinBox { padding-right: 18px; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button { border: 0; width: 18px;
  background: transparent; }
QAbstractSpinBox::up-arrow { image: url("@pictures;/chevron-up.svg"); width: 10px; height: 10px; }
QAbstractSpinBox::down-arrow { image: url("@pictures;/chevron-down.svg"); width: 10px;
  height: 10px; }
QComboBox QAbstractItemView { background: @panel; border: 1px solid @line; outline: 0; }
QLineEdit, QPlainTextEdit, QSpinBox, QDoubleSpinBox { background: @panel;
  border: 1px solid @line; border-radius: 5px; padding: 3px 6px; }
QLineEdit:focus, QPlainTextEdit:focus, QComboBox:focus, QPushButton:focus, QToolButton:focus,
QAbstractSpinBox:focus, QTableView:focus, QTextBrowser:focus { border-color: @focus; }
QCheckBox:focus { color: @focus; }
QCheckBox::indicator { width: 14px; height: 14px; border: 1px solid @faint; border-radius: 4px;
  background: @panel; }
QCheckBox::indicator:focus { border-color: @focus; }
QCheckBox::indicator:checked { background: @accent; border-color: @accent;
  image: url("@pictures;/check.svg"); }
QComboBox:disabled, QAbstractSpinBox:disabled { color: @faint; background: @panel; }
QMenuBar { background: @panel; padding: 1px 4px; }
QMenuBar::item { padding: 4px 9px; border-radius: 4px; background: transparent; }
QMenuBar::item:selected { background: @raised; }
QMenu { background: @panel; border: 1px solid @line; padding: 4px; }
QMenu::item { padding: 5px 26px 5px 24px; border-radius: 4px; }
QMenu::item:selected { background: @accent; color: @on_accent; }
QMenu::item:disabled { color: @faint; }
QMenu::separator { height: 1px; background: @line; margin: 4px 8px; }
QStatusBar { background: @panel; border-top: 1px solid @line; }
QStatusBar::item { border: 0; }
QToolTip { background: @raised; color: @text; border: 1px solid @line; padding: 4px; }
QTableView { background: @panel; border: 1px solid @line; border-radius: 6px;
  gridline-color: @raised;
  selection-background-color: @raised; selection-color: @text; outline: 0; }
QHeaderView::section { background: @panel; color: @faint; border: 0;
  border-bottom: 1px solid @line; padding: 4px 5px; }
QTabWidget::pane { border: 0; border-top: 1px solid @line; }
QTabBar { outline: 0; }
QTabBar::tab { background: transparent; color: @faint; padding: 7px 14px; border: 0;
  border-bottom: 2px solid transparent; }
QTabBar::tab:selected { color: @text; border-bottom: 2px solid @accent; }
QTabBar::tab:hover { color: @text; }
QTabBar::tab:focus { color: @focus; background: @raised; border-bottom: 2px solid @focus; }
QScrollArea { border: 1px solid transparent; background: transparent; }
QScrollArea:focus { border-color: @focus; }
QScrollBar:vertical { background: transparent; width: 10px; margin: 0; }
QScrollBar::handle:vertical { background: @line; border-radius: 4px; min-height: 24px;
  margin: 1px; }
QScrollBar::add-line, QScrollBar::sub-line { height: 0; width: 0; }
QProgressBar { background: @raised; border: 0; border-radius: 4px; height: 8px;
  text-align: center; }
QProgressBar::chunk { background: @accent; border-radius: 4px; }
QSlider::groove:horizontal { height: 4px; background: @line; border-radius: 2px; }
QSlider::handle:horizontal { background: @text; width: 14px; height: 14px; margin: -5px 0;
  border-radius: 7px; }
QSlider::handle:horizontal:hover { background: @accent; }
QSlider::handle:horizontal:focus { background: @focus; }
QSlider::handle:horizontal:disabled { background: @line; }
QSplitter::handle { background: @window; }
QSplitter::handle:hover { background: @accent; }
QToolButton#qt_toolbar_ext_button { padding: 0; background: @raised; }
QGroupBox { border: 1px solid @line; border-radius: 6px; margin-top: 9px; padding-top: 6px; }
QGroupBox::title { subcontrol-origin: margin; left: 8px; padding: 0 4px; color: @faint; }
QFrame#card { background: @panel; border: 1px solid @line; border-radius: 8px; }
QFrame#sidebar { background: @window; border-left: 1px solid @line; }
QFrame#bar { background: @panel; border-bottom: 1px solid @line; }
QFrame#bar > QToolButton { padding: 4px 6px; }
QLabel#heading { color: @faint; font-weight: 600; }
QLabel#figure { font-size: 20px; font-weight: 600; }
QLabel#faint { color: @faint; }
QLabel#matrix { color: @faint; font-family: "DejaVu Sans Mono", monospace; font-size: 11px; }
QLabel#banner { color: @warn; padding: 0 8px; }
"""
