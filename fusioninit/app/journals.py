"""Where journals are kept: one file per case that was begun, the last few of them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from fusioninit.state import Journal

MOST_KEPT = 20
SUFFIX = ".journal.jsonl"


def new_journal(folder: Path) -> Journal | None:
    """A journal for a case that begins; None where the folder cannot be written."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    try:
        journal = Journal(folder / f"{stamp}{SUFFIX}")
        for old in sorted(folder.glob(f"*{SUFFIX}"))[:-MOST_KEPT]:
            old.unlink()
    except OSError:
        return None
    return journal
