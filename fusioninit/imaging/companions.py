"""The files that make up an image: the one opened, and the one beside it that holds its voxels."""

from __future__ import annotations

from pathlib import Path

from fusioninit.errors import ReadError
from fusioninit.imaging.formats import format_of
from fusioninit.imaging.nifti_header import nifti_claim
from fusioninit.imaging.text_headers import meta_claim, nrrd_claim

_CLAIMS = {"nifti": nifti_claim, "nrrd": nrrd_claim, "metaimage": meta_claim}


def files_of(path: Path) -> tuple[Path, ...]:
    """`path`, and the header or the data file without which it cannot be read. DICOM stands alone.

    Raises
    ------
    ReadError
        It is no image any more, or its data file is missing.
    """
    if path.is_dir():
        return (path,)
    if path.suffix.lower() == ".img" and path.with_suffix(".hdr").is_file():
        return (path, path.with_suffix(".hdr"))
    format_name = format_of(path)
    data = _CLAIMS[format_name](path).data_path if format_name in _CLAIMS else path
    if not data.is_file():
        raise ReadError(
            f"{path.name}: its data file '{data.name}' is missing; put it beside the header"
        )
    return (path,) if data == path else (path, data)
