"""Opening volumes, saved cases and the demo off the GUI thread; only whole successes are shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import Signal

from fusioninit.errors import VoxelSizeNeededError
from fusioninit.geometry import Space
from fusioninit.imaging.stated_geometry import StatedGeometry
from fusioninit.imaging.volume import Volume
from fusioninit.session.jobs import Job
from fusioninit.session.protocols import Cancelled, Progress, VolumeReader
from fusioninit.session.session import Session
from fusioninit.session.work import Work
from fusioninit.state import Case, Journal
from fusioninit.state.case_file import load_case
from fusioninit.state.guards import pair_warnings, require_two_images

Prepare = Callable[[Volume], object]
NewJournal = Callable[[], Journal | None]


class Opening(Work):
    """Reads what a person chose and hands it to the session; a failure leaves the case as it is.

    `prepare` is called with every volume on the reading thread, for work that showing it needs,
    and `prepare_gland` with every gland that a case brings along.
    `new_journal` makes the journal of a case that begins.
    """

    opened = Signal(object)
    """The paths that were opened, as a list."""
    warned = Signal(str)
    unplaced = Signal(object)
    """Space of a volume just opened whose file states no directions or no voxel size."""
    size_needed = Signal(object, object, str)
    """(space, path, sentence): one file was asked for, and is refused until its voxel size is
    stated. `failed` has said the sentence before."""
    doubted = Signal(object)
    """Sentences that speak against both images being one patient's: a person must answer."""

    def __init__(
        self,
        session: Session,
        read: VolumeReader,
        job: Job,
        *,
        prepare: Prepare = id,
        prepare_gland: Prepare = id,
        new_journal: NewJournal = lambda: None,
    ) -> None:
        super().__init__(session, job)
        self._read = _PreparingReader(read, prepare)
        self._prepare_gland = prepare_gland
        self._new_journal = new_journal
        self._is_resuming = False

    def open_volumes(
        self,
        paths: Mapping[Space, Path],
        *,
        series_uid: str | None = None,
        stated: StatedGeometry | None = None,
    ) -> None:
        """Read a file or folder for each space given; other volumes of the case stay.

        `stated` is what a person says about the voxels of all of them.
        """
        read = self._read if stated is None else partial(self._read, stated=stated)
        task = partial(_read_volumes, read, dict(paths), self._session.case, series_uid)
        self._submit(task, " and ".join(path.name for path in paths.values()), paths.values())

    def open_saved(self, path: Path) -> None:
        """Open a case that was saved."""
        task = partial(_make, partial(_load, path), self._read, self._prepare_gland)
        self._submit(task, path.name, [path])

    def open_made(
        self, make: Callable[[VolumeReader], Case], name: str, *, resumes: bool = False
    ) -> None:
        """Open the case that `make(read)` builds: the demo, or one whose edits it `resumes`."""
        task = partial(_make, make, self._read, self._prepare_gland)
        self._submit(task, name, [], resumes=resumes)

    def _submit(
        self, task: Callable[..., Any], name: str, paths: Iterable[Path], *, resumes: bool = False
    ) -> None:
        self._is_resuming = resumes
        self.started.emit(f"Opening {name}")
        self._job.submit(task, context=list(paths))

    def _on_succeeded(self, answer: Any, context: Any) -> None:
        if isinstance(answer, _SizeNeeded):
            self.failed.emit(answer.sentence)
            self.size_needed.emit(answer.space, answer.path, answer.sentence)
            return
        case: Case = answer
        unsaved = self._is_resuming
        if isinstance(answer, _Opened):  # on the case as it is now: edits went on meanwhile
            case = answer.added_to(self._session.case)
            unsaved = self._session.has_unsaved_work
        self._session.open_case(case, journal=self._new_journal(), unsaved=unsaved)
        self.opened.emit(context)
        for volume in filter(None, (case.mr, case.us)):
            for sentence in volume.source.warnings:
                self.warned.emit(f"{volume.space.upper()}: {sentence}")
            if volume.lacks_geometry and volume.source.path in context:
                self.unplaced.emit(volume.space)
        if case.mr is not None and case.us is not None:
            doubts = pair_warnings(mr=case.mr, us=case.us)
            if doubts:
                self.doubted.emit(doubts)


@dataclass(frozen=True, eq=False)
class _Opened:
    """Volumes that have been read, to be added to a case."""

    volumes: tuple[Volume, ...] = ()

    def added_to(self, case: Case) -> Case:
        """The case with these volumes in place of its own."""
        for volume in self.volumes:
            case = case.with_volume(volume)
        return case


@dataclass(frozen=True)
class _SizeNeeded:
    """The answer instead of a case: the only file asked for lacks a voxel size."""

    space: Space
    path: Path
    sentence: str


@dataclass(frozen=True)
class _PreparingReader:
    """A reader that also does, on the same thread, what showing the volume needs."""

    read: VolumeReader
    prepare: Prepare

    def __call__(
        self,
        path: Path,
        *,
        space: Space,
        series_uid: str | None = None,
        cancelled: Cancelled | None = None,
        stated: StatedGeometry | None = None,
    ) -> Volume:
        # readers that know nothing of stated geometry are asked for none
        more = {} if stated is None else {"stated": stated}
        volume = self.read(path, space=space, series_uid=series_uid, cancelled=cancelled, **more)
        self.prepare(volume)
        return volume


def _read_volumes(
    read: VolumeReader,
    paths: Mapping[Space, Path],
    case: Case,
    series_uid: str | None,
    *,
    progress: Progress,
    cancelled: Cancelled,
) -> _Opened | _SizeNeeded:
    opened = _Opened()
    for number, (space, path) in enumerate(paths.items()):
        progress((number + 0.1) / len(paths), f"Reading {space.upper()} from {path.name}")
        try:
            volume = read(path, space=space, series_uid=series_uid, cancelled=cancelled)
        except VoxelSizeNeededError as refusal:
            if len(paths) > 1:
                raise
            return _SizeNeeded(space, path, str(refusal))
        opened = _Opened((*opened.volumes, volume))
        if cancelled():
            return opened
    case = opened.added_to(case)
    if case.mr is not None and case.us is not None:
        require_two_images(mr=case.mr, us=case.us)
    return opened


def _make(
    make: Callable[[VolumeReader], Case],
    read: VolumeReader,
    prepare_gland: Prepare,
    *,
    progress: Progress,
    cancelled: Cancelled,
) -> Case:
    progress(0.1, "Reading both volumes")
    case = make(partial(read, cancelled=cancelled))
    for gland in filter(None, (case.mr_gland, case.us_gland)):
        prepare_gland(gland)
    return case


def _load(path: Path, read: VolumeReader) -> Case:
    return load_case(path, read=read)
