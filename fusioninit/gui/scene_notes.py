"""The legend and the error's scale in 3D: painted by Qt, shown by VTK, so pictures hold them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QImage,
    QLinearGradient,
    QPainter,
    QPen,
    QPolygonF,
)
from vtkmodules.util.numpy_support import numpy_to_vtk
from vtkmodules.vtkCommonCore import vtkPoints
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkImageData, vtkPolyData
from vtkmodules.vtkInteractionWidgets import vtkOrientationMarkerWidget
from vtkmodules.vtkRenderingAnnotation import vtkAnnotatedCubeActor
from vtkmodules.vtkRenderingCore import (
    vtkPolyDataMapper2D,
    vtkProperty,
    vtkTexture,
    vtkTexturedActor2D,
)

from fusioninit.geometry import Space
from fusioninit.gui.scene_stage import SceneStage
from fusioninit.gui.theme import SPACE_COLOUR, SPACE_NAME

ROW = 17.0
SCALE_WIDTH = 200.0
PAD, GLYPH, GAP = 7.0, 16.0, 12.0
_TEXT = QColor("#dfe5ea")
_GROUND = QColor(10, 12, 15, 165)
_NEAR_CORNER_PX = 6


@dataclass(frozen=True)
class Row:
    """One line of the legend: glyphs with their names. A glyph is a shape and a colour."""

    entries: tuple[tuple[str, QColor, str], ...]

    @classmethod
    def of(cls, *entries: tuple[str, QColor, str]) -> Row:
        """A row from (shape, colour, name) entries; shapes: disc, square, diamond, ring, line."""
        return cls(entries)


@dataclass(frozen=True)
class ErrorScale:
    """The colours of the predicted error from `least_mm` to `most_mm`."""

    stops: tuple[str, ...]
    least_mm: float
    most_mm: float


IMAGES = Row.of(
    ("disc", SPACE_COLOUR[Space.US], SPACE_NAME[Space.US]),
    ("square", SPACE_COLOUR[Space.MR], SPACE_NAME[Space.MR]),
)
SECOND = Row.of(
    ("diamond", SPACE_COLOUR[Space.US], ""),
    ("diamond", SPACE_COLOUR[Space.MR], "Second network"),
)


class SceneNotes:
    """Legend at the lower left, and a cube at the lower right that names the directions."""

    def __init__(self, stage: SceneStage) -> None:
        self._stage = stage
        self._pixels: NDArray[np.uint8] | None = None
        self._key: object = None
        self._quad = vtkPolyData()
        cells = vtkCellArray()
        cells.InsertNextCell(4, (0, 1, 2, 3))
        self._quad.SetPolys(cells)
        corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], dtype=np.float32)
        self._quad.GetPointData().SetTCoords(numpy_to_vtk(corners, deep=True))
        mapper = vtkPolyDataMapper2D()
        mapper.SetInputData(self._quad)
        self._texture = vtkTexture()
        self.legend = vtkTexturedActor2D()
        self.legend.SetMapper(mapper)
        self.legend.SetTexture(self._texture)
        self.legend.SetPosition(_NEAR_CORNER_PX, _NEAR_CORNER_PX)
        self.legend.SetVisibility(False)
        stage.above.AddViewProp(self.legend)
        self._marker = _make_marker(stage)

    def show_legend(self, rows: list[Row], scale: ErrorScale | None) -> None:
        """Paint the legend anew where it changed; hide it without rows."""
        ratio = self._stage.widget.devicePixelRatioF()
        key = (tuple(rows), scale, ratio)
        self.legend.SetVisibility(bool(rows))
        if rows and key != self._key:
            self._key = key
            self._take(paint_legend(rows, scale, ratio))

    def show_marker(self, *, shown: bool) -> None:
        """Show or hide the cube of directions."""
        if bool(self._marker.GetEnabled()) != shown:
            self._marker.SetEnabled(shown)
            if shown:
                self._marker.InteractiveOff()

    def steps_to_marker(self) -> Iterator[Callable[[], None]]:
        """Show the cube bit by bit: OpenGL builds a program for each at its first picture."""
        cube = self._marker.GetOrientationMarker()
        assert isinstance(cube, vtkAnnotatedCubeActor)  # as _make_marker made it
        bits = (cube.SetCubeVisibility, cube.SetFaceTextVisibility, cube.SetTextEdgesVisibility)
        for show in bits:
            show(False)
        yield partial(self.show_marker, shown=True)
        for show in bits:
            yield partial(show, True)

    def close(self) -> None:
        """Before the interactor goes."""
        self._marker.SetEnabled(False)
        self._marker.SetInteractor(None)  # type: ignore[arg-type]

    def _take(self, picture: QImage) -> None:
        width, height = picture.width(), picture.height()
        flat = np.frombuffer(picture.constBits(), np.uint8).reshape(height, width, 4)
        # vtk keeps a pointer into this array, and counts rows from below.
        self._pixels = np.ascontiguousarray(flat[::-1]).reshape(-1, 4)
        image = vtkImageData()
        image.SetDimensions(width, height, 1)
        image.GetPointData().SetScalars(numpy_to_vtk(self._pixels))
        self._texture.SetInputData(image)
        points = vtkPoints()
        for x, y in ((0, 0), (width, 0), (width, height), (0, height)):
            points.InsertNextPoint(x, y, 0)
        self._quad.SetPoints(points)


def paint_legend(rows: list[Row], scale: ErrorScale | None, ratio: float) -> QImage:
    """The legend as RGBA, straight alpha, `ratio` device pixels to a logical one."""
    height = PAD * 2 + ROW * len(rows) + (2.3 * ROW if scale is not None else 0.0)
    font = QFont()
    font.setPixelSize(12)
    width = max(SCALE_WIDTH if scale is not None else 0.0, *(_width(row, font) for row in rows))
    picture = QImage(round(width * ratio), round(height * ratio), QImage.Format.Format_RGBA8888)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(ratio, ratio)
    painter.setFont(font)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_GROUND)
    painter.drawRoundedRect(QRectF(0, 0, width, height), 5, 5)
    top = PAD
    for row in rows:
        _paint_row(painter, row, top)
        top += ROW
    if scale is not None:
        _paint_scale(painter, scale, top)
    painter.end()
    return picture


def _paint_row(painter: QPainter, row: Row, top: float) -> None:
    left, metrics = PAD, QFontMetricsF(painter.font())
    for shape, colour, name in row.entries:
        _paint_glyph(painter, shape, colour, QRectF(left, top + 3, 11, 11))
        painter.setPen(_TEXT)
        width = metrics.horizontalAdvance(name) + 2
        box = QRectF(left + GLYPH, top, width, ROW)
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, name)
        left += GLYPH + width + GAP


def _width(row: Row, font: QFont) -> float:
    metrics = QFontMetricsF(font)
    names = [metrics.horizontalAdvance(name) + 2 for _, _, name in row.entries]
    return 2 * PAD + sum(names) + len(names) * (GLYPH + GAP) - GAP


def _paint_glyph(painter: QPainter, shape: str, colour: QColor, box: QRectF) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    if shape == "disc":
        painter.drawEllipse(box)
    elif shape == "square":
        painter.drawRect(box.adjusted(0.5, 0.5, -0.5, -0.5))
    elif shape == "diamond":
        center, reach = box.center(), box.width() / 2
        ways = ((0.0, -reach), (reach, 0.0), (0.0, reach), (-reach, 0.0))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(colour, 1.6))
        painter.drawPolygon(QPolygonF([center + QPointF(x, y) for x, y in ways]))
    elif shape == "ring":
        soft = QColor(colour)
        soft.setAlpha(70)
        painter.setBrush(soft)
        painter.setPen(QPen(colour, 1.0))
        painter.drawEllipse(box)
    else:
        painter.setPen(QPen(colour, 2.5))
        middle = box.center().y()
        painter.drawLine(QPointF(box.left(), middle), QPointF(box.right(), middle))


def _paint_scale(painter: QPainter, scale: ErrorScale, top: float) -> None:
    painter.setPen(_TEXT)
    line = QRectF(PAD, top, SCALE_WIDTH - 2 * PAD, ROW)
    painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, "95 % of errors stay under")
    bar = QRectF(PAD + 19, top + ROW + 1, SCALE_WIDTH - 2 * PAD - 69, 9)
    colours = QLinearGradient(bar.topLeft(), bar.topRight())
    for number, colour in enumerate(scale.stops):
        colours.setColorAt(number / (len(scale.stops) - 1), QColor(colour))
    painter.fillRect(bar, colours)
    flags = Qt.AlignmentFlag.AlignVCenter
    painter.drawText(QRectF(PAD, bar.top() - 4, 18, ROW), flags, f"{scale.least_mm:.0f}")
    painter.drawText(
        QRectF(bar.right() + 5, bar.top() - 4, 45, ROW), flags, f"{scale.most_mm:.0f} mm"
    )


def _letters(cube: vtkAnnotatedCubeActor) -> tuple[vtkProperty, ...]:
    """How the letters on the six faces and their edges are drawn."""
    return (
        cube.GetXPlusFaceProperty(),
        cube.GetXMinusFaceProperty(),
        cube.GetYPlusFaceProperty(),
        cube.GetYMinusFaceProperty(),
        cube.GetZPlusFaceProperty(),
        cube.GetZMinusFaceProperty(),
        cube.GetTextEdgesProperty(),
    )


def _make_marker(stage: SceneStage) -> vtkOrientationMarkerWidget:
    """A cube whose faces carry the patient's directions (LPS: x left, y posterior, z superior)."""
    cube = vtkAnnotatedCubeActor()
    for letter, set_text in (
        ("L", cube.SetXPlusFaceText),
        ("R", cube.SetXMinusFaceText),
        ("P", cube.SetYPlusFaceText),
        ("A", cube.SetYMinusFaceText),
        ("S", cube.SetZPlusFaceText),
        ("I", cube.SetZMinusFaceText),
    ):
        set_text(letter)
    cube.SetFaceTextScale(0.62)
    cube.GetCubeProperty().SetColor(0.20, 0.24, 0.29)
    cube.GetTextEdgesProperty().SetColor(0.85, 0.89, 0.93)
    for written in _letters(cube):
        written.LightingOff()
    cube.SetZFaceTextRotation(90)
    marker = vtkOrientationMarkerWidget()
    marker.SetOrientationMarker(cube)
    marker.SetInteractor(stage.window.GetInteractor())
    marker.SetViewport(0.80, 0.0, 1.0, 0.20)
    return marker
