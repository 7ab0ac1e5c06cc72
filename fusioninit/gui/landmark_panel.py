"""The landmark table and what can be done with the landmark chosen in it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QPushButton, QWidget

from fusioninit.geometry import Space
from fusioninit.gui.calm import Calm
from fusioninit.gui.card import Card
from fusioninit.gui.glyphs import icon
from fusioninit.gui.landmark_table import LandmarkTable
from fusioninit.gui.theme import SPACE_NAME
from fusioninit.gui.view_state import ViewState
from fusioninit.landmarks import LABELS, LandmarkName, Source
from fusioninit.session import Session

_BUTTONS = {
    "confirm": ("check-bold", "Confirm", "Checked by a person; locks the landmark (C)"),
    "place": ("map-marker-plus", "Place", "Put the landmark at the crosshair (P)"),
    "revert": ("undo-variant", "Revert", "Back to where the network proposed it"),
    "delete": ("delete-outline", "Delete", "Remove the landmark (Del)"),
}


class LandmarkPanel(Card):
    """Acts on the selected landmark; `detect_requested` asks for the network."""

    detect_requested = Signal()

    def __init__(
        self, session: Session, view_state: ViewState, parent: QWidget | None = None
    ) -> None:
        super().__init__("Landmarks", parent)
        self._session, self._view_state = session, view_state
        self.table = LandmarkTable(session, view_state)
        self.hint = QLabel()
        self.hint.setObjectName("faint")
        self.hint.setToolTip("S shows the second network's landmarks, U takes its position")
        self.detect = QPushButton("Detect")
        self.detect.setToolTip("Find the landmarks of both images with the networks (Ctrl+D)")
        self.buttons: dict[str, QPushButton] = {}
        for name, (picture, text, tip) in _BUTTONS.items():
            button = self.buttons[name] = QPushButton(icon(picture), text)
            button.setToolTip(tip)
            button.clicked.connect(getattr(self, f"{name}_selected"))
        self._arrange()
        self.detect.clicked.connect(self.detect_requested)
        self.table.removal_requested.connect(self.delete_selected)
        session.case_opened.connect(self._show_selection)
        session.landmarks_changed.connect(Calm(session, self._show_selection, self).follow)
        view_state.selection_changed.connect(self._show_selection)
        view_state.fusion_changed.connect(self._show_auxiliary)
        self._show_selection()

    def _arrange(self) -> None:
        self.detect.setIcon(icon("radar"))
        self.top.addWidget(self.detect)
        self.column.addWidget(self.table)
        self.column.addWidget(self.hint)
        grid = QGridLayout()
        grid.setSpacing(6)
        for number, button in enumerate(self.buttons.values()):
            button.setMinimumWidth(40)
            grid.addWidget(button, 0, number)
        self.column.addLayout(grid)

    def confirm_selected(self) -> None:
        """Confirm the selected landmark, or take its confirmation back; then on to the next."""
        chosen = self._chosen()
        if chosen is not None:
            space, name = chosen
            mark = self._session.case.landmarks(space)[name]
            self._session.confirm_landmark(
                space, name, confirmed=mark.source is not Source.CONFIRMED
            )

    def place_selected(self) -> None:
        """Put the selected landmark at its space's crosshair."""
        selection = self._view_state.selection
        if selection is not None and self._session.case.volume(selection[0]) is not None:
            space, name = selection
            self._session.move_landmark(space, name, self._view_state.crosshair_mm(space))

    def lock_selected(self) -> None:
        """Lock the selected landmark against moves, or unlock it."""
        chosen = self._chosen()
        if chosen is not None:
            mark = self._session.case.landmarks(chosen[0])[chosen[1]]
            self._session.lock_landmark(*chosen, locked=not mark.locked)

    def revert_selected(self) -> None:
        """Put the selected landmark where the network proposed it."""
        selection = self._view_state.selection
        if selection is not None:
            self._session.revert_landmark(*selection)

    def use_second_for_selected(self) -> None:
        """Put the selected landmark where the second network has it."""
        selection = self._view_state.selection
        if selection is not None:
            self._session.use_second(*selection)

    def delete_selected(self) -> None:
        """Remove the selected landmark."""
        chosen = self._chosen()
        if chosen is not None:
            self._session.delete_landmark(*chosen)

    def _show_auxiliary(self) -> None:
        shown = self._view_state.flag("auxiliary")
        if shown != self.table.landmarks.shows_auxiliary:
            self.table.landmarks.show_auxiliary(shown=shown)

    def _chosen(self) -> tuple[Space, str] | None:
        selection = self._view_state.selection
        if selection is None or selection[1] not in self._session.case.landmarks(selection[0]):
            return None
        return selection

    def _show_selection(self, _space: Space | None = None) -> None:
        selection, case = self._view_state.selection, self._session.case
        chosen = self._chosen()
        mark = None if chosen is None else case.landmarks(chosen[0])[chosen[1]]
        can_place = selection is not None and case.volume(selection[0]) is not None
        self.buttons["confirm"].setEnabled(mark is not None)
        confirmed = mark is not None and mark.source is Source.CONFIRMED
        self.buttons["confirm"].setText("Unconfirm" if confirmed else "Confirm")
        is_locked = mark is not None and mark.locked
        self.buttons["place"].setEnabled(can_place and not is_locked)
        self.buttons["delete"].setEnabled(mark is not None and not is_locked)
        predicted = selection is not None and selection[1] in case.predicted(selection[0])
        self.buttons["revert"].setEnabled(predicted and not is_locked)
        if selection is None:
            self.hint.setText("Choose a landmark: click it, or press 1, 2, 3")
        else:
            self.hint.setText(self._about(*selection))

    def _about(self, space: Space, name: LandmarkName) -> str:
        text = f"{LABELS[name]} in {SPACE_NAME[space]}"
        apart = self._session.case.disagreement(space)
        if apart is None or name not in apart.distances_mm:
            return text
        return f"{text} · second network {apart.distances_mm[name]:.1f} mm off"
