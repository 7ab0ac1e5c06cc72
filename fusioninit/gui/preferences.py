"""What a person prefers and what they opened lately, kept in one INI file."""

from __future__ import annotations

import json
from pathlib import Path

from PySide6.QtCore import QByteArray, QObject, QSettings, Signal

from fusioninit.errors import ReadError
from fusioninit.state.pose_prior import PosePrior, prior_from_record, prior_to_record

MOST_RECENT = 8
DEVICES: dict[str, str | None] = {"Automatic": None, "CPU": "cpu", "GPU (CUDA)": "cuda"}
"""What can be chosen, and torch's word for it; automatic takes the GPU where there is one."""


class Preferences(QObject):
    """Typed access to the settings file; every value has a default."""

    changed = Signal()

    def __init__(self, path: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = QSettings(str(path), QSettings.Format.IniFormat)

    @property
    def theme(self) -> str:
        """Name in `fusioninit.gui.theme.THEMES`."""
        return str(self._settings.value("theme", "Dark"))

    @property
    def gestures(self) -> str:
        """Name in `fusioninit.gui.slice_mouse.GESTURES`."""
        return str(self._settings.value("gestures", "Clinical"))

    @property
    def nudge_mm(self) -> float:
        """Step of the arrow keys, where it is not a voxel."""
        return float(str(self._settings.value("nudge_mm", 0.5)))

    @property
    def nudges_by_voxel(self) -> bool:
        """Whether the arrow keys move by one voxel of the view's volume instead."""
        return str(self._settings.value("nudge_unit", "mm")) == "voxel"

    @property
    def detects_on_open(self) -> bool:
        """Whether landmarks are looked for as soon as a volume is open."""
        return str(self._settings.value("detects_on_open", "true")) == "true"

    @property
    def device(self) -> str:
        """Where the networks run: a name in `DEVICES`."""
        return str(self._settings.value("device", "Automatic"))

    @property
    def prior(self) -> PosePrior:
        """What is assumed of the pose when the window starts: what was chosen last."""
        try:
            return prior_from_record(json.loads(str(self._settings.value("prior", ""))))
        except (ValueError, ReadError):
            return PosePrior()

    def keep_prior(self, prior: PosePrior) -> None:
        """Assume this at the next start."""
        self._settings.setValue("prior", json.dumps(prior_to_record(prior)))

    @property
    def recent(self) -> list[list[str]]:
        """Lately opened, newest first: a saved case's path, or the MR's and the US's."""
        lines = self._settings.value("recent", [])
        known = [lines] if isinstance(lines, str) else list(lines or [])  # type: ignore[call-overload]
        return [str(line).split("|") for line in known if line]

    @property
    def folder(self) -> str:
        """Where the last file was chosen."""
        return str(self._settings.value("folder", ""))

    def set_value(self, name: str, value: object) -> None:
        """Keep a preference."""
        self._settings.setValue(name, value)
        self.changed.emit()

    def add_recent(self, paths: list[Path]) -> None:
        """Remember what was opened."""
        line = [str(path) for path in paths]
        kept = [line, *(old for old in self.recent if old != line)][:MOST_RECENT]
        self._settings.setValue("recent", ["|".join(paths) for paths in kept])
        self.changed.emit()

    @property
    def geometry(self) -> QByteArray | None:
        """Size and place of the window when it was last closed."""
        value = self._settings.value("geometry")
        return value if isinstance(value, QByteArray) else None

    def keep_geometry(self, geometry: QByteArray) -> None:
        """Remember size and place of the window."""
        self._settings.setValue("geometry", geometry)
        self._settings.sync()
