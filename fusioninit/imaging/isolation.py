"""Reading in a child process: what is asked, what comes back, and the limits on the child.

Request and answer are JSON; voxels come back as a `.npy` without pickled objects. A file that
crashes, hangs or swells its reader costs the child, never the window and the unsaved work in it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

import fusioninit
from fusioninit.errors import ReadError, VoxelSizeNeededError
from fusioninit.geometry import Grid, Space
from fusioninit.imaging.region import Region, region_from_record, region_to_record
from fusioninit.imaging.stated_geometry import StatedGeometry
from fusioninit.imaging.volume import Volume, VolumeSource

TIME_LIMIT_S = 180.0
"""A large DICOM folder on a slow network drive stays well below this."""

MEMORY_LIMIT_BYTES = 6 << 30
"""Address space of the child: the libraries map 1 to 2 GB, the largest volume needs twice 1 GB."""

READ_CHILD = "--read-child"
"""First word of a bundled application's command line that makes it the reading child."""

_POLL_S = 0.01

_REFUSALS = {kind.__name__: kind for kind in (ReadError, VoxelSizeNeededError)}
"""The kinds of refusal that come through the child as what they are."""


@dataclass(frozen=True)
class Request:
    """What to read. `mask_channel` set means a label file, `regions` what is drawn in a file."""

    path: Path
    space: Space
    series_uid: str = ""
    mask_channel: int | None = None
    regions: bool = False
    stated: StatedGeometry = field(default_factory=StatedGeometry)

    def to_json(self) -> str:
        """The request as text for the child."""
        return json.dumps(asdict(self) | {"path": str(self.path)})

    @classmethod
    def from_json(cls, text: str) -> Request:
        """The request that `to_json` wrote."""
        record = json.loads(text)
        stated = StatedGeometry(**record["stated"])
        return cls(
            **record
            | {"path": Path(record["path"]), "space": Space(record["space"]), "stated": stated}
        )


def read_isolated(
    request: Request,
    *,
    cancelled: Callable[[], bool] | None = None,
    time_limit_s: float = TIME_LIMIT_S,
) -> Volume:
    """Read in a child process and wait for it.

    Raises
    ------
    ReadError
        The child's own sentence, or that it ran too long, was stopped, or died on the file.
    """
    with _asked_child(request, cancelled, time_limit_s) as folder:
        return _volume(folder, request)


def read_regions_isolated(
    request: Request,
    *,
    cancelled: Callable[[], bool] | None = None,
    time_limit_s: float = TIME_LIMIT_S,
) -> tuple[Region, ...]:
    """The regions drawn in a file, read in a child process.

    Raises
    ------
    ReadError
        The child's own sentence, or that it ran too long, was stopped, or died on the file.
    """
    with _asked_child(replace(request, regions=True), cancelled, time_limit_s) as folder:
        return tuple(region_from_record(entry) for entry in _answer(folder, request)["regions"])


@contextmanager
def _asked_child(
    request: Request, cancelled: Callable[[], bool] | None, time_limit_s: float
) -> Iterator[Path]:
    """The folder in which a child that has ended left its answer."""
    with tempfile.TemporaryDirectory(prefix="fusioninit-read-") as name:
        folder = Path(name)
        (folder / "request.json").write_text(request.to_json(), encoding="utf-8")
        with (folder / "log.txt").open("wb") as log:
            child = subprocess.Popen(
                _command(folder),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=_environment(),
                cwd=folder,
            )
            try:
                _wait(child, request, cancelled, time.monotonic() + time_limit_s)
            finally:
                child.kill()
                child.wait()
        yield folder


def save_answer(folder: Path, volume: Volume) -> None:
    """Called in the child: leave voxels and description for the parent."""
    np.save(folder / "voxels.npy", np.ascontiguousarray(volume.voxels), allow_pickle=False)
    grid, source = volume.grid, volume.source
    record = {
        "spacing_mm": grid.spacing_mm.tolist(),
        "origin_mm": grid.origin_mm.tolist(),
        "direction": grid.direction.tolist(),
        "source": vars(source) | {"path": str(source.path), "stated": source.stated.to_record()},
    }
    (folder / "answer.json").write_text(json.dumps(record), encoding="utf-8")


def save_regions(folder: Path, regions: tuple[Region, ...]) -> None:
    """Called in the child: leave the regions for the parent."""
    record = {"regions": [region_to_record(region) for region in regions]}
    (folder / "answer.json").write_text(json.dumps(record), encoding="utf-8")


def save_refusal(folder: Path, refusal: ReadError) -> None:
    """Called in the child: leave the reason why nothing can be read."""
    record = {"refused": str(refusal), "kind": type(refusal).__name__}
    (folder / "answer.json").write_text(json.dumps(record), encoding="utf-8")


def _command(folder: Path) -> list[str]:
    if getattr(sys, "frozen", False):
        # a bundled application has no interpreter: its own start dispatches this word
        return [sys.executable, READ_CHILD, str(folder)]
    return [sys.executable, "-P", "-m", "fusioninit.imaging.child", str(folder)]


def _environment() -> dict[str, str]:
    home = str(Path(fusioninit.__file__).resolve().parents[1])
    inherited = os.environ.get("PYTHONPATH", "")
    return os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, [home, inherited])),
        # threads of these pools reserve address space that the limit counts
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }


def _wait(
    child: subprocess.Popen[bytes],
    request: Request,
    cancelled: Callable[[], bool] | None,
    deadline: float,
) -> None:
    while child.poll() is None:
        if cancelled is not None and cancelled():
            raise ReadError(f"reading {request.path.name} was stopped; open it again when needed")
        if time.monotonic() > deadline:
            raise ReadError(
                f"{request.path.name} took too long to read; copy it to a local disk, or convert it"
            )
        time.sleep(_POLL_S)


def _answer(folder: Path, request: Request) -> dict[str, Any]:
    try:
        record: dict[str, Any] = json.loads((folder / "answer.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ReadError(
            f"{request.path.name} is damaged or too large: its reader stopped without an answer; "
            "export the image again"
        ) from error
    if "refused" in record:
        raise _REFUSALS[record["kind"]](record["refused"])
    return record


def _volume(folder: Path, request: Request) -> Volume:
    record = _answer(folder, request)
    voxels = np.load(folder / "voxels.npy", allow_pickle=False)
    grid = Grid(
        voxels.shape,
        np.array(record["spacing_mm"]),
        np.array(record["origin_mm"]),
        np.array(record["direction"]),
    )
    return Volume(voxels, grid, request.space, _source(record["source"]))


def _source(record: dict[str, Any]) -> VolumeSource:
    window = record["window"]
    return VolumeSource(
        **record
        | {
            "path": Path(record["path"]),
            "window": None if window is None else (window[0], window[1]),
            "warnings": tuple(record["warnings"]),
            "stated": StatedGeometry.from_record(record["stated"]),
        }
    )
