"""What the compressed frames of a DICOM file say of their own size, before any is unpacked.

A decoder allocates what the codestream claims, whatever the header around it says.
"""

from __future__ import annotations

import struct

from pydicom.dataset import Dataset
from pydicom.encaps import generate_frames

_NO_SIZE = {0xC4, 0xC8, 0xCC}
"""JPEG markers within the range of the frame headers (SOF) that are none."""

_JPEG_LS_FRAME = 0xF7


def claimed_sizes(dataset: Dataset) -> set[tuple[int, int]]:
    """(columns, rows) that the codestreams of encapsulated pixels claim; of JPEG kinds alone."""
    count = int(dataset.get("NumberOfFrames") or 1)
    frames = generate_frames(dataset.PixelData, number_of_frames=count)
    return {size for frame in frames if (size := frame_size(frame)) is not None}


def frame_size(stream: bytes) -> tuple[int, int] | None:
    """(columns, rows) that a JPEG, JPEG-LS or JPEG 2000 codestream claims; None where it is none.

    >>> frame_size(bytes.fromhex("ffd8ffc3000b08000500070101110000"))
    (7, 5)
    """
    if stream[:4] == b"\xff\x4f\xff\x51" and len(stream) >= 24:
        right, bottom, left, top = struct.unpack_from(">4I", stream, 8)
        return right - left, bottom - top
    return _jpeg_size(stream) if stream[:2] == b"\xff\xd8" else None


def _jpeg_size(stream: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 <= len(stream) and stream[at] == 0xFF:
        marker = stream[at + 1]
        is_frame = 0xC0 <= marker <= 0xCF and marker not in _NO_SIZE
        if is_frame or marker == _JPEG_LS_FRAME:
            rows, columns = struct.unpack_from(">HH", stream, at + 5)
            return columns, rows
        at += 1 if marker == 0xFF else 2 + struct.unpack_from(">H", stream, at + 2)[0]
    return None
