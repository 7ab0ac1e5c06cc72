"""One export: every file a next program needs, written beside, read back, then put in place."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from PIL import Image

from fusioninit.errors import InputError
from fusioninit.exchange.contents import Contents, contents_of
from fusioninit.exchange.core_tables import write_core_markups, write_core_table
from fusioninit.exchange.dicom_registration import (
    UsFrame,
    us_frame_of_reference,
    write_dicom_registration,
)
from fusioninit.exchange.dicom_sources import dicom_series_of
from fusioninit.exchange.dicom_us import write_us_volume
from fusioninit.exchange.frames import WrittenFileError
from fusioninit.exchange.identity import as_asked
from fusioninit.exchange.image_files import (
    write_displacement_field,
    write_moved_mr,
    write_mr_on_us_grid,
)
from fusioninit.exchange.markups import write_markups
from fusioninit.exchange.pictures import overlay_pictures
from fusioninit.exchange.placing import fresh_folder, put_in_place
from fusioninit.exchange.recipes import write_recipes
from fusioninit.exchange.report import write_report
from fusioninit.exchange.sidecar import SIDECAR_NAME, write_sidecar
from fusioninit.exchange.target_tables import write_target_markups, write_target_table
from fusioninit.exchange.transforms import write_elastix, write_ras_matrix, write_transform
from fusioninit.imaging.dicom_study import study_in
from fusioninit.state import Case

Progress = Callable[[float, str], None]
Cancelled = Callable[[], bool]
Step = tuple[str, Callable[[Path], dict[str, Path]]]


EXPORTED_NAMES = frozenset(
    {
        "us_from_mr.tfm",
        "us_from_mr.h5",
        "us_from_mr_0GenericAffine.mat",
        "us_from_mr_elastix.txt",
        "us_from_mr_ras_matrix.txt",
        "us_from_mr_displacement.nii.gz",
        "us_from_mr_registration.dcm",
        "us_landmarks.mrk.json",
        "mr_landmarks.mrk.json",
        "us_landmarks_sr.dcm",
        "us_volume.dcm",
        "mr_landmarks_sr.dcm",
        "targets_us.csv",
        "targets_us.mrk.json",
        "cores_us.csv",
        "cores_us.mrk.json",
        "mr_on_us_grid.nii.gz",
        "mr_moved_by_header.nii.gz",
        SIDECAR_NAME,
        "how_to_go_on.txt",
        "overlay.png",
        "overlay_axial.png",
        "overlay_sagittal.png",
        "overlay_coronal.png",
        "report.pdf",
    }
)
"""Every name an export may write. Other files in its folder are never touched."""


def export(
    case: Case,
    out: Path | str,
    *,
    keep_identity: bool = False,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> dict[str, Path]:
    """Write everything about a solved case into a folder, verified.

    Nothing written names the patient unless `keep_identity`: then DICOM objects, report and
    sidecar state name, number, date of birth and sex as the images do.

    Returns
    -------
    dict
        Name of each file and its path: "transform_tfm", "transform_h5", "us_landmarks",
        "mr_landmarks", "sidecar", "report", and more.

    Raises
    ------
    InputError
        The case has no transform, or the folder cannot be written.
    WrittenFileError
        A file, read back, disagrees with what was to be written. Nothing was put in place.
    """
    contents = replace(contents_of(case), keep_identity=keep_identity)
    return export_contents(contents, Path(out), progress=progress, cancelled=cancelled)


def export_contents(
    contents: Contents,
    out: Path,
    *,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> dict[str, Path]:
    """Write a registration given as plain values; see `export`."""
    out = out.absolute()
    try:
        fresh = fresh_folder(out)
    except OSError as error:
        raise InputError(
            f"{out.name}: the folder cannot be written ({error.strerror}); choose another"
        ) from error
    try:
        files: dict[str, Path] = {}
        steps = list(_steps(as_asked(contents)))
        for number, (what, write) in enumerate(steps):
            if cancelled is not None and cancelled():
                return {}
            if progress is not None:
                progress(number / len(steps), f"Writing {what}")
            files |= write(fresh)
        if progress is not None:
            progress(1.0, "Putting the files in place")
        # an old list of targets beside a new transform would be wrong without looking wrong
        put_in_place(fresh, out, known=EXPORTED_NAMES, last=SIDECAR_NAME)
        return {name: out / path.name for name, path in files.items()}
    except WrittenFileError:
        raise
    except OSError as error:
        raise InputError(
            f"{out.name}: writing failed ({error.strerror}) and nothing was put in place; "
            "free space or choose another folder"
        ) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _steps(contents: Contents) -> Iterator[Step]:
    yield "transforms", lambda folder: _write_transforms(contents, folder)
    yield "landmarks", lambda folder: _write_landmarks(contents, folder)
    yield (
        "sidecar",
        lambda folder: {"sidecar": write_sidecar(folder / SIDECAR_NAME, contents)},
    )
    if contents.targets:
        yield "targets", lambda folder: _write_targets(contents, folder)
    if contents.cores:
        yield "cores", lambda folder: _write_cores(contents, folder)
    yield "images", lambda folder: _write_images(contents, folder)
    yield "DICOM objects", lambda folder: _write_dicom(contents, folder)
    yield "recipes", lambda folder: {"recipes": write_recipes(folder / "how_to_go_on.txt")}
    yield "pictures and report", lambda folder: _write_pictures_and_report(contents, folder)


def _write_transforms(contents: Contents, folder: Path) -> dict[str, Path]:
    transform, check = contents.us_from_mr, contents.check_us_mm
    centre = (
        contents.us_landmarks.positions_mm().mean(axis=0) if contents.us_landmarks else (0, 0, 0)
    )
    itk = {
        f"transform_{suffix}": write_transform(
            folder / f"us_from_mr.{suffix}", transform, centre_us_mm=centre, check_us_mm=check
        )
        for suffix in ("tfm", "h5")
    }
    return itk | {
        "transform_ants": write_transform(
            folder / "us_from_mr_0GenericAffine.mat", transform, check_us_mm=check
        ),
        "transform_elastix": write_elastix(
            folder / "us_from_mr_elastix.txt",
            transform,
            fixed=None if contents.us is None else contents.us.grid,
            check_us_mm=check,
        ),
        "transform_ras_matrix": write_ras_matrix(
            folder / "us_from_mr_ras_matrix.txt", transform, check_us_mm=check
        ),
    }


def _write_landmarks(contents: Contents, folder: Path) -> dict[str, Path]:
    return {
        f"{marks.space.value}_landmarks": write_markups(
            folder / f"{marks.space.value}_landmarks.mrk.json", marks
        )
        for marks in (contents.us_landmarks, contents.mr_landmarks)
        if len(marks)
    }


def _write_targets(contents: Contents, folder: Path) -> dict[str, Path]:
    return {
        "targets_table": write_target_table(folder / "targets_us.csv", contents),
        "targets_markups": write_target_markups(folder / "targets_us.mrk.json", contents),
    }


def _write_cores(contents: Contents, folder: Path) -> dict[str, Path]:
    return {
        "cores_table": write_core_table(folder / "cores_us.csv", contents),
        "cores_markups": write_core_markups(folder / "cores_us.mrk.json", contents),
    }


def _write_images(contents: Contents, folder: Path) -> dict[str, Path]:
    transform, files = contents.us_from_mr, {}
    if contents.us is not None:
        files["displacement_field"] = write_displacement_field(
            folder / "us_from_mr_displacement.nii.gz",
            contents.us.grid,
            transform,
            check_us_mm=contents.check_us_mm,
        )
    if contents.mr is not None:
        files["mr_moved"] = write_moved_mr(
            folder / "mr_moved_by_header.nii.gz", contents.mr, transform
        )
    if contents.mr is not None and contents.us is not None:
        files["mr_on_us_grid"] = write_mr_on_us_grid(
            folder / "mr_on_us_grid.nii.gz", contents.mr, contents.us, transform
        )
    return files


def _write_dicom(contents: Contents, folder: Path) -> dict[str, Path]:
    """DICOM objects where the images are DICOM: they must name the images they speak of."""
    mr, us = dicom_series_of(contents.mr), dicom_series_of(contents.us)
    if mr is None and us is None:
        return {}
    from fusioninit.exchange.dicom_landmarks import write_landmark_report

    files: dict[str, Path] = {}
    us_frame = UsFrame(us_frame_of_reference(contents.us), us)
    if contents.us is not None and not contents.us.source.frame_of_reference_uid:
        files["us_dicom"] = write_us_volume(
            folder / "us_volume.dcm",
            contents.us,
            study=us or mr,  # type: ignore[arg-type]
            frame_uid=us_frame.uid,
            keep_identity=contents.keep_identity,
        )
        us_frame = UsFrame(us_frame.uid, study_in(files["us_dicom"]).series[0])
    for marks, series in ((contents.mr_landmarks, mr), (contents.us_landmarks, us_frame.series)):
        if series is not None and len(marks) and series.first.get("FrameOfReferenceUID"):
            name = f"{marks.space.value}_landmarks"
            files[f"{name}_dicom"] = write_landmark_report(
                folder / f"{name}_sr.dcm", marks, series, keep_identity=contents.keep_identity
            )
    if mr is not None:
        files["dicom_registration"] = write_dicom_registration(
            folder / "us_from_mr_registration.dcm",
            contents.us_from_mr,
            mr=mr,
            us=us_frame,
            check_us_mm=contents.check_us_mm,
            keep_identity=contents.keep_identity,
        )
    return files


def _write_pictures_and_report(contents: Contents, folder: Path) -> dict[str, Path]:
    pictures = overlay_pictures(contents)
    files = {}
    for name, picture in pictures.items():
        key = name if name == "overlay" else f"overlay_{name}"
        files[key] = folder / f"{key}.png"
        picture.save(files[key], "PNG", compress_level=3)
        _verify_picture(files[key], picture)
    report = write_report(folder / "report.pdf", contents, pictures.get("overlay"))
    return files | {"report": report}


def _verify_picture(path: Path, picture: Image.Image) -> None:
    try:
        with Image.open(path) as back:
            same = back.size == picture.size and back.tobytes() == picture.tobytes()
    except (OSError, SyntaxError) as error:
        raise WrittenFileError(f"{path.name}: read back, it is no whole picture") from error
    if not same:
        raise WrittenFileError(f"{path.name}: read back, the picture differs")
