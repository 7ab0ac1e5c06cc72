"""NIfTI, NRRD and MetaImage files as volumes, after their claim was checked against the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusioninit.errors import ReadError
from fusioninit.geometry import Grid, Space
from fusioninit.imaging.doubts import CHECK, Doubt, Part, sentences_of, unstated_of
from fusioninit.imaging.headers import Claim, require_volume
from fusioninit.imaging.nifti_header import nifti_header
from fusioninit.imaging.nifti_volumes import nifti_grid, nifti_voxels
from fusioninit.imaging.volume import Volume, VolumeSource
from fusioninit.imaging.voxels import usable_voxels

Contents = tuple[NDArray[Any], Grid, tuple[Doubt, ...]]
"""Voxels (..., k, j, i), their grid in LPS mm, and what is doubtful about it."""

_UNROTATED = ((1.0, 1.0, 1.0), (-1.0, -1.0, 1.0))
"""Directions of the identity in LPS, and in RAS."""


def read_file(path: Path, format_name: str, *, space: Space) -> Volume:
    """One scalar 3D volume from a file of a known format.

    Raises
    ------
    ReadError
        One sentence: what is wrong with which file, and what to do.
    """
    stored, grid, doubts = _contents(path, format_name, dimensions=(3,))
    voxels, found = usable_voxels(path.name, stored)
    source = VolumeSource(
        path=path,
        format=format_name,
        description=path.name,
        warnings=(*sentences_of(doubts), *found),
        unstated=unstated_of(doubts),
    )
    return Volume(voxels, grid, space, source)


def read_label_file(path: Path, format_name: str, *, space: Space, channel: int) -> Volume:
    """A mask (1 inside) from a label file; of a 4D one, `channel` along its last axis.

    Raises
    ------
    ReadError
        Not a label file of 3 or 4 dimensions, no such channel, or nothing labelled.
    """
    labels, grid, doubts = _contents(path, format_name, dimensions=(3, 4))
    if labels.ndim == 4:
        if not 0 <= channel < len(labels):
            raise ReadError(
                f"{path.name} has channels 0 to {len(labels) - 1}; channel {channel} is not there"
            )
        labels = labels[channel]
    mask = (labels > 0.5).astype(np.uint8)
    if not mask.any():
        raise ReadError(f"{path.name}: nothing is labelled in it; choose the gland's mask")
    source = VolumeSource(
        path=path,
        format=format_name,
        description=path.name,
        warnings=sentences_of(doubts),
        unstated=unstated_of(doubts),
    )
    return Volume(mask, grid, space, source)


def label_channels(path: Path, format_name: str) -> tuple[list[NDArray[np.int32]], Grid]:
    """Labels (k, j, i) of a label file as whole numbers, one array per channel of a 4D file.

    A file of fractions (a probability map) is 1 above one half.

    Raises
    ------
    ReadError
        Not a label file of 3 or 4 dimensions, or nothing labelled.
    """
    stored, grid, _ = _contents(path, format_name, dimensions=(3, 4))
    channels = [_whole(channel) for channel in (stored if stored.ndim == 4 else stored[None])]
    if not any(channel.any() for channel in channels):
        raise ReadError(f"{path.name}: nothing is labelled in it; choose the mask of the targets")
    return channels, grid


def _whole(channel: NDArray[Any]) -> NDArray[np.int32]:
    finite = np.nan_to_num(channel)
    is_whole = bool((finite == np.rint(finite)).all())
    return finite.astype(np.int32) if is_whole else (finite > 0.5).astype(np.int32)


def _contents(path: Path, format_name: str, *, dimensions: tuple[int, ...]) -> Contents:
    if format_name == "nifti":
        header = nifti_header(path)
        require_volume(path.name, header.claim, dimensions=dimensions)
        grid, doubts = nifti_grid(path, header)
        return nifti_voxels(path, header), grid, doubts or _at_defaults(grid)
    # imported late: NIfTI, the commonest format, needs no SimpleITK
    from fusioninit.imaging.itk_volumes import itk_contents
    from fusioninit.imaging.text_headers import meta_claim, nrrd_claim

    claim: Claim = (nrrd_claim if format_name == "nrrd" else meta_claim)(path)
    require_volume(path.name, claim, dimensions=dimensions)
    voxels, grid, doubts = itk_contents(path, format_name, claim)
    return voxels, grid, doubts or _at_defaults(grid)


def _at_defaults(grid: Grid) -> tuple[Doubt, ...]:
    """Doubts about a geometry that was stated, but as programs state it that know none."""
    is_unrotated = any(np.array_equal(grid.direction, np.diag(d)) for d in _UNROTATED)
    if not is_unrotated or grid.origin_mm.any() or (grid.spacing_mm != 1).any():
        return ()
    sentence = (
        "its geometry is what programs write that know none (voxels of 1 mm, the first at 0, 0, 0, "
        f"no rotation): size and directions may be lost; {CHECK}"
    )
    return (Doubt(sentence, Part.DIRECTIONS), Doubt(sentence, Part.SPACING))
