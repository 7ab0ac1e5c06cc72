"""`Session` owns the case that is open; nothing else replaces it. Every edit is undoable.

view (drag, position in mm, gesture) -> `Session.move_landmark` -> undo stack -> new `Case`
-> signals -> views redraw. The journal has each accepted edit on disk before the next one.
"""

from __future__ import annotations

from dataclasses import replace

from numpy.typing import ArrayLike
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoStack

from fusioninit.geometry import Space
from fusioninit.imaging.volume import Volume
from fusioninit.landmarks import LABELS, LandmarkName, LandmarkSet, Source
from fusioninit.session.edits import EditCase
from fusioninit.session.protocols import Detection
from fusioninit.state import Case, Core, Decision, Journal, Target
from fusioninit.state.case_file import case_record
from fusioninit.state.pose_prior import PosePrior

CLOSED = "close"
"""The journal's last action when a session ended as it should."""
CLOSED_UNSAVED = "close without saving"
"""The same, where a person's edits are in no saved case: they can be resumed."""


class Session(QObject):
    """The open case, its undo stack and its journal."""

    case_opened = Signal()
    """Another case, or another volume of it, is shown; views start afresh."""
    landmarks_changed = Signal(Space)
    gland_changed = Signal(Space)
    registration_changed = Signal()
    """The transform, its estimator, or the reason why there is none has changed."""
    targets_changed = Signal()
    cores_changed = Signal()
    decision_changed = Signal()
    saved = Signal()
    rested = Signal()
    """A drag has ended; what followed it only now and then can show its result."""
    refused = Signal(str)
    """An edit was not made, and why, in one sentence (a locked landmark, a full disk)."""

    def __init__(self, case: Case | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.undo_stack = QUndoStack(self)
        self._case = case or Case()
        self._journal: Journal | None = None
        self._gestures = 0
        self._is_dragging = False
        self._began_unsaved = False

    @property
    def case(self) -> Case:
        """The case as it is now."""
        return self._case

    @property
    def is_dragging(self) -> bool:
        """Whether edits of one gesture are still coming in."""
        return self._is_dragging

    @property
    def has_unsaved_work(self) -> bool:
        """Whether a person has edited the case and not saved it; a detection alone is no edit."""
        if self._began_unsaved:
            return True
        if self.undo_stack.isClean():
            return False
        commands = (self.undo_stack.command(at) for at in range(self.undo_stack.index()))
        return any(isinstance(each, EditCase) and each.by_person for each in commands)

    # -- opening (not undoable: it starts a new history) --------------------------------------

    def open_case(
        self, case: Case, *, journal: Journal | None = None, unsaved: bool = False
    ) -> None:
        """Show another case. The undo history starts anew; edits go to `journal`.

        `unsaved` where the case holds edits of a person that no saved case has.
        """
        self._is_dragging = False
        self._began_unsaved = unsaved
        self.undo_stack.clear()
        self._journal = journal
        self._case = case
        self.case_opened.emit()
        self._record("open")

    def open_volume(self, volume: Volume) -> None:
        """Show `volume` in its space; landmarks of the volume it replaces go with it."""
        case = self._case.with_volume(volume)
        self.open_case(case, journal=self._journal, unsaved=self.has_unsaved_work)

    def mark_saved(self) -> None:
        """The case as it is now lies in a saved file."""
        self._began_unsaved = False
        self.undo_stack.setClean()
        self.saved.emit()

    def record_to(self, journal: Journal | None) -> None:
        """Write edits from now on to `journal`, beginning with the present state."""
        self._journal = journal
        self._record("journal begins")

    def note(self, action: str) -> None:
        """Write into the journal what a person answered; the case stays as it is."""
        self._record(action)

    def end(self) -> None:
        """The window is closed: the journal ends as it should, and says what is left unsaved."""
        self._record(CLOSED_UNSAVED if self.has_unsaved_work else CLOSED)
        self._journal = None

    # -- landmarks ----------------------------------------------------------------------------

    def new_gesture(self) -> int:
        """An id under which all moves of one drag merge into one undo step."""
        self._gestures += 1
        return self._gestures

    def move_landmark(
        self,
        space: Space,
        name: LandmarkName,
        position_mm: ArrayLike,
        *,
        gesture: int | None = None,
    ) -> None:
        """Place or move a landmark (LPS mm of `space`). Ends a gesture with `end_gesture`."""
        marks = self._case.landmarks(space)
        if name in marks and marks[name].locked:
            self._refuse_locked(space, name)
            return
        verb = "Move" if name in marks else "Place"
        after = self._case.with_landmarks(marks.with_position(name, position_mm))
        self._push(f"{verb} {LABELS[name].lower()} in {space.upper()}", after, gesture=gesture)

    def end_gesture(self, gesture: int) -> None:
        """The drag was released: its result goes to the journal."""
        self._rest()
        command = self._top_command()
        if isinstance(command, EditCase) and command.gesture == gesture:
            self._record(command.text())

    def cancel_gesture(self, gesture: int) -> None:
        """Esc during a drag: everything is as before it, and no undo step remains."""
        command = self._top_command()
        if isinstance(command, EditCase) and command.gesture == gesture:
            command.undo()
            command.setObsolete(True)  # the stack then drops it without undoing it again
            self.undo_stack.undo()
        self._rest()

    def _rest(self) -> None:
        if self._is_dragging:
            self._is_dragging = False
            self.rested.emit()

    def delete_landmark(self, space: Space, name: LandmarkName) -> None:
        """Remove a landmark."""
        marks = self._case.landmarks(space)
        if name in marks and marks[name].locked:
            self._refuse_locked(space, name, verb="delete")
        elif name in marks:
            after = self._case.with_landmarks(marks.without(name))
            self._push(f"Delete {LABELS[name].lower()} in {space.upper()}", after)

    def confirm_landmark(self, space: Space, name: LandmarkName, *, confirmed: bool = True) -> None:
        """Mark a landmark as checked by a person, which also locks it; or take that back."""
        mark = self._case.landmarks(space)[name]
        source = Source.CONFIRMED if confirmed else Source.EDITED
        changed = replace(mark, source=source, locked=confirmed)
        after = self._case.with_landmarks(self._case.landmarks(space).with_landmark(changed))
        verb = "Confirm" if confirmed else "Unconfirm"
        self._push(f"{verb} {LABELS[name].lower()} in {space.upper()}", after)

    def lock_landmark(self, space: Space, name: LandmarkName, *, locked: bool) -> None:
        """Lock or unlock a landmark against moves."""
        mark = replace(self._case.landmarks(space)[name], locked=locked)
        after = self._case.with_landmarks(self._case.landmarks(space).with_landmark(mark))
        verb = "Lock" if locked else "Unlock"
        self._push(f"{verb} {LABELS[name].lower()} in {space.upper()}", after)

    def revert_landmark(self, space: Space, name: LandmarkName) -> None:
        """Put a landmark back to where the network proposed it."""
        predicted, marks = self._case.predicted(space).get(name), self._case.landmarks(space)
        if predicted is None:
            self.refused.emit(
                f"{LABELS[name]} in {space.upper()} was never predicted; run detection"
            )
        elif name in marks and marks[name].locked:
            self._refuse_locked(space, name)
        else:
            after = self._case.with_landmarks(marks.with_landmark(predicted))
            self._push(f"Revert {LABELS[name].lower()} in {space.upper()}", after)

    def use_second(self, space: Space, name: LandmarkName) -> None:
        """Put a landmark where the second network proposed it."""
        second, marks = self._case.second(space).get(name), self._case.landmarks(space)
        if second is None:
            self.refused.emit(
                f"No second network placed the {LABELS[name].lower()} in {space.upper()}; "
                "run detection"
            )
        elif name in marks and marks[name].locked:
            self._refuse_locked(space, name)
        else:
            after = self._case.with_landmarks(marks.with_landmark(second))
            self._push(f"Second network's {LABELS[name].lower()} in {space.upper()}", after)

    def use_second_for_all(self) -> None:
        """Put all landmarks of both images where the second network has them, as one undo step.

        Locked ones stay.
        """
        after, is_changed = self._case, False
        for space in (Space.US, Space.MR):
            marks = after.landmarks(space)
            for second in after.second(space).values():
                if second.name not in marks or not marks[second.name].locked:
                    marks, is_changed = marks.with_landmark(second), True
            after = after.with_landmarks(marks)
        if is_changed:
            self._push("Second network's landmarks", after)
        else:
            self.refused.emit("No second network placed a landmark that could move; run detection")

    def import_landmarks(self, landmarks: LandmarkSet) -> None:
        """Take a whole set, as read from a file."""
        self._push(
            f"Import {landmarks.space.upper()} landmarks", self._case.with_landmarks(landmarks)
        )

    def accept_detection(self, detection: Detection, *, only: LandmarkName | None = None) -> None:
        """Take the network's answer as the current landmarks and gland of its space.

        With `only`, that landmark alone is taken; everything else stays.
        """
        found, space = detection.landmarks, detection.landmarks.space
        if only is None:
            after = self._case.with_prediction(found, detection.gland, detection.second)
            self._push(f"Detect landmarks in {space.upper()}", after, by_person=False)
            return
        marks = self._case.landmarks(space)
        if only in marks and marks[only].locked:
            self._refuse_locked(space, only)
        elif only in found:
            predicted = self._case.predicted(space).with_landmark(found[only])
            second = self._case.second(space).without(only)
            if detection.second is not None and only in detection.second:
                second = second.with_landmark(detection.second[only])
            proposed = self._case.with_prediction(predicted, self._case.gland(space), second)
            after = proposed.with_landmarks(marks.with_landmark(found[only]))
            self._push(f"Detect {LABELS[only].lower()} in {space.upper()}", after)

    def _refuse_locked(self, space: Space, name: LandmarkName, *, verb: str = "move") -> None:
        self.refused.emit(f"{LABELS[name]} in {space.upper()} is locked; unlock it to {verb} it")

    # -- the rest of the case ------------------------------------------------------------------

    def set_estimator(self, estimator: str) -> None:
        """Solve with another estimator of `fusioninit.registration.ESTIMATORS`."""
        if estimator != self._case.estimator:
            self._push(f"Estimator {estimator}", self._case.with_estimator(estimator))

    def set_prior(self, prior: PosePrior) -> None:
        """Assume something else of the pose before any landmark is seen."""
        if prior is not self._case.prior:
            self._push(f"Prior: {prior.name}", self._case.with_prior(prior))

    def set_gland(self, gland: Volume) -> None:
        """Take a gland mask from outside."""
        self._push(f"Load {gland.space.upper()} gland", self._case.with_gland(gland))

    def set_targets(self, targets: tuple[Target, ...]) -> None:
        """Replace the list of targets."""
        self._push("Change targets", self._case.with_targets(targets))

    def set_cores(self, cores: tuple[Core, ...], *, action: str = "Change cores") -> None:
        """Replace the needle plan, as when a template was generated; `action` names the undo."""
        self._push_cores(action, cores)

    def add_core(self, core: Core) -> None:
        """Add one core to the plan; refused where its name is taken."""
        self._push_cores(f"Add core {core.name}", (*self._case.cores, core))

    def remove_core(self, name: str) -> None:
        """Take one core out of the plan."""
        kept = tuple(core for core in self._case.cores if core.name != name)
        if len(kept) < len(self._case.cores):
            self._push_cores(f"Remove core {name}", kept)

    def move_core(
        self,
        name: str,
        *,
        entry_us_mm: ArrayLike | None = None,
        tip_us_mm: ArrayLike | None = None,
        gesture: int | None = None,
    ) -> None:
        """Move a core's entry, tip or both (LPS mm of US). Ends a gesture with `end_gesture`."""
        try:
            cores = tuple(
                core.moved(entry_us_mm=entry_us_mm, tip_us_mm=tip_us_mm)
                if core.name == name
                else core
                for core in self._case.cores
            )
        except ValueError as error:
            self.refused.emit(str(error))
            return
        self._push_cores(f"Move core {name}", cores, gesture=gesture)

    def decide(self, decision: Decision | None) -> None:
        """Accept or reject the alignment, or withdraw the decision."""
        verb = (
            "Withdraw decision" if decision is None else "Accept" if decision.accepted else "Reject"
        )
        self._push(verb, self._case.with_decision(decision))

    # -- for EditCase ---------------------------------------------------------------------------

    def show_case(self, case: Case) -> None:
        """Replace the case and tell who shows what changed. Called by undo commands only."""
        before, self._case = self._case, case
        solved_anew = before.estimator != case.estimator or before.prior is not case.prior
        for space in (Space.US, Space.MR):
            if before.landmarks(space) is not case.landmarks(space):
                solved_anew = True
                self.landmarks_changed.emit(space)
            if before.gland(space) is not case.gland(space):
                solved_anew = True
                self.gland_changed.emit(space)
        if solved_anew:
            self.registration_changed.emit()
        if before.targets is not case.targets:
            self.targets_changed.emit()
        if before.cores is not case.cores:
            self.cores_changed.emit()
        if before.decision is not case.decision:
            self.decision_changed.emit()

    def undo(self) -> None:
        """Take back the last edit; the journal notes it."""
        text = self.undo_stack.undoText()
        self.undo_stack.undo()
        self._record(f"Undo {text}")

    def redo(self) -> None:
        """Make the last undone edit again; the journal notes it."""
        text = self.undo_stack.redoText()
        self.undo_stack.redo()
        self._record(f"Redo {text}")

    def _push(
        self, text: str, after: Case, *, gesture: int | None = None, by_person: bool = True
    ) -> None:
        self._is_dragging = gesture is not None
        command = EditCase(self, text, before=self._case, after=after, gesture=gesture)
        command.by_person = by_person
        self.undo_stack.push(command)
        if gesture is None:
            self._record(text)

    def _push_cores(
        self, text: str, cores: tuple[Core, ...], *, gesture: int | None = None
    ) -> None:
        try:
            after = self._case.with_cores(cores)
        except ValueError as error:
            self.refused.emit(str(error))
            return
        self._push(text, after, gesture=gesture)

    def _top_command(self) -> object:
        index = self.undo_stack.index()
        return self.undo_stack.command(index - 1) if index else None

    def _record(self, action: str) -> None:
        if self._journal is None:
            return
        try:
            self._journal.append(action, case_record(self._case))
        except OSError as error:
            self.refused.emit(
                f"the journal cannot be written ({error.strerror}); save the case now"
            )
