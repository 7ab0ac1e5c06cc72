"""NRRD and MetaImage through SimpleITK, once the header's claim was proven."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from fusioninit.errors import ReadError
from fusioninit.geometry import Grid
from fusioninit.imaging.doubts import Doubt
from fusioninit.imaging.headers import Claim, require_data

_IMAGE_IO = {"nrrd": "NrrdImageIO", "metaimage": "MetaImageIO"}


def itk_contents(
    path: Path, format_name: str, claim: Claim
) -> tuple[NDArray[Any], Grid, tuple[Doubt, ...]]:
    """Voxels (..., k, j, i), the grid in LPS mm, and the claim's doubts.

    Raises
    ------
    ReadError
        The data is cut short, damaged, or of a geometry that is not regular.
    """
    require_data(path.name, claim)
    reader = sitk.ImageFileReader()
    reader.SetImageIO(_IMAGE_IO[format_name])
    reader.SetFileName(str(path))
    try:
        image = reader.Execute()
    except (RuntimeError, UnicodeDecodeError) as error:  # the second: its message is no text
        raise ReadError(
            f"{path.name} is damaged or in a variant that is not read; export the image again"
        ) from error
    dimension = image.GetDimension()
    try:
        grid = Grid(
            image.GetSize()[2::-1],
            np.array(image.GetSpacing()[:3]),
            np.array(image.GetOrigin()[:3]),
            np.array(image.GetDirection()).reshape(dimension, dimension)[:3, :3],
        )
    except ValueError as error:
        raise ReadError(
            f"{path.name}: its axes are sheared or its voxel size is not positive; resample it to "
            "a regular grid first"
        ) from error
    return sitk.GetArrayFromImage(image), grid, claim.doubts
