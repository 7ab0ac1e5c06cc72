"""The one undo command: it swaps one immutable case for another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QUndoCommand

from fusioninit.state import Case

if TYPE_CHECKING:
    from fusioninit.session.session import Session

_MERGE_ID = 1


class EditCase(QUndoCommand):
    """Place, move, delete, import, accept a prediction, change the estimator: all are this.

    Commands of one `gesture` (all moves of one drag) merge into one undo step.
    """

    def __init__(
        self, session: Session, text: str, *, before: Case, after: Case, gesture: int | None
    ) -> None:
        super().__init__(text)
        self._session = session
        self.before = before
        self.after = after
        self.gesture = gesture
        self.by_person = True

    def redo(self) -> None:
        """Show the state after the edit."""
        self._session.show_case(self.after)

    def undo(self) -> None:
        """Show the state before the edit."""
        self._session.show_case(self.before)

    def id(self) -> int:
        """Commands with a gesture may merge; others never do."""
        return -1 if self.gesture is None else _MERGE_ID

    def mergeWith(self, other: QUndoCommand) -> bool:
        """Take over the later state of the same gesture."""
        if not isinstance(other, EditCase) or other.gesture != self.gesture:
            return False
        self.after = other.after
        return True
