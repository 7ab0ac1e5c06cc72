"""Copies of a case's images beside its file, for a case that is to travel whole.

Each copy lies in a folder named by its contents, so that a new copy never takes the place of the
one that the case file on disk still refers to. What it no longer refers to goes afterwards.
"""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path

from fusioninit.errors import InputError
from fusioninit.geometry import Space
from fusioninit.imaging.companions import files_of
from fusioninit.imaging.volume import Volume
from fusioninit.state.case import Case
from fusioninit.state.image_hash import files_sha256

_OURS = re.compile(r"(us|mr)(-[0-9a-f]{8})?|\.new-(us|mr)-[0-9a-f]{8}")
"""Folders of copies, also those of earlier versions ("us") and of copying that was cut off."""


def with_copied_images(case: Case, folder: Path) -> Case:
    """The same case, its volumes referring to copies in `folder`; nothing there is changed.

    Of a DICOM series only its own files are copied.

    Raises
    ------
    InputError
        A volume was not read from a file, so there is nothing to copy.
    OSError
        The folder cannot be written, the disk is full, or a copy is not what was copied.
    """
    for space in (Space.US, Space.MR):
        volume = case.volume(space)
        if volume is not None:
            case = case.with_reference(_copied(volume, folder))
    return case


def remove_other_copies(case: Case, folder: Path) -> None:
    """Remove the copies in `folder` that no volume of `case` refers to."""
    volumes = filter(None, (case.us, case.mr))
    paths = [v.source.path.resolve() for v in volumes if v.source.path is not None]
    for place in folder.iterdir() if folder.is_dir() else ():
        is_used = any(place.resolve() in (path, *path.parents) for path in paths)
        if _OURS.fullmatch(place.name) and place.is_dir() and not is_used:
            shutil.rmtree(place, ignore_errors=True)


def _copied(volume: Volume, folder: Path) -> Volume:
    path = volume.source.path
    if path is None or not path.exists():
        raise InputError(
            f"the {volume.space.upper()} was not read from a file that is still there; "
            "save the case without copying its images"
        )
    files = _files(volume, path)
    if all(folder.resolve() in file.resolve().parents for file in files):
        return volume  # the images are the copies already
    wanted = files_sha256(files)
    place = folder / f"{volume.space.value}-{wanted[:8]}"
    is_series = path not in files
    copies = _in_order(files, place, numbered=is_series)
    if not _hold(copies, wanted):
        shutil.rmtree(place, ignore_errors=True)  # copies that were damaged or lost
        _copy(files, place, numbered=is_series)
    if not _hold(copies, wanted):
        raise OSError(f"the copy of {path.name} differs from the original; choose another disk")
    return volume.with_source(path=place if is_series else place / path.name)


def _hold(copies: Sequence[Path], sha256: str) -> bool:
    return all(copy.is_file() for copy in copies) and files_sha256(copies) == sha256


def _copy(files: Sequence[Path], place: Path, *, numbered: bool) -> None:
    fresh = place.with_name(f".new-{place.name[:2]}-{secrets.token_hex(4)}")
    fresh.mkdir(parents=True)
    for file, copy in zip(files, _in_order(files, fresh, numbered=numbered), strict=True):
        shutil.copy2(file, copy)
    fresh.rename(place)


def _in_order(files: Sequence[Path], place: Path, *, numbered: bool) -> list[Path]:
    """Where each file's copy lies: numbered, because several folders may hold files of one name."""
    return [
        place / (f"{number:05d}-{file.name}" if numbered else file.name)
        for number, file in enumerate(files)
    ]


def _files(volume: Volume, path: Path) -> list[Path]:
    """What must travel: the series' files, or the file and the data file its header names."""
    if volume.source.format == "dicom":
        from fusioninit.imaging.dicom_study import study_in

        series = [s for s in study_in(path).series if s.uid == volume.source.series_uid]
        return [file for s in series for file in s.paths] or [path]
    return list(files_of(path)) if volume.source.format else [path]
