"""Small pictures made in code: the glyph of a landmark, and icons in the theme's colour."""

from __future__ import annotations

from functools import cache

import qtawesome
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QAction, QColor, QIcon, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QAbstractButton, QWidget

from fusioninit.geometry import Space
from fusioninit.gui.theme import current_theme


def space_icon(space: Space) -> QIcon:
    """The ring of US or the square of MR, as the views draw them."""
    return _space_icon(space, current_theme().space(space))


@cache
def _space_icon(space: Space, colour_name: str) -> QIcon:
    """Drawn once: a table asks for it whenever it is painted."""
    picture = QPixmap(28, 28)
    picture.setDevicePixelRatio(2.0)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    colour = QColor(colour_name)
    painter.setPen(QPen(colour, 1.8))
    box = QRectF(2.5, 2.5, 9, 9)
    if space is Space.US:
        painter.drawEllipse(box)
    else:
        painter.drawRect(box)
    painter.setBrush(colour)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.drawEllipse(QPointF(7, 7), 1.4, 1.4)
    painter.end()
    return QIcon(picture)


def icon(name: str, *, colour: str | None = None) -> QIcon:
    """An icon of the Material Design set by name, in the theme's text colour."""
    theme = current_theme()
    made = _icon(name, colour or theme.text, theme.line, colour or theme.on_accent)
    _NAMES[made.cacheKey()] = name, colour
    return made


@cache
def _icon(name: str, colour: str, disabled: str, on: str) -> QIcon:
    """Looked up once: a table asks for its locks whenever it is painted."""
    return qtawesome.icon(f"mdi6.{name}", color=colour, color_disabled=disabled, color_on=on)


_NAMES: dict[int, tuple[str, str | None]] = {}
"""What each icon was made from, by its cache key (which copies of an icon share)."""


def renew_icons(window: QWidget) -> None:
    """Draw the icons of all buttons and actions again, in the colours of a theme just applied."""
    owners: list[QAbstractButton | QAction] = list(window.findChildren(QAbstractButton))
    owners += window.findChildren(QAction)
    for owner in owners:
        made_from = _NAMES.get(owner.icon().cacheKey())
        if made_from is not None:
            name, colour = made_from
            owner.setIcon(icon(name, colour=colour))
