"""`fusioninit register`: from two images or landmark files to a verified transform on disk."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fusioninit.cli.detect_command import landmark_records
from fusioninit.cli.output import ProgressLine, Status, answer, answer_json, tell
from fusioninit.cli.stated import stated_geometry
from fusioninit.errors import InputError
from fusioninit.geometry import Space
from fusioninit.imaging import Volume
from fusioninit.landmarks import LABELS
from fusioninit.registration import ESTIMATORS, LandmarkFit, Probe, Unsolved
from fusioninit.state import Case
from fusioninit.state.pose_prior import PosePrior


@dataclass(frozen=True)
class Registered:
    """What a registration led to."""

    case: Case
    fit: LandmarkFit
    files: Mapping[str, Path]
    warnings: tuple[str, ...]


def run(options: Namespace) -> int:
    """Register, write everything into `--out`, and print the transform."""
    if options.estimator not in ESTIMATORS:
        raise InputError(
            f"--estimator {options.estimator}: choose one of {', '.join(sorted(ESTIMATORS))}"
        )
    case = _open_case(options)
    weights = {Space.MR: options.mr_weights, Space.US: options.us_weights}
    registered = register_case(
        case, options.out, weights=weights, keep_identity=options.keep_identity
    )
    for warning in registered.warnings:
        tell(f"warning: {warning}")
    if options.json:
        answer_json(registration_record(registered))
    else:
        print_registration(registered)
        answer(f"written to {options.out}: {', '.join(sorted(registered.files))}")
    return Status.FAILED_CHECKS if registered.fit.findings else Status.DONE


def register_case(
    case: Case,
    out: Path,
    *,
    weights: Mapping[Space, Path | None] | None = None,
    keep_identity: bool = False,
) -> Registered:
    """Detect what is missing, fit, and export a case; `weights` replace the bundled networks'.

    Raises
    ------
    InputError
        No transform follows from the landmarks; the message says why.
    """
    from fusioninit.exchange.export import export

    warnings: list[str] = []
    for space in (Space.MR, Space.US):
        volume = case.volume(space)
        if volume is not None:
            warnings += [f"{space.upper()}: {text}" for text in volume.source.warnings]
        if volume is not None and not case.landmarks(space):
            case = _detected(case, volume, (weights or {}).get(space), warnings)
    fit = case.registration
    if isinstance(fit, Unsolved):
        raise InputError(f"no transform: {fit.reason}")
    files = export(case, out, keep_identity=keep_identity)
    return Registered(case, fit, files, (*warnings, *fit.warnings))


def registration_record(registered: Registered) -> dict[str, Any]:
    """The answer of `register --json`; matrix and points LPS mm."""
    fit, case = registered.fit, registered.case
    return {
        "us_from_mr": fit.us_from_mr.matrix,
        "estimator": fit.estimator,
        "prior": case.prior.name,
        "residuals_mm": fit.residuals_mm,
        "edge_difference_mm": {f"{a}-{b}": d for (a, b), d in fit.edge_differences_mm.items()},
        "warnings": list(registered.warnings),
        "files": {name: str(path) for name, path in registered.files.items()},
        "landmarks": {
            space.value: landmark_records(case.landmarks(space)) for space in (Space.MR, Space.US)
        },
        "models_apart_mm": {
            space.value: apart.rounded_mm() if (apart := case.disagreement(space)) else None
            for space in (Space.MR, Space.US)
        },
    }


def print_registration(registered: Registered) -> None:
    """Transform, residuals and edge differences for a person."""
    fit = registered.fit
    answer(f"US from MR, estimator {fit.estimator} (LPS mm):")
    for row in fit.us_from_mr.matrix:
        answer("  " + " ".join(f"{value:12.6f}" for value in row))
    for name, residual in fit.residuals_mm.items():
        answer(f"residual at {LABELS[name]}: {residual:.1f} mm")
    for (first, second), difference in fit.edge_differences_mm.items():
        answer(f"{LABELS[first]} to {LABELS[second]}: MR minus US {difference:+.1f} mm")
    answer("A small residual is no small target error. Research use only; not a medical device.")


def _open_case(options: Namespace) -> Case:
    from fusioninit.exchange.markups import read_landmarks
    from fusioninit.state.guards import pair_warnings, require_two_images

    case = Case(prior=_prior(options)).with_estimator(options.estimator)
    for space in (Space.MR, Space.US):
        path, marks = getattr(options, space.value), getattr(options, f"{space.value}_landmarks")
        if path is None and marks is None:
            raise InputError(
                f"nothing given for {space.upper()}: name an image (--{space.value} PATH) "
                f"or its landmarks (--{space.value}-landmarks FILE)"
            )
        if path is not None:
            case = case.with_volume(_read(path, space, options))
        if marks is not None:
            case = case.with_landmarks(read_landmarks(marks, space=space))
    if case.mr is not None and case.us is not None:
        require_two_images(mr=case.mr, us=case.us)
        for warning in pair_warnings(mr=case.mr, us=case.us):
            tell(f"warning: {warning}")
    return _targets(options, _with_masks(case, options))


def _prior(options: Namespace) -> PosePrior:
    from fusioninit.exchange.learned_prior import learn_prior

    if options.prior is not None:
        return learn_prior(options.prior)
    return PosePrior.for_probe(Probe(options.probe or Probe.UNKNOWN))


def _targets(options: Namespace, case: Case) -> Case:
    from fusioninit.exchange.targets import read_targets

    if options.targets is None:
        return case
    return case.with_targets(read_targets(options.targets, mr=case.mr))


def _with_masks(case: Case, options: Namespace) -> Case:
    from fusioninit.imaging.reading import read_mask

    for space in (Space.MR, Space.US):
        path = getattr(options, f"{space.value}_mask")
        if path is not None:
            case = case.with_gland(read_mask(path, space=space))
    return case


def _read(path: Path, space: Space, options: Namespace) -> Volume:
    from fusioninit.imaging.reading import read_volume

    series, spacing, orientation = (
        getattr(options, f"{space.value}_{what}") for what in ("series", "spacing", "orientation")
    )
    stated = stated_geometry(spacing, orientation)
    volume = read_volume(path, space=space, series_uid=series, stated=stated)
    tell(f"{space.upper()}: {volume.source.description or path.name}")
    return volume


def _detected(case: Case, volume: Volume, weights: Path | None, warnings: list[str]) -> Case:
    from fusioninit.detection.bundled_networks import predict_landmarks

    tell(f"finding landmarks in {volume.space.upper()}")
    detection = predict_landmarks(volume, weights=weights, progress=ProgressLine())
    warnings += [f"{volume.space.upper()}: {w}" for w in detection.quality.get("warnings", ())]
    for note in detection.quality.get("notes", ()):
        tell(f"note: {volume.space.upper()}: {note}")
    given = case.gland(volume.space)
    return case.with_prediction(detection.landmarks, given or detection.gland, detection.second)
