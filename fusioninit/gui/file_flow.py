"""Choosing what to open and where to write: dialogs, drops, recent cases."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from fusioninit.geometry import Space
from fusioninit.gui.preferences import Preferences
from fusioninit.gui.services import OpenCase, Services
from fusioninit.gui.theme import SPACE_NAME
from fusioninit.gui.unsaved_guard import UnsavedGuard
from fusioninit.session import Session
from fusioninit.state import Case, save_case
from fusioninit.state.case_file import SUFFIX
from fusioninit.state.pose_prior import PosePrior

IMAGES = "Volumes (*.nii *.nii.gz *.nrrd *.nhdr *.mha *.mhd *.dcm);;All files (*)"
TARGETS = "Targets (*.mrk.json *.json *.stl *.dcm *.nii *.nii.gz *.nrrd *.mha *.mhd);;All files (*)"
_US_WORDS = ("us", "trus", "ultrasound", "tus")
_MR_WORDS = ("mr", "mri", "t2", "t2w", "tse", "adc", "dwi")


class FileFlow(QObject):
    """Everything about files that a person starts from the window."""

    told = Signal(str, str)
    """(kind, sentence) for the message bar."""

    def __init__(
        self, window: QWidget, session: Session, services: Services, preferences: Preferences
    ) -> None:
        super().__init__(window)
        self._window, self._session, self._preferences = window, session, preferences
        self._opening, self._exporting = services.opening, services.exporting
        self._reading_targets = services.reading_targets
        self._learning_prior = services.learning_prior
        self._holds_targets = services.holds_targets
        self._targets_waiting: list[Path] = []
        self._saving = services.saving
        self.saved_as: Path | None = None
        self._with_images = False
        self.unsaved = UnsavedGuard(window, session)
        self.unsaved.save_requested.connect(self._save_before_opening)
        self._opening.opened.connect(self._on_opened)
        self._opening.failed.connect(lambda _why: self._targets_waiting.clear())
        if self._exporting is not None:
            self._exporting.exported.connect(self._on_exported)
        if self._saving is not None:
            self._saving.saved.connect(self._on_saved)
            self._saving.failed.connect(lambda _why: self.unsaved.forget())
        if self._reading_targets is not None:
            self._reading_targets.added.connect(self._on_targets_added)
            self._reading_targets.finished.connect(self._load_waiting_targets)
        if self._learning_prior is not None:
            self._learning_prior.learned.connect(self._on_prior_learned)

    @property
    def case_name(self) -> str:
        """What the window calls the open case: its file, else its images."""
        if self.saved_as is not None:
            return self.saved_as.name.removesuffix(SUFFIX)
        case = self._session.case
        sources = [volume.source for volume in (case.mr, case.us) if volume is not None]
        names = [source.path.name if source.path else source.description for source in sources]
        return " + ".join(name for name in names if name) or "No case"

    # -- opening --------------------------------------------------------------------------------

    def choose_file(self, space: Space) -> None:
        """Ask for a file holding a volume of `space`."""
        title = f"Open {SPACE_NAME[space]}"
        name, _ = QFileDialog.getOpenFileName(self._window, title, self._last_folder(), IMAGES)
        if name:
            self.open_paths({space: Path(name)})

    def choose_folder(self, space: Space) -> None:
        """Ask for a DICOM folder holding a volume of `space`."""
        title = f"Open a DICOM folder as {SPACE_NAME[space]}"
        name = QFileDialog.getExistingDirectory(self._window, title, self._last_folder())
        if name:
            self.open_paths({space: Path(name)})

    def choose_case(self) -> None:
        """Ask for a saved case."""
        name, _ = QFileDialog.getOpenFileName(
            self._window, "Open a saved case", self._last_folder(), f"Saved cases (*{SUFFIX})"
        )
        if name:
            self.open_case(Path(name))

    def open_paths(self, paths: dict[Space, Path]) -> None:
        """Open volumes; the message bar tells where one cannot be."""
        self._preferences.set_value("folder", str(next(iter(paths.values())).parent))
        if any(self._session.case.volume(space) is not None for space in paths):
            self._replace_case(lambda: self._opening.open_volumes(paths))
        else:  # what is open stays, edits and all
            self._opening.open_volumes(paths)

    def open_case(self, path: Path) -> None:
        """Open a saved case, or a folder that holds one, or a pair of volumes."""
        if path.is_dir():
            self.open_dropped([path], over=None)
            return
        self._replace_case(lambda: self._opening.open_saved(path))

    def open_made(self, make: OpenCase, name: str, *, resumes: bool = False) -> None:
        """Open a case that comes from no saved file: the demo, or one that `resumes` edits."""
        self._replace_case(lambda: self._opening.open_made(make, name, resumes=resumes))

    def _replace_case(self, open_it: Callable[[], object]) -> None:
        self.unsaved.before(open_it, case_name=self.case_name)

    def _save_before_opening(self) -> None:
        self.save()
        is_saving = self._saving is not None and self._saving.is_running
        if self._session.has_unsaved_work and not is_saving:  # the dialog or the disk refused
            self.unsaved.forget()

    def open_dropped(self, paths: Sequence[Path], *, over: Space | None) -> None:
        """Open what was dropped; what it is follows from the view under it, else its name."""
        paths = _expand(paths)
        if self._reading_targets is not None:
            targets = [path for path in paths if self._holds_targets(path)]
            paths = [path for path in paths if path not in targets]
            self._targets_waiting += targets
        cases = [path for path in paths if path.name.endswith(SUFFIX)]
        if cases:
            self.open_case(cases[0])
            return
        chosen = assign_spaces(paths, over=over)
        for path in paths:
            if len(chosen) < 2 and path not in chosen.values():
                self._ask_and_add(path, chosen)
        if chosen:
            self.open_paths(chosen)
        else:
            self._load_waiting_targets()

    def _ask_and_add(self, path: Path, chosen: dict[Space, Path]) -> None:
        answer = self.ask_space(path)
        if answer == "targets":
            self._targets_waiting.append(path)
        elif isinstance(answer, Space):
            chosen[answer] = path

    def choose_targets(self) -> None:
        """Ask for a file of targets in MR coordinates."""
        name, _ = QFileDialog.getOpenFileName(
            self._window, "Load targets (MR)", self._last_folder(), TARGETS
        )
        if name:
            self.load_targets(Path(name))

    def load_targets(self, path: Path) -> None:
        """Add the targets of a file to the case's: points, a mask, a surface, SEG or RTSTRUCT."""
        if self._reading_targets is not None:
            self._preferences.set_value("folder", str(path.parent))
            self._reading_targets.start(path)

    def choose_prior_folder(self) -> None:
        """Ask for the folder of exports that a prior on the pose is learned from."""
        name = QFileDialog.getExistingDirectory(
            self._window, "Learn from accepted registrations", self._last_folder()
        )
        if name and self._learning_prior is not None:
            self._preferences.set_value("folder", name)
            self._learning_prior.start(Path(name))

    def _load_waiting_targets(self) -> None:
        """Dropped together with volumes, targets wait until the MR stands."""
        if self._targets_waiting and not self._opening.is_running:
            self.load_targets(self._targets_waiting.pop(0))

    def _on_targets_added(self, path: Path, count: int) -> None:
        targets = "1 target" if count == 1 else f"{count} targets"
        self.told.emit("info", f"Added {targets} from {path.name}")

    def _on_prior_learned(self, prior: PosePrior) -> None:
        self.told.emit("info", f"Prior on the pose {prior.name}")

    def ask_space(self, path: Path) -> Space | str | None:
        """Ask whether a file is MR, US or "targets"; None when the person would not open it."""
        box = QMessageBox(self._window)
        box.setWindowTitle("Which image is this?")
        box.setText(f"Is {path.name} the MR or the ultrasound volume?")
        answers: dict[object, Space | str] = {}
        for space in (Space.MR, Space.US):
            button = box.addButton(SPACE_NAME[space], QMessageBox.ButtonRole.AcceptRole)
            answers[button] = space
        if self._reading_targets is not None and self._session.case.mr is not None:
            button = box.addButton("Targets in MR", QMessageBox.ButtonRole.AcceptRole)
            answers[button] = "targets"
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.exec()
        return answers.get(box.clickedButton())

    def open_recent(self, paths: Sequence[str]) -> None:
        """Open what was opened before."""
        known = [Path(path) for path in paths]
        if len(known) == 1 and known[0].name.endswith(SUFFIX):
            self.open_case(known[0])
        else:
            self.open_dropped(known, over=None)

    def _on_opened(self, paths: list[Path]) -> None:
        self._with_images = False
        self.saved_as = paths[0] if paths and paths[0].name.endswith(SUFFIX) else None
        case = self._session.case
        both = [v.source.path for v in (case.mr, case.us) if v is not None]
        known = [path for path in both if path is not None]
        if paths and known:
            self._preferences.add_recent([self.saved_as] if self.saved_as else known)
        self._load_waiting_targets()

    # -- writing --------------------------------------------------------------------------------

    def save(self) -> None:
        """Save the case where it was saved before, or ask."""
        if self.saved_as is None:
            self.save_as()
        elif self._with_images and self._saving is not None:
            self._saving.start(self.saved_as)
        else:
            self._save_to(self.saved_as)

    def save_as(self) -> None:
        """Ask where to save the case."""
        path = self._ask_where("Save the case")
        if path is not None:
            self._save_to(path)

    def save_with_images(self) -> None:
        """Ask where to save the case and copies of its images, to take both elsewhere."""
        path = self._ask_where("Save the case with its images")
        if path is not None and self._saving is not None:
            self._saving.start(path)

    def _ask_where(self, title: str) -> Path | None:
        name, _ = QFileDialog.getSaveFileName(
            self._window, title, self._last_folder(), f"Saved cases (*{SUFFIX})"
        )
        return Path(name) if name else None

    def _save_to(self, path: Path) -> None:
        try:
            saved_as = save_case(self._session.case, path)
        except OSError as error:
            self.told.emit("error", f"The case was not saved: {error}. Choose another folder.")
            return
        self._with_images = False
        self._saved(saved_as, f"Saved as {saved_as.name}")

    def _on_saved(self, path: Path, case: Case) -> None:
        """Copies are in place; what was edited meanwhile is not in them."""
        self._with_images = True
        self._saved(path, f"Saved as {path.name} with its images", clean=case is self._session.case)

    def _saved(self, path: Path, sentence: str, *, clean: bool = True) -> None:
        self.saved_as = path
        if clean:
            self._session.mark_saved()
        self._preferences.add_recent([path])
        self.told.emit("info", sentence)
        if clean:
            self.unsaved.go_on()
        else:
            self.unsaved.forget()

    def export(self) -> None:
        """Ask for a folder and export everything into it."""
        if self._exporting is None:
            return
        name = QFileDialog.getExistingDirectory(
            self._window, "Export into a folder", self._last_folder()
        )
        if name:
            self.export_to(Path(name))

    def export_to(self, folder: Path) -> None:
        """Export into `folder`; the message bar tells what was written and verified."""
        if self._exporting is not None:
            self._exporting.start(folder)

    def _on_exported(self, folder: Path, files: dict[str, Path]) -> None:
        sentence = f"Exported to {folder}: {len(files)} files, read back and verified"
        self.told.emit("info", sentence)

    def _last_folder(self) -> str:
        return self._preferences.folder


def assign_spaces(paths: Sequence[Path], *, over: Space | None) -> dict[Space, Path]:
    """Which path is MR and which is US, as far as the drop or the names tell."""
    if over is not None and len(paths) == 1:
        return {over: paths[0]}
    guesses = {path: guess_space(path.name) for path in paths}
    chosen: dict[Space, Path] = {}
    for path, space in guesses.items():
        if space is not None:
            chosen.setdefault(space, path)
    unknown = [path for path, space in guesses.items() if space is None]
    left = [space for space in (Space.MR, Space.US) if space not in chosen]
    if len(unknown) == 1 and len(left) == 1 and len(paths) == 2:
        chosen[left[0]] = unknown[0]
    return chosen


def guess_space(name: str) -> Space | None:
    """What a file name says about its content, if anything.

    >>> guess_space("case01_T2.nii.gz"), guess_space("demo-us.nii.gz"), guess_space("volume.mha")
    (<Space.MR: 'mr'>, <Space.US: 'us'>, None)
    """
    words = name.lower().replace("-", " ").replace("_", " ").replace(".", " ").split()
    is_us = any(word in _US_WORDS for word in words)
    is_mr = any(word in _MR_WORDS for word in words)
    if is_us == is_mr:
        return None
    return Space.US if is_us else Space.MR


def _expand(paths: Sequence[Path]) -> list[Path]:
    """A folder holding a saved case or a pair of volume files stands for them."""
    if len(paths) != 1 or not paths[0].is_dir():
        return list(paths)
    inside = sorted(paths[0].iterdir())
    cases = [path for path in inside if path.name.endswith(SUFFIX)]
    if cases:
        return cases[:1]
    images = [path for path in inside if is_image(path) or path.is_dir()]
    pair = assign_spaces([path for path in images if guess_space(path.name)], over=None)
    return list(pair.values()) if len(pair) == 2 else list(paths)


def is_image(path: Path) -> bool:
    """Whether the name is one of a volume file that can stand alone."""
    endings: tuple[str, ...] = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")
    return path.name.lower().endswith(endings) and "gland" not in path.name.lower()
