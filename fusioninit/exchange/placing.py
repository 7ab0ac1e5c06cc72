"""Putting files in place only after what was written has been read back and agreed.

`placed` is for one file, `fresh_folder` and `put_in_place` for files that belong together.
"""

from __future__ import annotations

import glob
import os
import secrets
import shutil
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


def fresh_folder(out: Path) -> Path:
    """A new, empty folder for files that are to be put in `out` together.

    Where `out` is not there yet, or empty, it lies beside it and takes its place as a whole;
    otherwise it lies in it.

    Raises
    ------
    OSError
        Nothing can be written there.
    """
    if out.exists() and not out.is_dir():
        raise NotADirectoryError(20, "it is a file", str(out))
    if _can_be_renamed_to(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        fresh = out.parent / f".new-{out.name}-{secrets.token_hex(4)}"
    else:
        fresh = out / f".new-{secrets.token_hex(4)}"
    fresh.mkdir()
    return fresh


def put_in_place(fresh: Path, out: Path, *, known: frozenset[str], last: str) -> None:
    """Move all files of `fresh_folder(out)` to `out`; of `known` names, those it lacks go.

    Files of other names in `out` are not touched. What was there before leaves before anything new
    comes; the file called `last` leaves first and comes when all others are there. Killed in
    between, `out` never holds files of two makings, and holds `last` only if it is whole.

    Raises
    ------
    OSError
        Something could not be moved; then `out` is as it was.
    """
    if fresh.parent != out:
        if out.exists():
            out.rmdir()
        fresh.rename(out)
        _sweep(out.parent, f".new-{glob.escape(out.name)}-*")
        return
    old = out / f".old-{secrets.token_hex(4)}"
    old.mkdir()
    there = sorted((name for name in known if (out / name).is_file()), key=lambda n: n != last)
    new = sorted(fresh.iterdir(), key=lambda path: path.name == last)
    leaving = [(out / name, old / name) for name in there]
    try:
        _move_all([*leaving, *((path, out / path.name) for path in new)])
    except OSError:
        old.rmdir()
        raise
    _sweep(out, ".new-*", ".old-*")


def _can_be_renamed_to(out: Path) -> bool:
    """Whether a folder beside `out` can take its place at once."""
    if not out.exists():
        return not out.is_symlink()
    is_plain = not out.is_symlink() and not any(out.iterdir()) and out.resolve() != Path.cwd()
    return (
        is_plain
        and os.access(out.parent, os.W_OK)
        and out.stat().st_dev == out.parent.stat().st_dev
    )


def _move_all(moves: list[tuple[Path, Path]]) -> None:
    done: list[tuple[Path, Path]] = []
    try:
        for start, end in moves:
            start.rename(end)
            done.append((start, end))
    except OSError:
        for start, end in reversed(done):
            end.rename(start)
        raise


def _sweep(folder: Path, *patterns: str) -> None:
    """Remove what earlier work that was killed has left."""
    for pattern in patterns:
        for place in folder.glob(pattern):
            shutil.rmtree(place, ignore_errors=True)
