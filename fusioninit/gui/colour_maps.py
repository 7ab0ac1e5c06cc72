"""Colour maps as data: 256 premultiplied ARGB entries each, for looking up window levels."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

_STOPS: dict[str, tuple[tuple[int, int, int], ...]] = {
    "Grey": ((0, 0, 0), (255, 255, 255)),
    "Amber": ((0, 0, 0), (120, 58, 8), (244, 148, 48), (255, 228, 178), (255, 255, 255)),
    "Ice": ((0, 0, 0), (10, 62, 92), (40, 158, 206), (172, 226, 246), (255, 255, 255)),
    "Inferno": ((0, 0, 4), (87, 16, 110), (188, 55, 84), (249, 142, 9), (252, 255, 164)),
    "Viridis": ((68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37)),
    "Cividis": ((0, 34, 78), (67, 78, 108), (125, 124, 120), (188, 175, 111), (254, 232, 56)),
    "Inverted": ((255, 255, 255), (0, 0, 0)),
}

COLOUR_MAPS: tuple[str, ...] = tuple(_STOPS)
"""Each gets lighter (or darker) all the way, so that none needs hues told apart."""


@cache
def argb_table(name: str) -> NDArray[np.uint32]:
    """(256,) opaque 0xAARRGGBB entries from black level to white level."""
    stops = np.array(_STOPS[name], dtype=np.float64)
    at = np.linspace(0, 1, len(stops))
    level = np.linspace(0, 1, 256)
    red, green, blue = (
        np.interp(level, at, stops[:, channel]).round().astype(np.uint32) for channel in range(3)
    )
    table = ((255 << 24) | (red << 16) | (green << 8) | blue).astype(np.uint32)
    table.setflags(write=False)
    return table
