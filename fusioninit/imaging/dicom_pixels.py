"""Decoding the pixels of a proven stack: pydicom first, GDCM for what pydicom cannot unpack."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.pixels import convert_color_space
from pydicom.uid import UID, generate_uid

from fusioninit.errors import ReadError
from fusioninit.imaging.codestreams import claimed_sizes
from fusioninit.imaging.dicom_frames import PYDICOM_ERRORS, Frame

_SMALLEST_RATIO = 1 / 2000
"""A compressed file smaller than this part of its claimed pixels cannot hold a clinical image."""


def stack_pixels(name: str, frames: Sequence[Frame]) -> NDArray[Any]:
    """(k, j, i) stored values with rescaling applied; integers stay integers where they can.

    Raises
    ------
    ReadError
        Pixels are missing, cut short, in colour, or in a compression that is not read.
    """
    decoded: dict[Path, NDArray[Any]] = {}
    layers = []
    for frame in frames:
        if frame.path not in decoded:
            if len(decoded) and len({f.path for f in frames}) == len(frames):
                decoded.clear()
            decoded[frame.path] = _file_pixels(name, frame.path)
        pixels = decoded[frame.path]
        if frame.number >= len(pixels) or pixels.shape[1:] != frame.size[::-1]:
            raise ReadError(f"{name}: a file holds fewer pixels than its header claims; copy again")
        layers.append(pixels[frame.number])
    return np.stack(layers)


def _file_pixels(name: str, path: Path) -> NDArray[Any]:
    """(frames, rows, columns) of one file, rescaled."""
    try:
        dataset = pydicom.dcmread(path, force=True)
        _require_plausible(name, dataset, path)
        pixels = _decoded(name, dataset, path)
    except ReadError:
        raise
    except PYDICOM_ERRORS as error:
        raise ReadError(
            f"{name}: the pixels of {path.name} are damaged or cut short; copy the series again"
        ) from error
    return pixels


def _require_plausible(name: str, dataset: Dataset, path: Path) -> None:
    if "PixelData" not in dataset and "FloatPixelData" not in dataset:
        raise ReadError(f"{name}: {path.name} holds no pixels; export the images, not a report")
    count = int(dataset.get("NumberOfFrames") or 1) * int(dataset.Rows) * int(dataset.Columns)
    bits = int(dataset.get("BitsAllocated") or 8) * int(dataset.get("SamplesPerPixel") or 1)
    if path.stat().st_size < count * bits / 8 * _SMALLEST_RATIO:
        raise ReadError(f"{name}: {path.name} claims more pixels than it can hold; copy it again")


def _decoded(name: str, dataset: Dataset, path: Path) -> NDArray[Any]:
    syntax = UID(dataset.file_meta.get("TransferSyntaxUID", "1.2.840.10008.1.2"))
    if syntax.is_encapsulated and claimed_sizes(dataset) - {(dataset.Columns, dataset.Rows)}:
        raise ReadError(
            f"{name}: the compressed pixels of {path.name} are of another size than its header "
            "says; copy the series again"
        )
    try:
        stored = dataset.pixel_array
    except RuntimeError:
        if not syntax.is_compressed:
            raise
        stored = _gdcm_pixels(name, dataset, path, syntax)
    return _rescaled(_grey(name, stored, dataset), dataset)


def _grey(name: str, stored: NDArray[Any], dataset: Dataset) -> NDArray[Any]:
    """(frames, rows, columns); grey stored as three equal channels is grey."""
    if int(dataset.get("SamplesPerPixel") or 1) == 3:
        if np.abs(np.ptp(stored.astype(np.int32), axis=-1)).mean() > 2:
            raise ReadError(f"{name} is a colour image; choose a greyscale series")
        stored = stored[..., 1]
    frames = stored if stored.ndim == 3 else stored[None]
    if _photometric(dataset) == "MONOCHROME1":
        frames = frames.max() - frames
    return frames


def _photometric(dataset: Dataset) -> str:
    return str(dataset.get("PhotometricInterpretation") or "")


def _rescaled(frames: NDArray[Any], dataset: Dataset) -> NDArray[Any]:
    slopes, intercepts = _rescaling(dataset, len(frames))
    if (slopes == 1).all() and (intercepts == 0).all():
        return frames
    scaled = frames * slopes[:, None, None] + intercepts[:, None, None]
    return scaled.astype(np.float32)


def _rescaling(dataset: Dataset, count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    slope = float(dataset.get("RescaleSlope") or 1)
    intercept = float(dataset.get("RescaleIntercept") or 0)
    slopes, intercepts = np.full(count, slope), np.full(count, intercept)
    shared = _pixel_values(dataset.get("SharedFunctionalGroupsSequence") or [Dataset()])
    for number, item in enumerate(dataset.get("PerFrameFunctionalGroupsSequence") or ()):
        values = _pixel_values([item]) or shared
        if values and number < count:
            slopes[number], intercepts[number] = values
    return slopes, intercepts


def _pixel_values(items: Sequence[Dataset]) -> tuple[float, float] | None:
    sequence = items[0].get("PixelValueTransformationSequence")
    if not sequence:
        return None
    return float(sequence[0].RescaleSlope), float(sequence[0].RescaleIntercept)


_AS_STORED = (
    "Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "PlanarConfiguration",
    "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "PixelData",
)  # fmt: skip
_STORAGE = "1.2.840.10008.5.1.4.1.1"
_CAPTURES = {(1, 8): "7.2", (1, 16): "7.3", (3, 8): "7.4"}
"""Kinds of secondary capture, by samples and bits: objects without rescaling or geometry."""


def _gdcm_pixels(name: str, dataset: Dataset, path: Path, syntax: UID) -> NDArray[Any]:
    """What GDCM unpacks (JPEG lossless among others) as pydicom gives it: stored values, or RGB.

    GDCM is handed the pixels alone: of a whole file it would apply one rescaling to all frames.
    """
    import SimpleITK as sitk

    with tempfile.TemporaryDirectory(prefix="fusioninit-pixels-") as folder:
        bare = _bare(dataset, syntax)
        if bare is not None:
            bare.save_as(Path(folder) / "pixels.dcm", enforce_file_format=True)
        reader = sitk.ImageFileReader()
        reader.SetImageIO("GDCMImageIO")
        reader.SetFileName(str(Path(folder) / "pixels.dcm"))
        try:
            stored: NDArray[Any] = sitk.GetArrayFromImage(reader.Execute())
        except (RuntimeError, UnicodeDecodeError) as error:  # the second: its message is no text
            raise ReadError(
                f"{name}: the compression of {path.name} ({syntax.name}) is not read or damaged; "
                "export it uncompressed"
            ) from error
    if _photometric(dataset).startswith("YBR"):
        stored = convert_color_space(stored, "YBR_FULL", "RGB")
    return stored


def _bare(dataset: Dataset, syntax: UID) -> Dataset | None:
    """The pixels of a file as a secondary capture; None where there is none of their kind."""
    samples = int(dataset.get("SamplesPerPixel") or 1)
    kind = _CAPTURES.get((samples, int(dataset.get("BitsAllocated") or 0)))
    if kind is None:
        return None
    bare = Dataset()
    bare.file_meta = FileMetaDataset()
    bare.file_meta.TransferSyntaxUID = syntax
    bare.SOPClassUID = bare.file_meta.MediaStorageSOPClassUID = UID(f"{_STORAGE}.{kind}")
    bare.SOPInstanceUID = bare.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    # no conversion of colours: what is stored is asked for
    bare.PhotometricInterpretation = "RGB" if samples == 3 else "MONOCHROME2"
    for keyword in _AS_STORED:
        if keyword in dataset:
            bare[keyword] = dataset[keyword]
    return bare
