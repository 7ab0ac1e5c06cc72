"""Landmark sets as plain JSON values, as the journal and the case file hold them."""

from __future__ import annotations

from typing import Any

import numpy as np

from fusioninit.errors import ReadError
from fusioninit.geometry import Space
from fusioninit.landmarks import ErrorCorrelation, Landmark, LandmarkSet, Source


def landmarks_to_record(landmarks: LandmarkSet) -> dict[str, Any]:
    """JSON-ready form; positions LPS mm at full precision."""
    stated = landmarks.correlation
    return {
        "space": landmarks.space.value,
        **({} if stated is None else {"error_correlation": stated.to_record()}),
        "landmarks": [
            {
                "name": mark.name,
                "position_lps_mm": mark.position_mm.tolist(),
                "covariance_mm2": mark.covariance_mm2.tolist(),
                "source": mark.source.value,
                "confidence": mark.confidence,
                "locked": mark.locked,
                "provenance": mark.provenance,
            }
            for mark in landmarks.landmarks
        ],
    }


def landmarks_from_record(record: Any) -> LandmarkSet:
    """The set a record describes.

    Raises
    ------
    ReadError
        The record lacks a field, or a value has the wrong form.
    """
    try:
        marks = tuple(_landmark(entry) for entry in record["landmarks"])
        # absent where a person placed the landmarks, and in files of earlier versions
        stated = record.get("error_correlation")
        correlation = None if stated is None else ErrorCorrelation.from_record(stated)
        return LandmarkSet(Space(record["space"]), marks, correlation)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ReadError(
            f"saved landmarks are damaged ({error}): restore the file from a copy"
        ) from error


def _landmark(entry: dict[str, Any]) -> Landmark:
    return Landmark(
        name=entry["name"],
        position_mm=np.asarray(entry["position_lps_mm"], dtype=np.float64),
        covariance_mm2=np.asarray(entry["covariance_mm2"], dtype=np.float64),
        source=Source(entry["source"]),
        confidence=float(entry["confidence"]),
        locked=bool(entry["locked"]),
        provenance=str(entry["provenance"]),
    )
