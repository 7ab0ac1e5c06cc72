"""A case as a readable JSON file: references to the images, and all decisions in full.

Images are referenced by path relative to the file, with a SHA-256 of their bytes; they are copied
only where that is asked for. Schema versions are integers; files of older versions are migrated
on reading.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from fusioninit.errors import ReadError
from fusioninit.geometry import Space
from fusioninit.imaging.stated_geometry import StatedGeometry
from fusioninit.imaging.volume import Volume
from fusioninit.landmarks import LandmarkSet
from fusioninit.state.case import Case, Decision, Target
from fusioninit.state.gland_records import gland_from_record, gland_to_record
from fusioninit.state.image_copies import remove_other_copies, with_copied_images
from fusioninit.state.image_hash import files_sha256, image_sha256
from fusioninit.state.landmark_records import landmarks_from_record, landmarks_to_record
from fusioninit.state.needle_plan import (
    Core,
    core_from_record,
    core_to_record,
    require_distinct_names,
)
from fusioninit.state.pose_prior import PosePrior, prior_from_record, prior_to_record

SCHEMA = "fusioninit-case"
VERSION = 7
"""1: without cores. 2: with the planned cores. 3: with what was stated of an image's geometry.
4: with the second network's answers. 5: with the glands. 6: with the prior on the pose. 7: with
more auxiliary landmarks, and how the errors of those that a network found hang together."""

SUFFIX = ".fusion.json"

_SETS = ("landmarks", "predicted", "second")
_PARTS = ("images", *_SETS, "glands", "targets", "cores", "estimator", "prior", "decision")

_SPACES = (Space.US, Space.MR)

VolumeReader = Callable[..., Volume]


def case_record(case: Case, *, relative_to: Path | None = None) -> dict[str, Any]:
    """The whole case as JSON values; images as references, hashed where `relative_to` is given."""
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "images": {
            space.value: _image_record(volume, relative_to)
            for space in _SPACES
            if (volume := case.volume(space)) is not None
        },
        **{
            kind: {s.value: landmarks_to_record(getattr(case, kind)(s)) for s in _SPACES}
            for kind in _SETS
        },
        "glands": {
            space.value: gland_to_record(gland)
            for space in _SPACES
            if (gland := case.gland(space)) is not None
        },
        "targets": [
            {
                "name": t.name,
                "position_mr_lps_mm": t.position_mr_mm.tolist(),
                "radius_mm": t.radius_mm,
            }
            for t in case.targets
        ],
        "cores": [core_to_record(core) for core in case.cores],
        "estimator": case.estimator,
        "prior": prior_to_record(case.prior),
        "decision": None if case.decision is None else vars(case.decision),
    }


def save_case(case: Case, path: Path, *, copy_images: bool = False) -> Path:
    """Write the case beside `path`, read it back, then move it into place at once.

    Images stay where they are and are referred to, unless `copy_images`: then copies in a folder
    beside the case travel with it. New copies are there before the case file names them, and old
    ones go when it no longer does.

    Raises
    ------
    InputError
        Images are to be copied and one was not read from a file.
    OSError
        The folder cannot be written.
    """
    path = path if path.name.endswith(".json") else path.with_name(path.name + SUFFIX)
    path.parent.mkdir(parents=True, exist_ok=True)
    copies = path.parent / f"{path.name.removesuffix(SUFFIX).removesuffix('.json')}-images"
    if copy_images:
        case = with_copied_images(case, copies)
    record = case_record(case, relative_to=path.parent)
    beside = path.with_name(path.name + ".new")
    with beside.open("w", encoding="utf-8") as stream:
        json.dump(record, stream, indent=1)
        stream.flush()
        os.fsync(stream.fileno())
    if json.loads(beside.read_text(encoding="utf-8")) != json.loads(json.dumps(record)):
        raise OSError(f"{path.name}: what was written differs when read back; choose another disk")
    os.replace(beside, path)
    if copy_images:
        remove_other_copies(case, copies)
    return path


def load_case(path: Path, *, read: VolumeReader) -> Case:
    """The case of a file. `read(path, space=..., series_uid=...)` opens its images.

    Raises
    ------
    ReadError
        Not a case file, written by a newer version, damaged, or an image is missing or changed.
    """
    record = _load_record(path)
    case = Case()
    for name, image in record["images"].items():
        case = case.with_volume(_open_image(path, Space(name), image, read))
    return with_record(case, record)


def with_record(case: Case, record: dict[str, Any]) -> Case:
    """`case` (its volumes open) with everything else taken from a record of `case_record`.

    Records of older versions are migrated first.

    Raises
    ------
    ReadError
        Landmarks, glands or cores in the record are damaged.
    """
    record = migrated(record)
    for space in _SPACES:
        current, predicted, second = (landmarks_from_record(record[kind][space]) for kind in _SETS)
        saved = record["glands"].get(space.value)
        gland = None if saved is None else gland_from_record(saved, space)
        case = case.with_prediction(predicted, gland, second).with_landmarks(current)
    targets = tuple(
        Target(t["name"], np.asarray(t["position_mr_lps_mm"]), t["radius_mm"])
        for t in record["targets"]
    )
    decision = record["decision"]
    cores = _cores(record["cores"])
    return (
        case.with_targets(targets)
        .with_cores(cores)
        .with_estimator(record["estimator"])
        .with_prior(prior_from_record(record["prior"]))
        .with_decision(None if decision is None else Decision(**decision))
    )


def _cores(entries: list[Any]) -> tuple[Core, ...]:
    try:
        return require_distinct_names(tuple(core_from_record(entry) for entry in entries))
    except ReadError:
        raise
    except ValueError as error:
        raise ReadError(f"the saved needle plan is damaged: {error}") from error


def migrated(record: dict[str, Any]) -> dict[str, Any]:
    """A record of any version up to this one as this version has it; the input is not changed."""
    if record["version"] < 2:
        record = record | {"cores": []}
    # version 3 adds what a person stated of an image's geometry, which may be absent
    if record["version"] < 4:
        record = record | {
            "second": {s.value: landmarks_to_record(LandmarkSet(s)) for s in _SPACES}
        }
    if record["version"] < 5:
        record = record | {"glands": {}}
    if record["version"] < 6:
        record = record | {"prior": prior_to_record(PosePrior())}
    # version 7 adds what may be absent
    return record | {"version": VERSION}


def _image_record(volume: Volume, relative_to: Path | None) -> dict[str, Any]:
    source = volume.source
    record: dict[str, Any] = {
        "format": source.format,
        "series_uid": source.series_uid,
        "path": None if source.path is None else str(source.path),
        "stated": None if source.stated.is_empty else source.stated.to_record(),
    }
    if relative_to is not None and source.path is not None:
        record["path"] = os.path.relpath(source.path.resolve(), relative_to.resolve())
        record["sha256"] = image_sha256(source.path)
    return record


def _load_record(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        schema, version = record["schema"], record["version"]
    except FileNotFoundError as error:
        raise ReadError(f"{path.name}: no such file; choose a saved case (*{SUFFIX})") from error
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise ReadError(f"{path.name} is not a saved case; choose a file *{SUFFIX}") from error
    if schema != SCHEMA or not isinstance(version, int):
        raise ReadError(f"{path.name} is not a saved case; choose a file *{SUFFIX}")
    if version > VERSION:
        raise ReadError(
            f"{path.name} was saved by a newer fusioninit (schema {version}, this one reads "
            f"{VERSION}); update the program to open it"
        )
    record = migrated(record)
    missing = {*_PARTS} - set(record)
    if missing:
        raise ReadError(f"{path.name} is damaged (no {', '.join(sorted(missing))}); use a backup")
    return dict(record)


def _open_image(case_path: Path, space: Space, image: dict[str, Any], read: VolumeReader) -> Volume:
    if not image.get("path"):
        raise ReadError(f"{case_path.name} names no {space.value.upper()} file; open it by hand")
    path = (case_path.parent / image["path"]).resolve()
    if not path.exists():
        raise ReadError(
            f"{case_path.name}: its {space.value.upper()} '{image['path']}' is missing; "
            "put the image back beside the case"
        )
    if "sha256" in image and not _is_unchanged(path, image["sha256"]):
        raise ReadError(
            f"{case_path.name}: its {space.value.upper()} '{image['path']}' has changed since the "
            "case was saved; restore the original image, or open the images as a new case"
        )
    return _read_image(path, space, image, read)


def _is_unchanged(path: Path, sha256: str | None) -> bool:
    # the first versions hashed a header without the data file that it names
    return sha256 in (None, image_sha256(path)) or (
        path.is_file() and sha256 == files_sha256([path])
    )


def _read_image(path: Path, space: Space, image: dict[str, Any], read: VolumeReader) -> Volume:
    said = image.get("stated")
    stated = {} if said is None else {"stated": StatedGeometry.from_record(said)}
    return read(path, space=space, series_uid=image.get("series_uid") or None, **stated)
