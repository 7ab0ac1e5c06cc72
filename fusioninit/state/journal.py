"""The journal: one JSON line on disk for every accepted edit, written before the next edit.

A torn last line (power cut, crash) is dropped on reading; everything before it counts.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fusioninit.errors import ReadError


@dataclass(frozen=True)
class JournalEntry:
    """One line: when (UTC, ISO 8601), what was done, and the state it led to."""

    time: str
    action: str
    state: dict[str, Any]


class Journal:
    """Append-only log of a case. Each `append` returns after the line is on disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)

    def append(self, action: str, state: dict[str, Any]) -> None:
        """Write one line and flush it to the disk. OSError where the disk refuses."""
        line = {"time": datetime.now(UTC).isoformat(), "action": action, "state": state}
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line, separators=(",", ":")) + "\n")
            stream.flush()
            os.fsync(stream.fileno())


def read_journal(path: Path) -> list[JournalEntry]:
    """All whole lines, oldest first.

    Raises
    ------
    ReadError
        A line other than the last is damaged.
    """
    lines = path.read_bytes().split(b"\n")
    entries = []
    for number, line in enumerate(lines, start=1):
        if not line:
            continue
        try:
            raw = json.loads(line.decode("utf-8"))
            entries.append(JournalEntry(raw["time"], raw["action"], raw["state"]))
        except (ValueError, KeyError, TypeError) as error:
            if number == len(lines):
                break
            raise ReadError(
                f"{path.name}: line {number} of the journal is damaged; "
                "remove that line, or start again from the saved case"
            ) from error
    return entries
