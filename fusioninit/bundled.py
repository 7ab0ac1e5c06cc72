"""Files that ship with the program: network weights and the demo pair.

They lie in `models/` and `assets/` of a checkout, and inside the package in a wheel or a frozen
application. Whatever is handed out was compared with the SHA-256 listed beside it.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from fusioninit.errors import InputError

CHECKSUMS = "SHA256SUMS"

_PACKAGE = Path(__file__).resolve().parent


def model_path(filename: str) -> Path:
    """Path of a verified file of `models/`."""
    return _verified(_folder("models"), filename)


def has_model(filename: str) -> bool:
    """Whether `models/` holds this file at all; `model_path` verifies it."""
    return (_folder("models") / filename).is_file()


def asset_path(filename: str) -> Path:
    """Path of a verified file of `assets/`."""
    return _verified(_folder("assets"), filename)


def _folder(name: str) -> Path:
    packed = _PACKAGE / f"_{name}"
    return packed if packed.is_dir() else _PACKAGE.parent / name


@cache
def _verified(folder: Path, filename: str) -> Path:
    path = folder / filename
    if not path.is_file():
        raise InputError(
            f"{filename}: this file of the installation is missing; install fusioninit again"
        )
    expected = _checksums(folder).get(filename)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != expected:
        raise InputError(
            f"{filename}: this file of the installation is damaged (SHA-256 {found[:12]}, "
            f"expected {(expected or 'none listed')[:12]}); install fusioninit again"
        )
    return path


@cache
def _checksums(folder: Path) -> dict[str, str]:
    listing = folder / CHECKSUMS
    if not listing.is_file():
        return {}
    pairs = (
        line.split(maxsplit=1)
        for line in listing.read_text(encoding="utf-8").splitlines()
        if line.strip()
    )
    return {name.strip().lstrip("*"): digest for digest, name in pairs}
