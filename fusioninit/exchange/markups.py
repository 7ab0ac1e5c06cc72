"""Landmark files: 3D Slicer's `.mrk.json`, and the plain JSON forms of the command line."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from fusioninit.errors import ReadError
from fusioninit.exchange.frames import MAX_RESIDUAL_MM, WrittenFileError
from fusioninit.exchange.placing import placed
from fusioninit.geometry import Space
from fusioninit.landmarks import (
    ALL_NAMES,
    LABELS,
    READER_NAMES,
    ErrorCorrelation,
    Landmark,
    LandmarkSet,
    Source,
)

SCHEMA = (
    "https://raw.githubusercontent.com/slicer/slicer/master/Modules/Loadable/Markups/"
    "Resources/Schema/markups-schema-v1.0.3.json#"
)
SUFFIX = ".mrk.json"

CORRELATION_KEY = "errorCorrelation"
"""Ours: Slicer's schema allows other keys, and Slicer passes over them."""

_NAME_BY_SPELLING = {
    re.sub(r"[\s_-]+", "", text.lower()): name
    for name, label in LABELS.items()
    for text in (name, label)
}
_LARGEST_FILE_BYTES = 20_000_000
_TO_LPS = {"LPS": np.ones(3), "RAS": np.array([-1.0, -1.0, 1.0])}


def write_markups(path: Path | str, landmarks: LandmarkSet) -> Path:
    """Write one image's landmarks for 3D Slicer (LPS mm), read them back, then put in place.

    The description of a point holds its source, standard deviation, confidence and covariance. The
    eye beside points that no reader would place is closed.
    """
    path = Path(path)
    points = [
        control_point(number, LABELS[mark.name], mark.position_mm.tolist(), _description(mark))
        | {"locked": mark.locked, "visibility": mark.name in READER_NAMES}
        for number, mark in enumerate(landmarks.landmarks, start=1)
    ]
    fiducials = markup_of("Fiducial", points)
    if landmarks.correlation is not None:
        fiducials[CORRELATION_KEY] = landmarks.correlation.to_record()
    with placed(path) as beside:
        write_markup_file(beside, [fiducials])
        if len(landmarks):
            _verify(path, read_landmarks(beside, space=landmarks.space), landmarks)
    return path


def control_point(
    number: int, label: str, position_mm: list[float], description: str = ""
) -> dict[str, Any]:
    """One control point of a markups file; position LPS mm."""
    return {
        "id": str(number),
        "label": label,
        "description": description,
        "associatedNodeID": "",
        "position": position_mm,
        # the identity of RAS, said in LPS
        "orientation": [-1.0, -0.0, -0.0, -0.0, -1.0, -0.0, 0.0, 0.0, 1.0],
        "selected": True,
        "locked": False,
        "visibility": True,
        "positionStatus": "defined",
    }


def markup_of(kind: str, points: list[dict[str, Any]]) -> dict[str, Any]:
    """One Slicer markup ("Fiducial" or "Line") of control points in LPS mm."""
    return {
        "type": kind,
        "coordinateSystem": "LPS",
        "coordinateUnits": "mm",
        "locked": False,
        "fixedNumberOfControlPoints": False,
        "labelFormat": "%N-%d",
        "lastUsedControlPointNumber": len(points),
        "controlPoints": points,
        "measurements": [],
    }


def write_markup_file(path: Path, markups: list[dict[str, Any]]) -> Path:
    """Write markups as one Slicer file; it is not read back here."""
    record = {"@schema": SCHEMA, "markups": markups}
    path.write_text(json.dumps(record, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    return path


def write_fiducials(path: Path, points: list[dict[str, Any]]) -> Path:
    """Write control points as one Slicer point list in LPS mm; it is not read back here."""
    return write_markup_file(path, [markup_of("Fiducial", points)])


def read_landmarks(path: Path | str, *, space: Space) -> LandmarkSet:
    """The landmarks of one image from a `.mrk.json` or a plain JSON file (LPS mm).

    Plain: `{"landmarks": {name: [x, y, z]}}`, the same per space under "mr" and "us", or the
    answers of `fusioninit detect --json` and `register --json`.

    Raises
    ------
    ReadError
        No such file, not JSON, no known landmark in it, a name twice, or a position that is not
        three finite numbers.
    """
    path = Path(path)
    record = _load_json(path)
    correlation = None
    if "markups" in record:
        marks, correlation = _from_markups(path, record)
    else:
        marks = _from_plain(path, record, space)
    names = [mark.name for mark in marks]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ReadError(f"{path.name} holds {' and '.join(repeated)} twice; keep one of each")
    if not marks:
        raise ReadError(
            f"{path.name} holds no landmark with a known name; name its points "
            f"{', '.join(LABELS[name] for name in ALL_NAMES[:3])}"
        )
    return LandmarkSet(space, tuple(marks), correlation)


def _load_json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise ReadError(f"{path.name}: no such file; choose landmarks (*{SUFFIX} or *.json)")
    if path.stat().st_size > _LARGEST_FILE_BYTES:
        raise ReadError(f"{path.name} is too large for landmarks; choose a *{SUFFIX} file")
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ReadError(
            f"{path.name} is not a JSON file of landmarks; choose a *{SUFFIX} file"
        ) from error
    if not isinstance(record, dict) or not record.keys() & {"markups", "landmarks"}:
        raise ReadError(f"{path.name} holds no landmarks; choose a *{SUFFIX} file")
    return record


def _from_markups(
    path: Path, record: dict[str, Any]
) -> tuple[list[Landmark], ErrorCorrelation | None]:
    try:
        marks = [
            _from_control_point(path, point, _TO_LPS[str(markup.get("coordinateSystem", "LPS"))])
            for markup in record["markups"]
            if _is_lps_or_ras(path, markup) and _in_millimetres(path, markup)
            for point in markup.get("controlPoints", ())
            if point.get("positionStatus", "defined") == "defined" and _name(point.get("label"))
        ]
        stated = [m[CORRELATION_KEY] for m in record["markups"] if CORRELATION_KEY in m]
        return marks, ErrorCorrelation.from_record(stated[0]) if stated else None
    except ReadError:
        raise
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ReadError(
            f"{path.name} is a damaged markups file ({error}); save it again in LPS"
        ) from error


def _is_lps_or_ras(path: Path, markup: dict[str, Any]) -> bool:
    system = str(markup.get("coordinateSystem", "LPS"))
    if system not in _TO_LPS:
        raise ReadError(f"{path.name} is in coordinates '{system}'; save it again in LPS")
    return True


def _in_millimetres(path: Path, markup: dict[str, Any]) -> bool:
    units = markup.get("coordinateUnits", "mm")
    if units not in ("mm", ["mm", "UCUM", "millimeter"]):
        raise ReadError(f"{path.name} is in {units}, not in mm; save it again in mm")
    return True


def _from_control_point(path: Path, point: dict[str, Any], to_lps: Any) -> Landmark:
    name = _name(point["label"])
    mark = Landmark(name, _position(path, name, point.get("position")) * to_lps)
    return _described(mark, str(point.get("description", "")), bool(point.get("locked", False)))


def _from_plain(path: Path, record: dict[str, Any], space: Space) -> list[Landmark]:
    entries: Any = record["landmarks"]
    if isinstance(entries, dict) and entries.keys() & {s.value for s in Space}:
        if space.value not in entries:
            raise ReadError(
                f"{path.name} holds no landmarks of the {space.upper()}; choose another"
            )
        entries = entries[space.value]
    if isinstance(entries, list):
        entries = {
            entry.get("name"): entry.get("position_lps_mm")
            for entry in entries
            if isinstance(entry, dict)
        }
    if not isinstance(entries, dict):
        raise ReadError(f"{path.name} holds no landmarks; write {{name: [x, y, z]}} in LPS mm")
    return [
        Landmark(name, _position(path, name, value), provenance="landmark file")
        for key, value in entries.items()
        if (name := _name(key))
    ]


def _name(label: object) -> str:
    return _NAME_BY_SPELLING.get(re.sub(r"[\s_-]+", "", str(label).lower()), "")


def _position(path: Path, name: str, value: object) -> np.ndarray[Any, np.dtype[np.float64]]:
    try:
        position = np.array(value, dtype=np.float64)
    except (TypeError, ValueError):
        position = np.array([np.nan])
    if position.shape != (3,) or not np.isfinite(position).all():
        raise ReadError(f"{path.name}: {name} needs three finite numbers x, y, z (LPS mm)")
    return position


def _description(mark: Landmark) -> str:
    covariance = json.dumps([float(f"{value:.8g}") for value in mark.covariance_mm2.ravel()])
    return (
        f"{mark.source.value}; sd {mark.sd_mm:.2f} mm; confidence {mark.confidence:.4f}; "
        f"covariance_mm2 {covariance}"
    )


def _described(mark: Landmark, description: str, locked: bool) -> Landmark:
    covariance = re.search(r"covariance_mm2 (\[[^\]]*\])", description)
    confidence = re.search(r"confidence ([0-9.]+)", description)
    source = description.split(";")[0]
    matrix = _covariance(covariance.group(1)) if covariance else None
    return Landmark(
        mark.name,
        mark.position_mm,
        mark.covariance_mm2 if matrix is None else matrix,
        source=Source(source) if source in set(Source) else Source.EDITED,
        confidence=float(confidence.group(1)) if confidence else 1.0,
        locked=locked,
    )


def _covariance(text: str) -> np.ndarray[Any, np.dtype[np.float64]] | None:
    try:
        matrix = np.array(json.loads(text), dtype=np.float64).reshape(3, 3)
        np.linalg.cholesky(matrix)
    except (ValueError, np.linalg.LinAlgError):
        return None
    return matrix


def _verify(path: Path, back: LandmarkSet, landmarks: LandmarkSet) -> None:
    same = set(back) == set(landmarks)
    if same:
        apart = np.linalg.norm(back.positions_mm() - landmarks.positions_mm(), axis=-1)
        same = bool((apart <= MAX_RESIDUAL_MM).all())
    if not same:
        raise WrittenFileError(f"{path.name}: read back, a landmark differs; nothing was written")
