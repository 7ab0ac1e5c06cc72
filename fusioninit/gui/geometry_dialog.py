"""Asks how a volume's voxels lie where its file does not say: their size, and which way is left."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from fusioninit.errors import InputError
from fusioninit.geometry import Space
from fusioninit.gui.theme import SPACE_NAME, current_theme
from fusioninit.imaging.stated_geometry import StatedGeometry, directions_of
from fusioninit.imaging.volume import Volume

DIRECTIONS = {
    "L": "the patient's left",
    "R": "the patient's right",
    "P": "the back",
    "A": "the front",
    "S": "the head",
    "I": "the feet",
}
OPPOSITE = dict(zip("LRPASI", "RLAPIS", strict=True))
AXES = ("Columns (i)", "Rows (j)", "Slices (k)")
PLANES = ((0, 1), (0, 2), (1, 2))
"""Axes across and down of the pictures."""

SIZE_RANGE_MM = (0.05, 20.0)

MIRRORED = (
    "These directions make a left-handed frame, as in a mirror: right only if the file stores the "
    "image that way. Otherwise turn one axis round."
)


class PlanePreview(QWidget):
    """The middle plane of two of the stored axes, with the patient's directions at its edges."""

    def __init__(self, volume: Volume, across: int, down: int) -> None:
        super().__init__()
        self.across, self.down = across, down
        self.letters = "LPS"
        self._sizes_mm = volume.grid.spacing_mm
        self._image = _plane_image(volume, across, down)
        self.setFixedSize(210, 210)
        self.setAccessibleName(f"Middle plane of {AXES[across]} and {AXES[down]}")

    def show_directions(self, letters: str, sizes_mm: NDArray[np.float64]) -> None:
        """Draw with these directions and voxel sizes along i, j, k."""
        self.letters, self._sizes_mm = letters, sizes_mm
        self.update()

    @property
    def edges(self) -> tuple[str, str, str, str]:
        """Letters at the left, right, upper and lower edge."""
        right, lower = self.letters[self.across], self.letters[self.down]
        return OPPOSITE[right], right, OPPOSITE[lower], lower

    def paintEvent(self, event: QPaintEvent) -> None:
        """The plane in true proportions, and the letters."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), Qt.GlobalColor.black)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(self._place(), self._image)
        font = painter.font()
        font.setBold(True)
        painter.setFont(font)
        width, height, edge = float(self.width()), float(self.height()), 12.0
        middles = [(edge, height / 2), (width - edge, height / 2)]
        middles += [(width / 2, edge), (width / 2, height - edge)]
        for letter, (x, y) in zip(self.edges, middles, strict=True):
            box = QRectF(x - 9, y - 10, 18, 20)
            painter.fillRect(box, QColor(0, 0, 0, 170))
            painter.setPen(current_theme().accent)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, letter)

    def _place(self) -> QRectF:
        width = self._image.width() * self._sizes_mm[self.across]
        height = self._image.height() * self._sizes_mm[self.down]
        scale = min(self.width() / width, self.height() / height)
        width, height = width * scale, height * scale
        return QRectF((self.width() - width) / 2, (self.height() - height) / 2, width, height)


class GeometryDialog(QDialog):
    """A person says which way each stored axis points and how long a voxel is.

    Shows the planes of `volume` where it could be read. Accepted, `stated` tells the answer.
    """

    def __init__(
        self, space: Space, name: str, volume: Volume | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"How does this {SPACE_NAME[space]} volume lie?")
        sizes_mm = np.ones(3) if volume is None else volume.grid.spacing_mm
        self.directions = [_direction_box(axis) for axis in range(3)]
        self.sizes = [_size_box(axis, sizes_mm[axis]) for axis in range(3)]
        self.previews = [] if volume is None else [PlanePreview(volume, *axes) for axes in PLANES]
        self.remark = QLabel()
        self.remark.setWordWrap(True)
        self.buttons = QDialogButtonBox()
        self.use = self.buttons.addButton("Use this", QDialogButtonBox.ButtonRole.AcceptRole)
        self.buttons.addButton("Leave as it is", QDialogButtonBox.ButtonRole.RejectRole)
        self._lay_out(name)
        for box in self.directions:
            box.currentIndexChanged.connect(self._show)
        for size in self.sizes:
            size.valueChanged.connect(self._show)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self._show()

    @property
    def letters(self) -> str:
        """Where i, j, k point, such as "LPS"."""
        return "".join(str(box.currentData()) for box in self.directions)

    @property
    def stated(self) -> StatedGeometry:
        """What is chosen; InputError where two axes point along the same line."""
        x, y, z = (size.value() for size in self.sizes)
        return StatedGeometry((x, y, z), self.letters)

    def _lay_out(self, name: str) -> None:
        text = QLabel(
            f"{name}: the file does not say how its voxels lie in the patient, and a wrong guess "
            "puts every landmark in the wrong place. Choose until the letters fit: L and R are "
            "the patient's left and right, A the front, P the back, S the head, I the feet."
        )
        text.setWordWrap(True)
        pictures = QHBoxLayout()
        for preview in self.previews:
            pictures.addWidget(preview)
        table = QGridLayout()
        table.addWidget(QLabel("run towards"), 0, 1)
        table.addWidget(QLabel("voxel size"), 0, 2)
        for axis, title in enumerate(AXES):
            table.addWidget(QLabel(title), axis + 1, 0)
            table.addWidget(self.directions[axis], axis + 1, 1)
            table.addWidget(self.sizes[axis], axis + 1, 2)
        column = QVBoxLayout(self)
        column.addWidget(text)
        column.addLayout(pictures)
        column.addLayout(table)
        column.addWidget(self.remark)
        column.addWidget(self.buttons)

    def _show(self) -> None:
        sizes_mm = np.array([size.value() for size in self.sizes])
        for preview in self.previews:
            preview.show_directions(self.letters, sizes_mm)
        try:
            directions = directions_of(self.letters)
        except InputError:
            self.use.setEnabled(False)
            self.remark.setText("Two axes run along the same line: choose another direction.")
            return
        self.use.setEnabled(True)
        handed = np.linalg.det(directions)
        self.remark.setText(MIRRORED if handed < 0 else "")


def _plane_image(volume: Volume, across: int, down: int) -> QImage:
    low, high = volume.percentiles()
    plane = _middle_plane(volume.voxels, across, down)
    grey = np.clip((plane.astype(np.float32) - low) / (high - low), 0, 1) * 255
    pixels = np.ascontiguousarray(grey.astype(np.uint8))
    rows, columns = pixels.shape
    image = QImage(pixels.data, columns, rows, columns, QImage.Format.Format_Grayscale8)
    return image.copy()  # the array goes when this function ends


def _middle_plane(voxels: NDArray[np.generic], across: int, down: int) -> NDArray[np.generic]:
    """(rows, columns) of the axes `down` and `across` (0 i, 1 j, 2 k) of (k, j, i) voxels."""
    kept = {2 - across, 2 - down}
    cut = tuple(
        slice(None) if axis in kept else size // 2 for axis, size in enumerate(voxels.shape)
    )
    plane = voxels[cut]
    return plane if 2 - down < 2 - across else plane.T


def _direction_box(axis: int) -> QComboBox:
    box = QComboBox()
    for letter, text in DIRECTIONS.items():
        box.addItem(f"{letter}, {text}", letter)
    box.setCurrentIndex(2 * axis)
    box.setAccessibleName(f"Direction of {AXES[axis]}")
    return box


def _size_box(axis: int, value_mm: float) -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    box.setDecimals(3)
    box.setRange(*SIZE_RANGE_MM)
    box.setSingleStep(0.1)
    box.setSuffix(" mm")
    box.setValue(float(value_mm))
    box.setAccessibleName(f"Voxel size of {AXES[axis]} in mm")
    return box
