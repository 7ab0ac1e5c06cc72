"""A plain manifest: a CSV file with one image per line, paths relative to the file's folder."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from fusioninit.errors import InputError
from fusioninit.geometry import Space
from fusioninit.training.datasets.listing import SPLIT_NAMES, BadRow, CaseFiles, Listing

REQUIRED_COLUMNS = ("image", "modality")
OPTIONAL_COLUMNS = (
    "landmarks",
    "mask",
    "series_uid",
    "split",
    "patient",
    "mask_channel",
    "sd_mm",
)

Row = dict[str, str]


class _RowError(ValueError):
    """A line that cannot be used; the message is the reason."""


def list_manifest(path: Path, space: Space) -> Listing:
    """The cases of one space in a manifest; lines of the other space are left alone.

    Columns: image, modality (mr or us), landmarks and/or mask; if wanted series_uid, split (train,
    validation or test), patient, mask_channel, and sd_mm, the SD per axis of the points.

    Raises
    ------
    InputError
        The file cannot be read, or its columns are not these.
    """
    seen: dict[tuple[str, str], int] = {}
    return Listing.of(
        entry
        for line, row in _rows(path)
        if (entry := _entry(path, line, row, space, seen)) is not None
    )


def _rows(path: Path) -> Iterator[tuple[int, Row | None]]:
    """Line numbers as an editor counts them, with the fields; None where their number is wrong."""
    try:
        # utf-8-sig: spreadsheets put a mark in front
        with path.open(newline="", encoding="utf-8-sig") as file:
            first = file.readline()
            file.seek(0)
            # spreadsheets in half of Europe write semicolons
            delimiter = ";" if ";" in first and "," not in first else ","
            reader = csv.DictReader(file, delimiter=delimiter, strict=True)
            _require_columns(path, [name.strip() for name in reader.fieldnames or ()])
            reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or ()]
            for row in reader:
                whole = None not in row and None not in row.values()
                yield (
                    reader.line_num,
                    {k: v.strip() for k, v in row.items()} if whole else None,
                )
    except OSError as error:
        raise InputError(f"{path}: the manifest cannot be read ({error.strerror})") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path.name}: not a CSV file in UTF-8 ({error})") from error


def _require_columns(path: Path, found: list[str]) -> None:
    names = [name.lower() for name in found]
    missing = [name for name in REQUIRED_COLUMNS if name not in names]
    if not {"landmarks", "mask"} & set(names):
        missing.append("landmarks or mask")
    if missing:
        raise InputError(
            f"{path.name}: the first line lacks the column {' and '.join(missing)}; found "
            f"{', '.join(found) or 'nothing'}"
        )
    known = REQUIRED_COLUMNS + OPTIONAL_COLUMNS
    unknown = [name for name in found if name.lower() not in known]
    if unknown:
        raise InputError(
            f"{path.name}: unknown column '{unknown[0]}'; known ones: {', '.join(known)}"
        )


def _entry(
    path: Path, line: int, row: Row | None, space: Space, seen: dict[tuple[str, str], int]
) -> CaseFiles | BadRow | None:
    where = f"{path.name} line {line}"
    try:
        if row is None:
            raise _RowError("it has not as many fields as the first line has columns")
        if _modality(row) is not space:
            return None
        key = (row["image"], row.get("series_uid", ""))
        if key in seen:
            raise _RowError(f"it names the same image as line {seen[key]}")
        seen[key] = line
        return _case(path.parent, where, row)
    except _RowError as reason:
        return BadRow(where, str(reason))


def _modality(row: Row) -> Space:
    try:
        return Space(row["modality"].lower())
    except ValueError as error:
        raise _RowError(f"modality '{row['modality']}' is neither mr nor us") from error


def _case(folder: Path, where: str, row: Row) -> CaseFiles:
    image = _existing(folder, row, "image")
    if image is None:
        raise _RowError("it names no image")
    landmarks, mask = _existing(folder, row, "landmarks"), _existing(folder, row, "mask")
    if landmarks is None and mask is None:
        raise _RowError("it names neither landmarks nor a mask")
    split = row.get("split", "")
    if split.lower() not in SPLIT_NAMES:
        raise _RowError(f"split '{split}' is not train, validation or test")
    return CaseFiles(
        where=where,
        patient=row.get("patient") or row["image"],
        image=image,
        split=SPLIT_NAMES[split.lower()],
        landmarks=landmarks,
        mask=mask,
        series_uid=row.get("series_uid", ""),
        mask_channel=_channel(row.get("mask_channel", "")),
        point_sd_mm=_sd_mm(row.get("sd_mm", "")),
    )


def _existing(folder: Path, row: Row, column: str) -> Path | None:
    name = row.get(column, "")
    if not name:
        return None
    if not (folder / name).exists():
        raise _RowError(f"no such {column} '{name}'")
    return folder / name


def _channel(text: str) -> int:
    if text and not text.isdecimal():
        raise _RowError(f"mask_channel '{text}' is not a whole number from 0 on")
    return int(text or 0)


def _sd_mm(text: str) -> float | None:
    if not text:
        return None
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        value = -1.0
    if not 0 <= value < 100:
        raise _RowError(f"sd_mm '{text}' is not a length in mm")
    return value
