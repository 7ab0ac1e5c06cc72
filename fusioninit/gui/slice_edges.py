"""The edges of one slice as a transparent picture, to be laid over another image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QColor, QImage

FAINTEST, STRONGEST = 80.0, 98.0
"""Percentiles of the slope of grey at which an edge begins to show, and shows fully."""


class EdgeLayer:
    """Edges of the slice last asked for; found anew only where the slice is another."""

    def __init__(self) -> None:
        self._key = 0
        self._pixels: NDArray[np.uint32] = np.zeros((1, 1), np.uint32)
        self._image = QImage()

    def image(self, slice_: QImage, colour: QColor) -> QImage:
        """Edges of a grey premultiplied ARGB slice, of its size; transparent between them."""
        if slice_.cacheKey() != self._key:
            self._key = slice_.cacheKey()
            height, width = slice_.height(), slice_.width()
            argb = np.frombuffer(slice_.constBits(), np.uint32).reshape(height, width)
            self._pixels = _tinted(edge_strength(argb), colour)
            self._image = QImage(
                self._pixels.data, width, height, 4 * width,
                QImage.Format.Format_ARGB32_Premultiplied,
            )  # fmt: skip
        return self._image


def edge_strength(argb: NDArray[np.uint32]) -> NDArray[np.float32]:
    """(rows, columns) 0 to 1: how much of an edge each pixel is; 0 along the volume's own border.

    `argb` is grey where it is opaque, and transparent outside the volume.
    """
    grey = (argb & 0xFF).astype(np.float32)
    inside = argb >> 24 == 255
    for axis in (0, 1):  # speckle is no edge
        grey = (np.roll(grey, 1, axis) + 2 * grey + np.roll(grey, -1, axis)) * np.float32(0.25)
        inside = inside & np.roll(inside, 2, axis) & np.roll(inside, -2, axis)
    slope = np.zeros_like(grey)
    slope[1:-1, 1:-1] = np.hypot(grey[1:-1, 2:] - grey[1:-1, :-2], grey[2:, 1:-1] - grey[:-2, 1:-1])
    slope[~inside] = 0.0
    if not inside.any():
        return slope
    low, high = np.percentile(slope[inside], (FAINTEST, STRONGEST))
    strength: NDArray[np.float32] = np.clip((slope - low) / max(high - low, 1.0), 0.0, 1.0)
    return strength


def _tinted(strength: NDArray[np.float32], colour: QColor) -> NDArray[np.uint32]:
    """Premultiplied ARGB of one colour, as opaque as `strength` says."""
    argb = np.zeros(strength.shape, np.uint32)
    parts = ((24, 255), (16, colour.red()), (8, colour.green()), (0, colour.blue()))
    for shift, value in parts:
        argb |= (strength * value).astype(np.uint32) << shift
    return argb
