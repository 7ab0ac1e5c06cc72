"""Geometry that a person states where the file has none: voxel size and patient directions."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fusioninit.errors import InputError
from fusioninit.geometry import Grid
from fusioninit.imaging.headers import NO_DIRECTIONS, NO_SPACING
from fusioninit.imaging.volume import Volume

_AXES = {"L": (0, 1), "R": (0, -1), "P": (1, 1), "A": (1, -1), "S": (2, 1), "I": (2, -1)}


def directions_of(letters: str) -> NDArray[np.float64]:
    """(3, 3) whose columns are the LPS directions that i, j, k point to.

    >>> directions_of("LPS").tolist() == np.eye(3).tolist()
    True

    Raises
    ------
    InputError
        Not three letters of L R P A S I, or two of one axis.
    """
    upper = letters.upper()
    axes = [_AXES[letter] for letter in upper if letter in _AXES]
    if len(upper) != 3 or len(axes) != 3 or len({axis for axis, _ in axes}) != 3:
        raise InputError(
            f"orientation '{letters}': give where i, j and k point as three letters, such as LPS"
        )
    direction = np.zeros((3, 3))
    for column, (axis, sign) in enumerate(axes):
        direction[axis, column] = sign
    return direction


@dataclass(frozen=True)
class StatedGeometry:
    """Voxel size along i, j, k in mm, and where i, j, k point as three letters such as "LPS".

    Either may be left out.

    Raises
    ------
    InputError
        A size that is not three positive numbers, or letters that are no orientation.
    """

    spacing_mm: tuple[float, float, float] | None = None
    orientation: str = ""

    def __post_init__(self) -> None:
        if self.spacing_mm is not None:
            sizes = np.asarray(self.spacing_mm, dtype=np.float64)
            if sizes.shape != (3,) or not (np.isfinite(sizes).all() and (sizes > 0).all()):
                raise InputError(f"spacing {self.spacing_mm}: give three positive numbers in mm")
            x, y, z = sizes.tolist()
            object.__setattr__(self, "spacing_mm", (x, y, z))
        if self.orientation:
            directions_of(self.orientation)


def with_stated_geometry(volume: Volume, stated: StatedGeometry) -> Volume:
    """`volume` with what a person states about its voxels; the centre stays where it is.

    Warnings about what is now stated go.
    """
    if stated == StatedGeometry():
        return volume
    grid, warnings = volume.grid, volume.source.warnings
    spacing, direction = grid.spacing_mm, grid.direction
    if stated.spacing_mm is not None:
        spacing = np.asarray(stated.spacing_mm)
        warnings = tuple(text for text in warnings if NO_SPACING not in text)
    if stated.orientation:
        direction = directions_of(stated.orientation)
        warnings = tuple(text for text in warnings if NO_DIRECTIONS not in text)
    middle = (grid.size_xyz - 1) / 2
    origin = grid.center_mm - direction @ (middle * spacing)
    changed = Grid(grid.shape, spacing, origin, direction)
    return replace(volume, grid=changed).with_source(warnings=warnings)
