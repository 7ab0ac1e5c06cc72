"""What is drawn over a slice: letters, scale bar, titles, landmarks. Vector graphics.

All functions take a `QPainter` in logical pixels; positions are continuous view coordinates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from math import ceil

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QPen, QPolygonF

from fusioninit.geometry import Space
from fusioninit.gui.theme import SPACE_COLOUR
from fusioninit.landmarks import Source

GLYPH_RADIUS = 6.0
_PREMULTIPLIED = QImage.Format.Format_ARGB32_Premultiplied
_INK = QColor(0, 0, 0, 190)
_VEIL = QColor(0, 0, 0, 110)
_PALE = QColor(235, 240, 244)
_FAINT = QColor(190, 200, 210)
_SCALES_MM = (1, 2, 5, 10, 20, 50, 100)


@dataclass(frozen=True)
class Mark:
    """A landmark as one view draws it."""

    at: QPointF
    space: Space
    label: str
    strength: float
    """1 on the plane, fading to 0 away from it."""
    source: Source = Source.EDITED
    is_own: bool = True
    """Of the view's own space, and so one that can be dragged here."""
    is_selected: bool = False
    outline: QPolygonF | None = None


def draw_text(
    painter: QPainter,
    box: QRectF,
    text: str,
    *,
    across: float = 0.0,
    down: float = 0.0,
    colour: QColor = _PALE,
) -> None:
    """Text with a dark halo on a dark veil, readable on any image; on whole pixels, so sharp.

    `across` and `down` say where in the box: 0 at its left and top, 1 at its right and bottom.
    """
    if not text:
        return
    ratio = painter.device().devicePixelRatioF()
    image = _text_image(text, painter.font().key(), colour.rgba(), ratio)
    width, height = image.width() / ratio - 2, image.height() / ratio - 2
    left = box.left() + across * (box.width() - width)
    top = box.top() + down * (box.height() - height)
    at = QPointF(round((left - 1) * ratio) / ratio, round((top - 1) * ratio) / ratio)
    painter.drawImage(at, image)


@lru_cache(maxsize=256)
def _text_image(text: str, font_key: str, rgba: int, ratio: float) -> QImage:
    """The text, its halo and veil, a pixel wider each way: drawn once, as it takes six strokes."""
    font = QFont()
    font.fromString(font_key)
    metrics = QFontMetricsF(font)
    width, height = ceil(metrics.horizontalAdvance(text)), ceil(metrics.height())
    image = QImage(ceil((width + 2) * ratio), ceil((height + 2) * ratio), _PREMULTIPLIED)
    image.setDevicePixelRatio(ratio)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setFont(font)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_VEIL)
    painter.drawRoundedRect(QRectF(0, 0, width + 2, height + 2), 3, 3)
    box = QRectF(1, 1, width + 1, height + 1)
    painter.setPen(_INK)
    for dx, dy in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        painter.drawText(box.translated(dx, dy), text)
    painter.setPen(QColor.fromRgba(rgba))
    painter.drawText(box, text)
    painter.end()
    return image


def draw_letters(painter: QPainter, letters: Sequence[str], size: tuple[float, float]) -> None:
    """Patient directions at the middle of the left, right, top and bottom edge."""
    width, height = size
    bold = QFont(painter.font())
    bold.setBold(True)
    painter.save()
    painter.setFont(bold)
    places = (
        (QRectF(7, 0, 40, height), 0.0, 0.5),
        (QRectF(width - 47, 0, 40, height), 1.0, 0.5),
        (QRectF(0, 26, width, 20), 0.5, 0.0),
        (QRectF(0, height - 24, width, 20), 0.5, 1.0),
    )
    for letter, (box, across, down) in zip(letters, places, strict=True):
        draw_text(painter, box, letter, across=across, down=down)
    painter.restore()


def draw_scale_bar(painter: QPainter, mm_per_px: float, size: tuple[float, float]) -> None:
    """A bar of a round length, about a fifth of the view, at the lower right."""
    width, height = size
    length_mm = next((mm for mm in _SCALES_MM if mm / mm_per_px > width / 7), _SCALES_MM[-1])
    length = length_mm / mm_per_px
    right, y = width - 10.0, height - 10.0
    bar = [QPointF(right - length, y - 4), QPointF(right - length, y), QPointF(right, y)]
    bar.append(QPointF(right, y - 4))
    for pen in (QPen(_INK, 3.5), QPen(_PALE, 1.5)):
        painter.setPen(pen)
        painter.drawPolyline(bar)
    box = QRectF(right - length - 30, y - 22, length + 30, 16)
    draw_text(painter, box, f"{length_mm} mm", across=1.0)


def draw_title(painter: QPainter, title: str, shown: Sequence[tuple[str, QColor]]) -> None:
    """The view's name, and what is shown in it in the colour of each."""
    metrics = painter.fontMetrics()
    x = 10.0
    for text, colour in ((title, _PALE), *shown):
        draw_text(painter, QRectF(x, 7, 220, 18), text, colour=colour)
        x += metrics.horizontalAdvance(text) + 9


def draw_corner_text(
    painter: QPainter, text: str, size: tuple[float, float], *, at_top: bool = False, line: int = 0
) -> None:
    """Small text at the lower left, on a `line` counted from below; or at the upper right."""
    width, height = size
    if at_top:
        draw_text(painter, QRectF(width - 230, 7, 222, 18), text, across=1.0, colour=_FAINT)
    else:
        draw_text(painter, QRectF(10, height - 23 - 17 * line, 220, 18), text, colour=_FAINT)


def draw_outlines(painter: QPainter, polygons: Sequence[QPolygonF], space: Space) -> None:
    """A gland's outline in its space's colour; the MR's is dashed."""
    style = Qt.PenStyle.SolidLine if space is Space.US else Qt.PenStyle.DashLine
    painter.setPen(QPen(SPACE_COLOUR[space], 1.5, style))
    for polygon in polygons:
        painter.drawPolyline(polygon)


def draw_link(painter: QPainter, from_at: QPointF, to_at: QPointF) -> None:
    """The residual: a line from a landmark to where the other image puts it."""
    for pen in (QPen(_INK, 3.0), QPen(QColor(255, 255, 255, 200), 1.2)):
        painter.setPen(pen)
        painter.drawLine(from_at, to_at)


def draw_ghost(
    painter: QPainter, at: QPointF, space: Space, *, from_at: QPointF | None, strength: float
) -> None:
    """Where a second network has a landmark: a small diamond, joined to the landmark by dots."""
    painter.setOpacity(strength)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    colour = SPACE_COLOUR[space]
    if from_at is not None:
        for pen in (QPen(_INK, 3.0), QPen(colour, 1.4, Qt.PenStyle.DotLine)):
            painter.setPen(pen)
            painter.drawLine(from_at, at)
    radius = GLYPH_RADIUS - 0.5
    corners = [QPointF(0, -radius), QPointF(radius, 0), QPointF(0, radius), QPointF(-radius, 0)]
    diamond = QPolygonF([at + corner for corner in corners])
    for pen in (QPen(_INK, 3.5), QPen(colour, 1.6)):
        painter.setPen(pen)
        painter.drawPolygon(diamond)
    painter.setOpacity(1.0)


def draw_mark(painter: QPainter, mark: Mark) -> None:
    """One landmark: a ring for US, a square for MR; dashed while only predicted."""
    painter.setOpacity(mark.strength)
    colour = SPACE_COLOUR[mark.space]
    if mark.outline is not None:
        _draw_region(painter, mark.outline, colour, filled=mark.is_selected)
    kind = (mark.space, mark.source, mark.is_own, mark.is_selected)
    image = glyph_image(*kind, painter.device().devicePixelRatioF())
    half = GLYPH_RADIUS + 7
    painter.drawImage(QRectF(mark.at.x() - half, mark.at.y() - half, 2 * half, 2 * half), image)
    painter.setOpacity(1.0)


def _draw_region(painter: QPainter, outline: QPolygonF, colour: QColor, *, filled: bool) -> None:
    soft = QColor(colour)
    soft.setAlpha(20 if filled else 0)
    line = QColor(colour)
    line.setAlpha(130 if filled else 70)
    painter.setBrush(soft)
    painter.setPen(QPen(line, 1.0))
    painter.drawPolygon(outline)


@cache
def glyph_image(
    space: Space, source: Source, is_own: bool, is_selected: bool, ratio: float
) -> QImage:
    """A landmark's glyph, drawn once for each of its few looks."""
    half = GLYPH_RADIUS + 7
    pixels = round(2 * half * ratio)
    image = QImage(pixels, pixels, _PREMULTIPLIED)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(pixels / (2 * half), pixels / (2 * half))
    at = QPointF(half, half)
    if is_selected:
        painter.setPen(QPen(QColor(255, 255, 255, 230), 1.2))
        painter.drawEllipse(at, GLYPH_RADIUS + 5, GLYPH_RADIUS + 5)
    _draw_glyph(painter, at, space, source if is_own else None)
    painter.end()
    return image


def _draw_glyph(painter: QPainter, at: QPointF, space: Space, source: Source | None) -> None:
    """The ring or square; small, thin and empty (`source` None) for the other image's landmark."""
    colour = SPACE_COLOUR[space]
    radius = GLYPH_RADIUS if source is not None else GLYPH_RADIUS - 1.5
    fill = QColor(colour)
    fill.setAlpha(130 if source is Source.CONFIRMED else 0)
    box = QRectF(at.x() - radius, at.y() - radius, 2 * radius, 2 * radius)
    pen = QPen(colour, 2.0 if source is not None else 1.3)
    if source is Source.PREDICTED:
        pen.setDashPattern([2.0, 1.2])
    for stroke, brush in ((QPen(_INK, 4.0), Qt.BrushStyle.NoBrush), (pen, fill)):
        painter.setPen(stroke)
        painter.setBrush(brush)
        if space is Space.US:
            painter.drawEllipse(box)
        else:
            painter.drawRect(box)
    if source is not None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawEllipse(at, 1.6, 1.6)
