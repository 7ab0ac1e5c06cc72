"""Putting a file in place only after what was written has been read back and agreed."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def placed(path: Path) -> Iterator[Path]:
    """A fresh name beside `path` to write to and verify; moved to `path` at once on leaving.

    The name keeps `path`'s suffixes, because many writers choose the format by them. If the block
    raises, the new file goes and an older one at `path` stays as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".new-{secrets.token_hex(4)}-{path.name}")
    try:
        yield beside
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
