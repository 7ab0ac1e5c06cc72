"""SHA-256 of images: of a file, of a folder, of a header together with its data file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from fusioninit.errors import ReadError
from fusioninit.imaging.companions import files_of


def image_sha256(path: Path) -> str:
    """SHA-256 of an image file with the data file that its header names, or of all of a folder."""
    if path.is_dir():
        return files_sha256(sorted(p for p in path.rglob("*") if p.is_file()))
    try:
        return files_sha256(files_of(path))
    except ReadError:
        # what is no image is hashed as it is
        return files_sha256([path])


def files_sha256(files: Iterable[Path]) -> str:
    """SHA-256 over the SHA-256 of each file, in the order given."""
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()
