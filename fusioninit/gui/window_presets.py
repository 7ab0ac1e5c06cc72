"""Grey-level windows by name, for menus."""

from __future__ import annotations

from fusioninit.imaging.volume import Volume

WINDOW_PRESETS: dict[str, tuple[float, float] | None] = {
    "as in the file": None,
    "whole range": (0.0, 100.0),
    "strong contrast": (10.0, 97.0),
    "bright": (1.0, 92.0),
    "dark": (25.0, 99.9),
}
"""Percentiles shown black and white: MR intensities have no unit, so no numbers would fit all."""


def preset_window(volume: Volume, preset: str) -> tuple[float, float]:
    """The values that a preset of `WINDOW_PRESETS` shows black and white."""
    limits = WINDOW_PRESETS[preset]
    return volume.display_window() if limits is None else volume.percentiles(*limits)
