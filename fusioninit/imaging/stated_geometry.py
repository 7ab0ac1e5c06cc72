"""Geometry that a person states where the file has none: voxel size and patient directions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusioninit.errors import InputError

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

    @property
    def is_empty(self) -> bool:
        """Whether nothing is stated."""
        return self.spacing_mm is None and not self.orientation

    def to_record(self) -> dict[str, Any]:
        """As JSON values."""
        spacing = None if self.spacing_mm is None else list(self.spacing_mm)
        return {"spacing_mm": spacing, "orientation": self.orientation}

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> StatedGeometry:
        """What `to_record` gave."""
        spacing = record["spacing_mm"]
        return cls(None if spacing is None else tuple(spacing), record["orientation"])
