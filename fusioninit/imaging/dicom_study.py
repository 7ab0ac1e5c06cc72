"""The DICOM images of a folder, sorted into series; or of a file, the series it belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from pydicom.dataset import Dataset

from fusioninit.errors import ReadError
from fusioninit.imaging.dicom_frames import PYDICOM_ERRORS, frames_of, modality_of, read_header
from fusioninit.imaging.dicom_series import Series

MAX_FILES = 20_000
_OTHER_SUFFIXES = {
    ".jpg", ".jpeg", ".png", ".gif", ".txt", ".xml", ".html", ".json", ".csv", ".pdf", ".zip",
    ".exe", ".nii", ".gz", ".nrrd", ".mha", ".mhd", ".stl", ".md", ".py",
}  # fmt: skip
_NOT_IMAGES = {"SEG", "RTDOSE", "RTSTRUCT", "RTPLAN", "PR", "SR", "KO", "REG", "ECG", "RWV"}
_OPENABLE = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")


@dataclass(frozen=True)
class Study:
    """Series found, and names of DICOM files whose header cannot be read."""

    series: tuple[Series, ...]
    damaged: tuple[str, ...] = ()

    def warnings(self) -> tuple[str, ...]:
        """A sentence about damaged files, which may be the end slices of a series."""
        if not self.damaged:
            return ()
        count = len(self.damaged)
        return (
            f"{count} DICOM file{'s' if count > 1 else ''} could not be read "
            f"({', '.join(self.damaged[:3])}): slices may be missing at an end",
        )


def study_in(path: Path) -> Study:
    """All image series of a folder and the folders in it; of a file, the one it belongs to.

    Raises
    ------
    ReadError
        No DICOM image there, or more files than are looked through.
    """
    if path.is_file():
        return _study_of_file(path)
    study = _study_of(_candidate_files(path))
    if not study.series:
        raise ReadError(f"{path.name}: the folder holds no DICOM image; {_instead(path)}")
    return study


def _study_of(files: Iterator[Path]) -> Study:
    found: dict[str, list[tuple[Path, Dataset]]] = {}
    damaged = []
    for file in files:
        header = _header(file)
        if header is None or not header.get("SOPClassUID"):
            if _says_dicom(file) and file.name.upper() != "DICOMDIR":
                damaged.append(file.name)
        elif _is_image(header):
            uid = str(header.get("SeriesInstanceUID") or "")
            found.setdefault(uid, []).append((file, header))
    return Study(tuple(_series(uid, items) for uid, items in found.items()), tuple(damaged))


def _study_of_file(path: Path) -> Study:
    header = _header(path, force=True)
    if header is None and _says_dicom(path):
        raise ReadError(f"{path.name}: its DICOM header is damaged; copy the file again")
    if header is None or not header.get("SOPClassUID") or not _is_image(header):
        raise ReadError(f"{path.name} is not a DICOM image; choose another file or a folder")
    uid = str(header.get("SeriesInstanceUID") or "")
    if int(header.get("NumberOfFrames") or 1) == 1:
        beside = _study_of(_in_folder(path.parent))
        for series in beside.series:
            if series.uid == uid and path in series.paths:
                return Study((series,), beside.damaged)
    return Study((_series(uid, [(path, header)]),))


def _candidate_files(folder: Path) -> Iterator[Path]:
    entries = list(islice(folder.rglob("*"), MAX_FILES + 1))
    if len(entries) > MAX_FILES:
        raise ReadError(
            f"{folder.name} holds more than {MAX_FILES} files; choose the patient's own folder"
        )
    return _files(sorted(entries))


def _in_folder(folder: Path) -> Iterator[Path]:
    return _files(sorted(folder.iterdir()))


def _files(paths: list[Path]) -> Iterator[Path]:
    for file in paths:
        skipped = file.suffix.lower() in _OTHER_SUFFIXES or file.name.upper() == "DICOMDIR"
        if not skipped and file.is_file():
            yield file


def _header(path: Path, *, force: bool = False) -> Dataset | None:
    try:
        header = read_header(path, force=force)
        if "PerFrameFunctionalGroupsSequence" in header:
            # pydicom finds damage within sequences only when they are gone through
            tuple(frames_of(header, path))
        return header
    except PYDICOM_ERRORS:
        return None


def _says_dicom(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return stream.read(132)[128:] == b"DICM"
    except OSError:
        return False


def _is_image(header: Dataset) -> bool:
    return (
        bool(header.get("Rows") and header.get("Columns"))
        and modality_of(header) not in _NOT_IMAGES
    )


def _instead(folder: Path) -> str:
    """What to do with a folder without DICOM: open one of the other images in it, if any."""
    names = sorted(file.name for file in folder.iterdir() if file.name.endswith(_OPENABLE))
    if not names:
        return "choose another folder"
    return f"choose one of the files in it, such as {names[0]}"


def _series(uid: str, files: list[tuple[Path, Dataset]]) -> Series:
    unique: dict[str, tuple[Path, Dataset]] = {}
    for path, header in files:
        # the same image stored twice is one slice
        unique.setdefault(str(header.get("SOPInstanceUID") or path), (path, header))
    ordered = sorted(unique.values(), key=lambda item: int(item[1].get("InstanceNumber") or 0))
    return Series(uid, tuple(h for _, h in ordered), tuple(p for p, _ in ordered))
