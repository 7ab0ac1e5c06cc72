"""DICOM folders and files as volumes: choose the series, prove the stack, then decode pixels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from fusioninit.errors import ReadError, VoxelSizeNeededError
from fusioninit.geometry import Grid, Space
from fusioninit.imaging.dicom_frames import ENHANCED_US, modality_of, patient_key
from fusioninit.imaging.dicom_pixels import stack_pixels
from fusioninit.imaging.dicom_series import Choice, Series, choose
from fusioninit.imaging.dicom_stack import Stack, stack_of
from fusioninit.imaging.dicom_study import study_in
from fusioninit.imaging.doubts import Doubt, Part, no_directions, sentences_of, unstated_of
from fusioninit.imaging.headers import MAX_BYTES
from fusioninit.imaging.stated_geometry import StatedGeometry
from fusioninit.imaging.us_spacing import bare_size
from fusioninit.imaging.volume import Volume, VolumeSource
from fusioninit.imaging.voxels import usable_voxels

_VOLUME_FRAME = (
    "its positions are in the ultrasound volume's own frame, not in patient directions; "
    "check left, right, front and back"
)


def read_dicom(
    path: Path, *, space: Space, series_uid: str | None, stated: StatedGeometry
) -> Volume:
    """The volume of a DICOM folder (any depth) or file that fits `space`.

    Raises
    ------
    ReadError
        No image, or the series that is meant forms no regular volume; the sentence says why.
    """
    study = study_in(path)
    choices = choose(path.name, study.series, space=space, series_uid=series_uid)
    refusals: list[ReadError] = []
    for choice in choices:
        try:
            stack, doubts = _stack(_label(path, choice.series), choice.series, stated)
        except ReadError as refusal:
            refusals.append(refusal)
            if _is_what_was_meant(choice, space, series_uid):
                break
            continue
        skipped = [str(refusal).removeprefix(f"{path.name}, ") for refusal in refusals[:3]]
        more = (*study.warnings(), *(f"not used: {text}" for text in skipped))
        return _volume(path, choice, stack, (*doubts, *map(Doubt, more)), space)
    raise refusals[0]


def _is_what_was_meant(choice: Choice, space: Space, series_uid: str | None) -> bool:
    """Whether refusing this series ends the search: no other may stand in for it silently."""
    if series_uid is not None or space is Space.US:
        return True
    return choice.reason == "the axial T2"


def _label(path: Path, series: Series) -> str:
    """What a refusal speaks of: the folder or file, and the series in it."""
    return f"{path.name}, {series.name}"


def _stack(name: str, series: Series, stated: StatedGeometry) -> tuple[Stack, tuple[Doubt, ...]]:
    frames = series.frames
    single_file = len(series.paths) == 1 and len(frames) > 1
    if single_file and all(frame.position_mm is None for frame in frames):
        return _bare_stack(name, series, stated)
    doubts = []
    if str(series.first.get("SOPClassUID", "")) == ENHANCED_US:
        doubts.append(Doubt(_VOLUME_FRAME, Part.DIRECTIONS))
    stack = stack_of(name, frames)
    doubts += map(Doubt, stack.doubts)
    if len(series.paths) == len(frames) > 1:
        doubts += _doubts_about_ends(series)
    return stack, tuple(doubts)


def _doubts_about_ends(series: Series) -> list[Doubt]:
    """What says that slices are missing where no gap between slices shows it."""
    count = len(series.frames)
    expected = int(series.first.get("ImagesInAcquisition") or 0)
    numbers = {int(header.get("InstanceNumber") or 0) for header in series.headers}
    are_distinct = len(numbers) == count
    if expected > count:
        said = f"its header speaks of {expected} images and {count} are here"
    elif are_distinct and (min(numbers) > 1 or max(numbers) - min(numbers) >= count):
        said = f"its {count} slices are numbered from {min(numbers)} to {max(numbers)}"
    else:
        return []
    return [Doubt(f"{said}: slices may be missing at an end")]


def _bare_stack(
    name: str, series: Series, stated: StatedGeometry
) -> tuple[Stack, tuple[Doubt, ...]]:
    """Many frames in one file without positions: a volume only if its voxel size is known."""
    header, frames = series.first, series.frames
    is_film = header.get("FrameTime") or header.get("FrameTimeVector")
    size = None if stated.spacing_mm is not None else bare_size(name, header)
    spacing = None if size is None else size.spacing_mm
    if is_film and spacing is None and stated.spacing_mm is None:
        raise VoxelSizeNeededError(
            f"{name} is a film over time, not a volume; export the 3D volume, or state its "
            "voxel size if its frames are slices"
        )
    doubts = [no_directions("multi-frame file")]
    if is_film:
        doubts.append(
            Doubt("it states a time per frame like a film; check that its frames are slices")
        )
    if size is not None and size.warning:
        doubts.append(Doubt(size.warning))
    if stated.spacing_mm is not None:
        spacing = np.asarray(stated.spacing_mm)
    if spacing is None:
        raise VoxelSizeNeededError(
            f"{name} states no complete voxel size; state it with its orientation, "
            "or export it with geometry"
        )
    columns, rows = frames[0].size
    grid = Grid.centred((len(frames), rows, columns), spacing)
    return Stack(frames, grid), tuple(doubts)


def _volume(
    path: Path, choice: Choice, stack: Stack, doubts: tuple[Doubt, ...], space: Space
) -> Volume:
    series, header = choice.series, choice.series.first
    name = _label(path, series)
    _require_size(name, stack, header)
    voxels, changed = usable_voxels(name, stack_pixels(name, stack.frames))
    source = VolumeSource(
        path=path,
        format="dicom",
        description=series.name if series.description else path.name,
        series_uid=series.uid,
        frame_of_reference_uid=stack.frames[0].frame_of_reference,
        study_date=str(header.get("StudyDate") or ""),
        patient_key=patient_key(header),
        window=_window(series),
        warnings=(
            *choice.warnings,
            *_modality(header, space),
            *sentences_of(doubts),
            *changed,
        ),
        unstated=unstated_of(doubts),
        details={"chosen": f"{series.one_line()} ({choice.reason})", "others": list(choice.others)},
    )
    return Volume(voxels, stack.grid, space, source)


def _require_size(name: str, stack: Stack, header: Any) -> None:
    if int(header.get("SamplesPerPixel") or 1) not in (1, 3):
        raise ReadError(f"{name} has several values per pixel; choose a greyscale series")
    count = int(np.prod(stack.grid.shape))
    # what decoding needs at once: stored values and float32
    if count * 4 > MAX_BYTES:
        raise ReadError(
            f"{name}: its header claims {count / 1e6:.0f} million voxels, too many; crop it"
        )


def _modality(header: Any, space: Space) -> tuple[str, ...]:
    stated = modality_of(header)
    if stated in ("", space.value.upper()):
        return ()
    return (f"its header says {stated}, and it was opened as {space.upper()}; check the choice",)


def _window(series: Series) -> tuple[float, float] | None:
    """(low, high) that the middle slice states, if it states one."""
    header = series.headers[len(series.headers) // 2]
    values = []
    for name in ("WindowCenter", "WindowWidth"):
        value = header.get(name)
        if value is None or value == "":
            return None
        values.append(float(value if isinstance(value, int | float) else next(iter(value))))
    center, width = values
    return (center - width / 2, center + width / 2) if width > 1 else None
