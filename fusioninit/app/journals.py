"""Where journals are kept: one file per case that was begun, the last few of them.

A journal whose last line is not the window's closing one belongs to a session that ended
unexpectedly; its last state can be resumed. So can that of a case closed with unsaved edits.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from fusioninit.errors import ReadError
from fusioninit.geometry import Space
from fusioninit.imaging.volume import Volume
from fusioninit.session import CLOSED, CLOSED_UNSAVED
from fusioninit.state import Case, Journal, JournalEntry, read_journal
from fusioninit.state.case_file import with_record

MOST_KEPT = 20
SUFFIX = ".journal.jsonl"


def new_journal(folder: Path) -> Journal | None:
    """A journal for a case that begins; None where the folder cannot be written."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    try:
        journal = Journal(folder / f"{stamp}-{os.getpid()}{SUFFIX}")
        for old in sorted(folder.glob(f"*{SUFFIX}"))[:-MOST_KEPT]:
            old.unlink()
    except OSError:
        return None
    return journal


def unfinished(folder: Path) -> JournalEntry | None:
    """The last entry of the newest journal, where its session did not end with everything saved.

    A journal that another window is still writing (its process lives) is not unfinished.
    """
    journals = sorted(folder.glob(f"*{SUFFIX}"))
    if not journals or _is_alive(journals[-1]):
        return None
    try:
        entries = read_journal(journals[-1])
    except (ReadError, OSError):
        return None
    if not entries or entries[-1].action == CLOSED or not entries[-1].state.get("images"):
        return None
    return entries[-1]


def describe(entry: JournalEntry) -> str:
    """Why there is something to resume and what it is, in a sentence for a person."""
    names = [Path(image["path"]).name for image in entry.state["images"].values() if image["path"]]
    what = " and ".join(names) or "the demo"
    if entry.action == CLOSED_UNSAVED:
        return f"The last case was closed without being saved. Its edits are kept: {what}."
    return (
        f"The last session ended unexpectedly. Its case is safe: {what}, "
        f"last edit “{entry.action}”."
    )


def resumed(entry: JournalEntry, read: Callable[..., Volume]) -> Case:
    """The case of a journal's entry; its images are read again.

    Raises
    ------
    ReadError
        An image is gone or can no longer be read.
    """
    case = Case()
    for name, image in entry.state["images"].items():
        if not image.get("path"):
            raise ReadError(f"the {name.upper()} was not opened from a file; open it again")
        path = Path(image["path"])
        volume = read(path, space=Space(name), series_uid=image.get("series_uid") or None)
        case = case.with_volume(volume)
    return with_record(case, entry.state)


def _is_alive(journal: Path) -> bool:
    number = journal.name.removesuffix(SUFFIX).rpartition("-")[2]
    if not number.isdigit() or int(number) == os.getpid():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
