"""Overlay pictures without a window: US, MR on it, and both, through the landmarks. Pillow only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import binary_erosion

from fusioninit.exchange.contents import Contents
from fusioninit.geometry import (
    Orientation,
    PixelFrame,
    RigidTransform,
    Space,
    orientation_letters,
    slice_plane,
)
from fusioninit.imaging.slicing import slice_pixels
from fusioninit.imaging.volume import Volume
from fusioninit.landmarks import LABELS, READER_NAMES, LandmarkSet

PANEL_PX = 340
FIELD_MM = 100.0
CHECKER_MM = 12.5
SCALE_BAR_MM = 20.0
NEAR_MM = 4.0
"""Landmarks closer to the plane than this are drawn full, others faint."""

US_COLOUR = (90, 200, 255)
MR_COLOUR = (255, 150, 60)
TARGET_COLOUR = (255, 235, 90)
_TEXT = (235, 235, 235)
_GAP_PX = 4
_LARGE_PX, _SMALL_PX = 18, 15
"""Text on the pictures: 6 points on the printed report and more."""

Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class _Pixels:
    """Both modalities on one frame, 0 to 1, and where each has values."""

    us: NDArray[np.float32]
    mr: NDArray[np.float32]


def overlay_pictures(contents: Contents) -> dict[str, Image.Image]:
    """Pictures by name: "axial", "sagittal", "coronal", and "overlay" with all three.

    Each row shows US, MR in the US frame, both blended (US blue-green, MR orange), and a
    checkerboard. Empty where an image is missing.
    """
    if contents.us is None or contents.mr is None:
        return {}
    rows = {
        orientation.value: _row(contents, contents.us, contents.mr, orientation)
        for orientation in Orientation
    }
    return {"overlay": _stacked(list(rows.values())), **rows}


def _row(contents: Contents, us: Volume, mr: Volume, orientation: Orientation) -> Image.Image:
    frame = _frame(contents, us, orientation)
    pixels = _Pixels(_grey(us, frame, None), _grey(mr, frame, contents.us_from_mr.inverse()))
    panels = {
        f"US, {orientation.value}": _rgb(pixels.us),
        "MR on US": _rgb(pixels.mr),
        "both": _blend(pixels),
        "checkerboard": _checkerboard(pixels, frame),
    }
    row = Image.new("RGB", (4 * PANEL_PX + 3 * _GAP_PX, PANEL_PX))
    for number, (title, panel) in enumerate(panels.items()):
        shown = {0: (Space.US,), 1: (Space.MR,)}.get(number, (Space.US, Space.MR))
        for space in shown:
            _outline(panel, contents, space, frame)
        picture = Image.fromarray(panel)
        _annotate(picture, title, frame)
        for space in shown:
            marks = contents.landmarks(space)
            _mark(picture, frame, marks, _to_us(contents, space), named=len(shown) == 1)
        _mark_targets(picture, frame, contents)
        row.paste(picture, (number * (PANEL_PX + _GAP_PX), 0))
    return row


def _frame(contents: Contents, us: Volume, orientation: Orientation) -> PixelFrame:
    points = contents.us_landmarks.positions_mm()
    center = points.mean(axis=0) if len(points) else us.grid.center_mm
    plane = slice_plane(orientation, center)
    return PixelFrame(plane, (PANEL_PX, PANEL_PX), FIELD_MM / PANEL_PX)


def _to_us(contents: Contents, space: Space) -> RigidTransform:
    if space is Space.US:
        return RigidTransform.identity(Space.US, Space.US)
    return contents.us_from_mr


def _grey(
    volume: Volume, frame: PixelFrame, volume_from_plane: RigidTransform | None
) -> NDArray[np.float32]:
    low, high = volume.display_window()
    pixels = slice_pixels(volume, frame, volume_from_plane=volume_from_plane)
    return np.clip((pixels - low) / (high - low), 0, 1)


def _rgb(grey: NDArray[np.float32]) -> Bytes:
    levels = (np.nan_to_num(grey) * 255).astype(np.uint8)
    return np.repeat(levels[..., None], 3, axis=-1)


def _blend(pixels: _Pixels) -> Bytes:
    us, mr = np.nan_to_num(pixels.us)[..., None], np.nan_to_num(pixels.mr)[..., None]
    colour = us * np.array(US_COLOUR) * 0.75 + mr * np.array(MR_COLOUR) * 0.75
    return np.clip(colour, 0, 255).astype(np.uint8)


def _checkerboard(pixels: _Pixels, frame: PixelFrame) -> Bytes:
    steps = (np.arange(PANEL_PX) * frame.mm_per_px // CHECKER_MM).astype(int)
    odd = (steps[:, None] + steps[None, :]) % 2 == 1
    return _rgb(np.where(odd, pixels.mr, pixels.us))


def _annotate(picture: Image.Image, title: str, frame: PixelFrame) -> None:
    draw = ImageDraw.Draw(picture)
    font = _font(_LARGE_PX)
    _write(draw, (6, 4), title, font=font)
    middle, far = PANEL_PX // 2, PANEL_PX - 6
    right, down = frame.plane.right, frame.plane.down
    places: tuple[tuple[Any, tuple[int, int], str], ...] = (
        (-right, (6, middle), "lm"),
        (right, (far, middle), "rm"),
        (-down, (middle, 6), "ma"),
        (down, (middle, far), "ms"),
    )
    for direction, place, anchor in places:
        _write(draw, place, orientation_letters(direction), font=font, anchor=anchor)
    length = round(SCALE_BAR_MM / frame.mm_per_px)
    draw.line([(8, far - 2), (8 + length, far - 2)], fill=_TEXT, width=2)
    _write(draw, (8, far - 6), f"{SCALE_BAR_MM:.0f} mm", anchor="ls")


def _outline(panel: Bytes, contents: Contents, space: Space, frame: PixelFrame) -> None:
    """Colour the pixels on the rim of the gland's mask, in place."""
    gland = contents.gland(space)
    if gland is None:
        return
    volume_from_plane = None if space is Space.US else contents.us_from_mr.inverse()
    share = np.nan_to_num(slice_pixels(gland, frame, volume_from_plane=volume_from_plane))
    inside = share > 0.5
    panel[inside & ~binary_erosion(inside)] = _colour(space)


def _colour(space: Space) -> tuple[int, int, int]:
    return US_COLOUR if space is Space.US else MR_COLOUR


def _mark_targets(picture: Image.Image, frame: PixelFrame, contents: Contents) -> None:
    """Targets as circles where their sphere meets the plane, with their number in the list."""
    draw = ImageDraw.Draw(picture)
    for number, target in enumerate(contents.targets):
        position = contents.us_from_mr.apply(target.position_mr_mm)
        off_mm = abs(float(frame.plane.distance_mm(position)))
        if off_mm >= max(target.radius_mm, NEAR_MM):
            continue
        radius_mm = np.sqrt(max(target.radius_mm**2 - off_mm**2, 1.0))
        radius = float(radius_mm / frame.mm_per_px)
        x, y = frame.to_pixel(position).tolist()
        box = [x - radius, y - radius, x + radius, y + radius]
        draw.ellipse(box, outline=TARGET_COLOUR, width=2)
        place = (x + radius + 2, y)
        _write(draw, place, str(number + 1), fill=TARGET_COLOUR, anchor="lm")


def _mark(
    picture: Image.Image,
    frame: PixelFrame,
    landmarks: LandmarkSet,
    to_us: RigidTransform,
    *,
    named: bool,
) -> None:
    draw = ImageDraw.Draw(picture)
    is_us = landmarks.space is Space.US
    base = _colour(landmarks.space)
    for mark in (landmarks[name] for name in READER_NAMES if name in landmarks):
        position = to_us.apply(mark.position_mm)
        x, y = frame.to_pixel(position).tolist()
        if not (0 <= x < PANEL_PX and 0 <= y < PANEL_PX):
            continue
        near = abs(float(frame.plane.distance_mm(position))) <= NEAR_MM
        colour = base if near else (base[0] // 2, base[1] // 2, base[2] // 2)
        radius = 6 if near else 4
        if is_us:
            draw.ellipse([x - radius, y - radius, x + radius, y + radius], outline=colour, width=2)
        else:
            draw.line([(x - radius, y), (x + radius, y)], fill=colour, width=2)
            draw.line([(x, y - radius), (x, y + radius)], fill=colour, width=2)
        if near and named:
            shift, anchor = (8, "lm") if x < PANEL_PX * 0.65 else (-8, "rm")
            place = (x + shift, y)
            _write(draw, place, LABELS[mark.name], fill=colour, anchor=anchor)


def _write(
    draw: ImageDraw.ImageDraw,
    place: tuple[float, float],
    text: str,
    *,
    fill: tuple[int, int, int] = _TEXT,
    font: Any = None,
    anchor: str = "la",
) -> None:
    """Text with a dark rim, so that it reads on bright tissue too."""
    font = font or _font(_SMALL_PX)
    draw.text(place, text, fill, font, anchor, stroke_width=2, stroke_fill=(0, 0, 0))


def _stacked(rows: list[Image.Image]) -> Image.Image:
    width = max(row.width for row in rows)
    height = sum(row.height for row in rows) + _GAP_PX * (len(rows) - 1)
    whole = Image.new("RGB", (width, height))
    top = 0
    for row in rows:
        whole.paste(row, (0, top))
        top += row.height + _GAP_PX
    return whole


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
