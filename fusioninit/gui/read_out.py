"""What lies under the pointer: position and voxel values, in words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from fusioninit.geometry import Space
from fusioninit.gui.calm import Calm
from fusioninit.imaging.volume import Volume
from fusioninit.session import Session
from fusioninit.state import Case


class ReadOut(QLabel):
    """The line at the foot of the window."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("faint")
        self.setIndent(8)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._session = session
        self._calm = Calm(session, self._write, self)
        self._space, self._position_mm = Space.US, np.zeros(3)

    def show_at(self, space: Space, position_mm: NDArray[np.float64]) -> None:
        """The pointer is over this point (LPS mm) of a view of `space`."""
        self._space, self._position_mm = space, position_mm
        self._calm.follow()

    def _write(self) -> None:
        self.setText(read_out(self._session.case, self._space, self._position_mm))


def read_out(case: Case, space: Space, position_mm: NDArray[np.float64]) -> str:
    """Position in `space` and the values of both volumes there, as far as they are known."""
    where = "  ".join(
        f"{ways[int(amount < 0)]} {abs(amount):.1f}"
        for ways, amount in zip(("LR", "PA", "SI"), position_mm, strict=True)
    )
    parts = [f"{space.upper()}  {where} mm"]
    points = {space: position_mm}
    us_from_mr = case.us_from_mr
    if us_from_mr is not None:
        other = Space.MR if space is Space.US else Space.US
        transform = us_from_mr.inverse() if space is Space.US else us_from_mr
        points[other] = transform.apply(position_mm)
    for each in (Space.US, Space.MR):
        volume = case.volume(each)
        if volume is not None and each in points:
            parts.append(f"{each.upper()} value {_value_text(volume, points[each])}")
    return "     ".join(parts)


def value_at(volume: Volume, position_mm: NDArray[np.float64]) -> float | None:
    """The nearest voxel's value, None outside the volume."""
    if not volume.grid.contains(position_mm):
        return None
    i, j, k = (int(n) for n in np.rint(volume.grid.to_index(position_mm)))
    inside = tuple(min(max(n, 0), s - 1) for n, s in zip((k, j, i), volume.grid.shape, strict=True))
    return float(volume.voxels[inside])


def _value_text(volume: Volume, position_mm: NDArray[np.float64]) -> str:
    value = value_at(volume, position_mm)
    return "outside" if value is None else f"{value:.5g}"
