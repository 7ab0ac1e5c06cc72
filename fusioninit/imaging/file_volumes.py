"""NIfTI, NRRD and MetaImage files as volumes, through SimpleITK, after their claim was checked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from fusioninit.errors import ReadError
from fusioninit.geometry import Grid, Space
from fusioninit.imaging.headers import Claim, require_data, require_volume
from fusioninit.imaging.nifti_header import nifti_claim
from fusioninit.imaging.text_headers import meta_claim, nrrd_claim
from fusioninit.imaging.volume import Volume, VolumeSource
from fusioninit.imaging.voxels import usable_voxels

CLAIMS: dict[str, Callable[[Path], Claim]] = {
    "nifti": nifti_claim,
    "nrrd": nrrd_claim,
    "metaimage": meta_claim,
}
_IMAGE_IO = {"nifti": "NiftiImageIO", "nrrd": "NrrdImageIO", "metaimage": "MetaImageIO"}


def read_file(path: Path, format_name: str, *, space: Space) -> Volume:
    """One scalar 3D volume from a file of a known format.

    Raises
    ------
    ReadError
        One sentence: what is wrong with which file, and what to do.
    """
    claim = CLAIMS[format_name](path)
    require_volume(path.name, claim)
    require_data(path.name, claim)
    image = _image(path, format_name)
    voxels, found = usable_voxels(path.name, sitk.GetArrayFromImage(image))
    source = VolumeSource(
        path=path, format=format_name, description=path.name, warnings=(*claim.warnings, *found)
    )
    return Volume(voxels, _grid(path, image), space, source)


def read_label_file(path: Path, format_name: str, *, space: Space, channel: int) -> Volume:
    """A mask (1 inside) from a label file; of a 4D one, `channel` along its last axis.

    Raises
    ------
    ReadError
        Not a label file of 3 or 4 dimensions, no such channel, or nothing labelled.
    """
    claim = CLAIMS[format_name](path)
    require_volume(path.name, claim, dimensions=(3, 4))
    require_data(path.name, claim)
    image = _image(path, format_name)
    if image.GetDimension() == 4:
        channels = image.GetSize()[3]
        if not 0 <= channel < channels:
            raise ReadError(
                f"{path.name} has channels 0 to {channels - 1}; channel {channel} is not there"
            )
        image = image[:, :, :, channel]
    mask = (sitk.GetArrayFromImage(image) > 0.5).astype(np.uint8)
    if not mask.any():
        raise ReadError(f"{path.name}: nothing is labelled in it; choose the gland's mask")
    source = VolumeSource(
        path=path, format=format_name, description=path.name, warnings=claim.warnings
    )
    return Volume(mask, _grid(path, image), space, source)


def _image(path: Path, format_name: str) -> sitk.Image:
    reader = sitk.ImageFileReader()
    reader.SetImageIO(_IMAGE_IO[format_name])
    reader.SetFileName(str(path))
    try:
        return reader.Execute()
    except RuntimeError as error:
        raise ReadError(_itk_reason(path, str(error))) from error


def _itk_reason(path: Path, message: str) -> str:
    if "orthonormal" in message:
        return (
            f"{path.name}: its axes are sheared or not perpendicular; resample it to a regular "
            "grid first"
        )
    return f"{path.name} is damaged or in a variant that is not read; export the image again"


def _grid(path: Path, image: sitk.Image) -> Grid:
    try:
        return Grid(
            image.GetSize()[::-1],
            np.array(image.GetSpacing()),
            np.array(image.GetOrigin()),
            np.array(image.GetDirection()).reshape(3, 3),
        )
    except ValueError as error:
        raise ReadError(f"{path.name}: unusable geometry ({error}); export it again") from error
