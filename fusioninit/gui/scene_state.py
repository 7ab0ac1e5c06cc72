"""What the 3D view shows, chosen by the person and not undoable."""

from __future__ import annotations

from enum import StrEnum

from PySide6.QtCore import QObject, Signal

from fusioninit.geometry import Orientation, Space


class Body(StrEnum):
    """How an image stands in the scene."""

    SURFACE = "surface"
    VOLUME = "volume"
    OFF = "off"


class ErrorLook(StrEnum):
    """How the predicted error over the gland is shown."""

    OFF = "off"
    COLOURS = "colours"
    SHELL = "shell"


class SceneState(QObject):
    """Choices of one 3D view. Setters emit `changed` only where something changed."""

    changed = Signal()

    FLAGS = ("box", "other_side", "regions", "halos", "cores", "legend", "marker")
    """`box`: volumes only round the gland; `other_side`: cuts keep the other half; `regions` of
    landmarks; `halos` of targets; planned `cores`; `legend`; orientation `marker`."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bodies = {Space.US: Body.SURFACE, Space.MR: Body.SURFACE}
        # A coronal plane would hide the rest from a camera in front of the patient.
        self._planes = frozenset({Orientation.AXIAL, Orientation.SAGITTAL})
        self._cuts: frozenset[Orientation] = frozenset()
        self._error = ErrorLook.OFF
        self._flags = dict.fromkeys(self.FLAGS, True) | {"other_side": False, "regions": False}

    def body(self, space: Space) -> Body:
        """How the image of `space` is shown."""
        return self._bodies[space]

    def set_body(self, space: Space, body: Body) -> None:
        """Show an image as a surface, as a volume, or not."""
        if body is not self._bodies[space]:
            self._bodies[space] = body
            self.changed.emit()

    def shows_plane(self, orientation: Orientation) -> bool:
        """Whether a slice plane stands in the scene."""
        return orientation in self._planes

    def set_plane(self, orientation: Orientation, *, shown: bool) -> None:
        """Show or hide a slice plane."""
        if shown != self.shows_plane(orientation):
            self._planes ^= {orientation}
            self.changed.emit()

    def cuts_at(self, orientation: Orientation) -> bool:
        """Whether surfaces and volumes are cut at a slice plane."""
        return orientation in self._cuts

    def set_cut(self, orientation: Orientation, *, on: bool) -> None:
        """Cut surfaces and volumes at a slice plane, or leave them whole there."""
        if on != self.cuts_at(orientation):
            self._cuts ^= {orientation}
            self.changed.emit()

    @property
    def error(self) -> ErrorLook:
        """How the predicted error is shown."""
        return self._error

    def set_error(self, look: ErrorLook) -> None:
        """Show the predicted error otherwise."""
        if look is not self._error:
            self._error = look
            self.changed.emit()

    def flag(self, name: str) -> bool:
        """One of `FLAGS`."""
        return self._flags[name]

    def set_flag(self, name: str, *, on: bool) -> None:
        """Change one of `FLAGS`."""
        if on != self._flags[name]:
            self._flags[name] = on
            self.changed.emit()
