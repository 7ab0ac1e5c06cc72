"""The JSON sidecar: the transform in both directions and both frames, each by its full name.

A person or a program that doubts a convention checks it against the three points in here.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

import fusioninit
from fusioninit.errors import ReadError
from fusioninit.exchange.contents import Contents
from fusioninit.exchange.core_tables import core_record
from fusioninit.exchange.dicom_registration import us_frame_of_reference
from fusioninit.exchange.frames import (
    CHECK_POINTS_US_MM,
    MAX_RESIDUAL_MM,
    WrittenFileError,
    pull_back,
    residual_mm,
    to_ras,
)
from fusioninit.exchange.placing import placed
from fusioninit.geometry import RigidTransform, Space
from fusioninit.imaging.volume import Volume
from fusioninit.state.image_hash import image_sha256
from fusioninit.state.landmark_records import landmarks_to_record

SCHEMA = "fusioninit-registration"
VERSION = 1
SIDECAR_NAME = "registration.json"

NOTICE = "Research use only; not a medical device."

_EXPLANATION = {
    "us_from_mr_lps_mm": "maps an MR point (LPS mm) to the US point: push-forward of points",
    "mr_from_us_lps_mm": "maps a US point (LPS mm) to the MR point: resamples MR onto the US grid; "
    "this is what the .tfm, .h5, .mat and elastix files hold",
    "us_from_mr_ras_mm": "the first, in RAS mm",
    "mr_from_us_ras_mm": "the second, in RAS mm: what NiftyReg and greedy read",
}


def sidecar_record(contents: Contents) -> dict[str, Any]:
    """Everything about a registration as JSON values; who the patient is only where kept."""
    forward, backward = contents.us_from_mr.matrix, pull_back(contents.us_from_mr)
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "software": {"name": "fusioninit", "version": fusioninit.__version__, "notice": NOTICE},
        **({"patient": contents.patient} if contents.patient else {}),
        "written_utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "us_from_mr_lps_mm": forward.tolist(),
        "mr_from_us_lps_mm": backward.tolist(),
        "us_from_mr_ras_mm": to_ras(forward).tolist(),
        "mr_from_us_ras_mm": to_ras(backward).tolist(),
        "explanation": _EXPLANATION,
        "check_points": [
            {"us_lps_mm": us.tolist(), "mr_lps_mm": mr.tolist()}
            for us, mr in zip(
                CHECK_POINTS_US_MM,
                contents.us_from_mr.inverse().apply(CHECK_POINTS_US_MM),
                strict=True,
            )
        ],
        "images": {
            space.value: _image_record(volume)
            for space in (Space.US, Space.MR)
            if (volume := contents.volume(space)) is not None
        },
        "landmarks": {
            space.value: landmarks_to_record(contents.landmarks(space))["landmarks"]
            for space in (Space.US, Space.MR)
        },
        "models_apart_mm": {
            space.value: apart.rounded_mm() if (apart := contents.disagreement(space)) else None
            for space in (Space.US, Space.MR)
        },
        **_fit_record(contents),
        "cores": [core_record(contents, core) for core in contents.cores],
        "warnings": list(contents.all_warnings()),
        "decision": None if contents.decision is None else vars(contents.decision),
    }


def write_sidecar(path: Path, contents: Contents) -> Path:
    """Write the sidecar, read it back, verify its matrices, then put it in place."""
    record = sidecar_record(contents)
    with placed(path) as beside:
        beside.write_text(json.dumps(record, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        apart_mm = residual_mm(
            read_sidecar_transform(beside), contents.us_from_mr, contents.check_us_mm
        )
        if not apart_mm <= MAX_RESIDUAL_MM:
            raise WrittenFileError(f"{path.name}: read back, the transform differs")
        if json.loads(beside.read_text(encoding="utf-8")) != json.loads(json.dumps(record)):
            raise WrittenFileError(f"{path.name}: read back, it differs from what was written")
    return path


def read_sidecar_transform(path: Path) -> RigidTransform:
    """`us_from_mr` of a sidecar, all four matrices of which agree.

    Raises
    ------
    ReadError
        Not a sidecar, or its matrices contradict each other.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        forward, backward = (
            np.array(record[f"{name}_lps_mm"], dtype=np.float64)
            for name in ("us_from_mr", "mr_from_us")
        )
        transform = RigidTransform(Space.US, Space.MR, forward)
        others = (
            to_ras(record["us_from_mr_ras_mm"]) - forward,
            to_ras(record["mr_from_us_ras_mm"]) - backward,
            forward @ backward - np.eye(4),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ReadError(f"{path.name} is no registration sidecar; choose a .tfm file") from error
    if max(np.abs(other).max() for other in others) > MAX_RESIDUAL_MM:
        raise ReadError(f"{path.name}: its four matrices contradict each other; export again")
    return transform


def _image_record(volume: Volume) -> dict[str, Any]:
    grid, source = volume.grid, volume.source
    has_file = source.path is not None and source.path.exists()
    return {
        "format": source.format,
        "sha256": image_sha256(source.path) if has_file and source.path is not None else "",
        "series_uid": source.series_uid,
        "frame_of_reference_uid": source.frame_of_reference_uid
        or (us_frame_of_reference(volume) if volume.space is Space.US else ""),
        "size_ijk": list(grid.shape[::-1]),
        "spacing_mm": grid.spacing_mm.tolist(),
        "origin_lps_mm": grid.origin_mm.tolist(),
        "direction_columns_lps": grid.direction.T.tolist(),
    }


def _target_records(contents: Contents) -> list[dict[str, Any]]:
    errors = contents.predicted_error_mm([target.position_mr_mm for target in contents.targets])
    return [
        {
            "name": target.name,
            "position_mr_lps_mm": target.position_mr_mm.tolist(),
            "position_us_lps_mm": contents.us_from_mr.apply(target.position_mr_mm).tolist(),
            "radius_mm": target.radius_mm,
            "expected_error_mm": None if errors is None else float(errors[number, 0]),
            "error_bound_95_mm": None if errors is None else float(errors[number, 1]),
        }
        for number, target in enumerate(contents.targets)
    ]


def _fit_record(contents: Contents) -> dict[str, Any]:
    fit = contents.fit
    targets = _target_records(contents)
    if fit is None:
        return {"targets": targets}
    errors = contents.predicted_error_mm(contents.mr_landmarks.positions_mm())
    return {
        "targets": targets,
        "estimator": fit.estimator,
        "method": fit.method,
        "how_fitted": fit.explanation,
        "expected_error_at_landmarks_mm": None
        if errors is None
        else dict(zip(contents.mr_landmarks, errors[:, 0].tolist(), strict=True)),
        "residuals_mm": dict(fit.residuals_mm),
        "edge_difference_mm": {f"{a}-{b}": d for (a, b), d in fit.edge_differences_mm.items()},
    }
