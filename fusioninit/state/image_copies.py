"""Copies of a case's images beside its file, for a case that is to travel whole."""

from __future__ import annotations

import shutil
from pathlib import Path

from fusioninit.errors import InputError
from fusioninit.geometry import Space
from fusioninit.imaging.volume import Volume
from fusioninit.state.case import Case


def with_copied_images(case: Case, folder: Path) -> Case:
    """The same case, its volumes referring to copies in `folder`/us and `folder`/mr.

    Of a DICOM series only its own files are copied. Copies already there are replaced.

    Raises
    ------
    InputError
        A volume was not read from a file, so there is nothing to copy.
    OSError
        The folder cannot be written, or the disk is full.
    """
    for space in (Space.US, Space.MR):
        volume = case.volume(space)
        if volume is not None:
            case = case.with_reference(_copied(volume, folder / space.value))
    return case


def _copied(volume: Volume, folder: Path) -> Volume:
    path = volume.source.path
    if path is None or not path.exists():
        raise InputError(
            f"the {volume.space.upper()} was not read from a file that is still there; "
            "save the case without copying its images"
        )
    files = _files(volume, path)
    fresh = folder.with_name(f".new-{folder.name}")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    for number, file in enumerate(files):
        # files of one name in several folders stay apart
        name = f"{number:05d}-{file.name}" if len(files) > 1 else file.name
        shutil.copy2(file, fresh / name)
    if not any(folder.resolve() in file.resolve().parents for file in files):
        shutil.rmtree(folder, ignore_errors=True)
        fresh.rename(folder)
    else:  # the images are the copies already
        shutil.rmtree(fresh)
        return volume
    return volume.with_source(path=folder if len(files) > 1 else folder / files[0].name)


def _files(volume: Volume, path: Path) -> list[Path]:
    """What must travel: the series' files, or the file and the data file its header names."""
    if volume.source.format == "dicom":
        from fusioninit.imaging.dicom_study import study_in

        series = [s for s in study_in(path).series if s.uid == volume.source.series_uid]
        return [file for s in series for file in s.paths] or [path]
    if path.suffix.lower() in (".mhd", ".nhdr"):
        raise InputError(
            f"{path.name} keeps its voxels in another file; save the case without copying its "
            "images, or save the image as one file (.mha, .nrrd)"
        )
    return [path]
