"""The child process that reads one file: `python -m fusioninit.imaging.child FOLDER`.

FOLDER holds `request.json`; the answer is left beside it. Libraries load only as the format needs.
"""

from __future__ import annotations

import logging
import sys
import warnings
from pathlib import Path

from fusioninit.errors import ReadError
from fusioninit.imaging.formats import format_of
from fusioninit.imaging.isolation import (
    MEMORY_LIMIT_BYTES,
    TIME_LIMIT_S,
    Request,
    save_answer,
    save_refusal,
    save_regions,
)
from fusioninit.imaging.volume import Volume


def main(arguments: list[str]) -> int:
    """Read what the folder's request asks for and leave the answer there."""
    folder = Path(arguments[0])
    _limit_resources()
    # pydicom would load a web client for its test data: half of this child's start
    sys.modules["requests"] = None  # type: ignore[assignment]
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    request = Request.from_json((folder / "request.json").read_text(encoding="utf-8"))
    try:
        if request.regions:
            from fusioninit.imaging.regions import regions_of

            save_regions(folder, regions_of(request.path))
        else:
            save_answer(folder, read_request(request))
    except ReadError as refusal:
        save_refusal(folder, refusal)
    except MemoryError:
        sentence = f"{request.path.name} needs more memory than is given; crop it first"
        save_refusal(folder, ReadError(sentence))
    return 0


def read_request(request: Request) -> Volume:
    """Read in this process; ReadError with one sentence where that cannot be."""
    format_name = format_of(request.path)
    if format_name == "dicom":
        volume = _read_dicom(request)
    elif request.mask_channel is not None:
        from fusioninit.imaging.file_volumes import read_label_file

        volume = read_label_file(
            request.path, format_name, space=request.space, channel=request.mask_channel
        )
    else:
        from fusioninit.imaging.file_volumes import read_file

        volume = read_file(request.path, format_name, space=request.space)
    return volume.with_stated_geometry(request.stated)


def _read_dicom(request: Request) -> Volume:
    if request.mask_channel is not None:
        raise ReadError(
            f"{request.path.name} is DICOM, from which masks are not read; save it as NIfTI"
        )
    from fusioninit.imaging.dicom_volumes import read_dicom

    return read_dicom(
        request.path,
        space=request.space,
        series_uid=request.series_uid or None,
        stated=request.stated,
    )


def _limit_resources() -> None:
    if sys.platform == "win32":
        return
    import resource

    seconds = int(TIME_LIMIT_S)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform != "darwin":
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
