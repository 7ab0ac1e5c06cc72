"""The choice of what is assumed of the pose: the type of probe, or what was learned."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QComboBox, QWidget

from fusioninit.registration import Probe
from fusioninit.state.pose_prior import PosePrior

LEARN = "Learn from accepted exports…"

TIP = (
    "How MR and US are usually turned against each other, before any landmark is seen. "
    "Used by MAP, Robust MAP and the automatic choice, and by the warning of an unusual rotation. "
    "Kept with the case; the last choice is there again at the next start."
)


class PriorChoice(QComboBox):
    """Shows the case's prior; a choice is only asked for, the case decides."""

    chosen = Signal(object)
    """A `PosePrior`."""
    learning_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._priors = [PosePrior.for_probe(probe) for probe in Probe]
        self._shown = self._priors[0]
        self._own: PosePrior | None = None
        self.setAccessibleName("Assumed of the pose")
        self.setToolTip(TIP)
        self.activated.connect(self._choose)
        self._fill()

    def show_prior(self, prior: PosePrior) -> None:
        """Make `prior` the current entry; the last that is no type of probe has one of its own."""
        if prior is not self._shown:
            self._shown = prior
            if prior.name not in [probe.name for probe in self._priors]:
                self._own = prior
            self._fill()

    def _fill(self) -> None:
        with QSignalBlocker(self):
            self.clear()
            self._entries = [*self._priors, *([] if self._own is None else [self._own])]
            for prior in self._entries:
                self.addItem(prior.name[:1].upper() + prior.name[1:])
            self.addItem(LEARN)
            self.setCurrentIndex(self._index_shown())

    def _choose(self, index: int) -> None:
        if index < len(self._entries):
            self.chosen.emit(self._entries[index])
        else:
            with QSignalBlocker(self):
                self.setCurrentIndex(self._index_shown())
            self.learning_requested.emit()

    def _index_shown(self) -> int:
        # by name: a case from a file has a value of its own for a type of probe
        return [prior.name for prior in self._entries].index(self._shown.name)
