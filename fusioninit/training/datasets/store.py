"""Prepared cases, kept in memory or as files.

A file's name is a hash of what went into it: names, sizes and times of the case's files, the grid,
and this module's version. A changed file is prepared anew, and a damaged one as well.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from fusioninit.detection.normalise import InputGrid
from fusioninit.geometry import Space
from fusioninit.training.datasets.listing import CaseFiles
from fusioninit.training.datasets.prepare import MARGIN_VOXELS, PreparedCase, prepare

VERSION = 1
"""To be raised whenever the same files give another prepared case."""


@dataclass(frozen=True)
class CaseStore:
    """Prepares cases for one network's grid and keeps them.

    Parameters
    ----------
    folder : Path, optional
        Where prepared cases are kept; none: in memory.
    isolated : bool
        Read files in a child process.
    """

    space: Space
    input_grid: InputGrid
    folder: Path | None = None
    isolated: bool = True

    def keep(self, files: CaseFiles) -> PreparedCase | Path:
        """Prepare the case, or find it prepared; `load` gives it.

        Raises
        ------
        ReadError
            The case cannot be used.
        """
        if self.folder is None:
            return self._prepare(files)
        path = self.folder / f"{self._key(files)}.npz"
        if not _is_whole(path):
            self.folder.mkdir(parents=True, exist_ok=True)
            save_case(path, self._prepare(files))
        return path

    def _prepare(self, files: CaseFiles) -> PreparedCase:
        return prepare(files, self.space, self.input_grid, isolated=self.isolated)

    def _key(self, files: CaseFiles) -> str:
        record = {
            "version": VERSION,
            "margin": MARGIN_VOXELS,
            "space": self.space,
            "grid": asdict(self.input_grid),
            "files": [_stamp(path) for path in files.paths],
            "how": [files.series_uid, files.mask_channel, files.point_sd_mm],
            "kinds": [files.landmarks is None, files.mask is None, files.surface is None],
        }
        return hashlib.sha256(json.dumps(record, default=str).encode()).hexdigest()[:32]


def load(kept: PreparedCase | Path) -> PreparedCase:
    """The case that `CaseStore.keep` kept."""
    return load_case(kept) if isinstance(kept, Path) else kept


def save_case(path: Path, case: PreparedCase) -> None:
    """Write beside, then move into place: several processes may do so at once."""
    arrays = {name: np.asarray(value) for name, value in vars(case).items() if name != "warnings"}
    arrays["warnings"] = np.array(list(case.warnings), dtype=np.str_)
    handle, beside = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
        os.replace(beside, path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


def load_case(path: Path) -> PreparedCase:
    """The case that `save_case` wrote."""
    with np.load(path, allow_pickle=False) as arrays:
        return PreparedCase(
            image=arrays["image"],
            gland=arrays["gland"],
            position_mm=arrays["position_mm"],
            sd_mm=arrays["sd_mm"],
            visible=arrays["visible"],
            gland_known=bool(arrays["gland_known"]),
            warnings=tuple(str(text) for text in arrays["warnings"]),
        )


def _is_whole(path: Path) -> bool:
    try:
        load_case(path)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return False
    return True


def _stamp(path: Path) -> list[tuple[str, int, int]]:
    """Name, size and time of a file, or of every file in a folder."""
    files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    return [(str(p.resolve()), p.stat().st_size, p.stat().st_mtime_ns) for p in files]
