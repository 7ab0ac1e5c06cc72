"""`fusioninit detect VOLUME`: find the landmarks of one volume and write them as Slicer markups."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from fusioninit.cli.output import ProgressLine, Status, answer, answer_json, tell
from fusioninit.cli.stated import stated_geometry
from fusioninit.detection.bundled_networks import predict_landmarks
from fusioninit.detection.predict import Detection
from fusioninit.exchange.markups import write_markups
from fusioninit.geometry import Space
from fusioninit.imaging.reading import read_volume
from fusioninit.landmarks import LABELS, LandmarkSet
from fusioninit.registration.plausibility import anatomy_warnings


def run(options: Namespace) -> int:
    """Detect, write the markups, and print the landmarks."""
    space = Space(options.modality)
    stated = stated_geometry(options.spacing, options.orientation)
    volume = read_volume(options.volume, space=space, series_uid=options.series, stated=stated)
    for warning in volume.source.warnings:
        tell(f"warning: {warning}")
    tell(f"read {volume.source.description or options.volume.name}")
    detection = predict_landmarks(volume, weights=options.weights, progress=ProgressLine())
    write_markups(options.out, detection.landmarks)
    warnings = anatomy_warnings(detection.landmarks)
    for warning in (*detection.quality.get("warnings", ()), *warnings):
        tell(f"warning: {warning}")
    for note in detection.quality.get("notes", ()):
        tell(f"note: {note}")
    if options.json:
        answer_json(detection_record(detection))
    else:
        for mark in detection.landmarks.values():
            x, y, z = mark.position_mm
            answer(
                f"{LABELS[mark.name]:<17} {x:8.2f} {y:8.2f} {z:8.2f} mm LPS   "
                f"sd {mark.sd_mm:.1f} mm   confidence {mark.confidence:.2f}"
            )
    return Status.FAILED_CHECKS if warnings else Status.DONE


def detection_record(detection: Detection) -> dict[str, Any]:
    """The answer of `detect --json`."""
    return {
        "landmarks": landmark_records(detection.landmarks),
        "quality": dict(detection.quality),
        "seconds": dict(detection.seconds),
        "model": detection.model,
    }


def landmark_records(landmarks: LandmarkSet) -> list[dict[str, Any]]:
    """Landmarks as the JSON of the command line; LPS mm."""
    return [
        {
            "name": mark.name,
            "position_lps_mm": mark.position_mm,
            "covariance_mm2": mark.covariance_mm2,
            "confidence": mark.confidence,
        }
        for mark in landmarks.values()
    ]
