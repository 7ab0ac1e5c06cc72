"""Resampling a volume onto another grid, through SimpleITK."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from fusioninit.geometry import Grid, RigidTransform
from fusioninit.imaging.volume import Volume

_SMOOTHING = 0.5
"""Gaussian sigma per axis, in units of how much coarser the new grid is (choice: half a voxel)."""


def resample(
    volume: Volume,
    *,
    onto: Grid,
    onto_from_volume: RigidTransform | None,
    smooth: bool = False,
    fill: float = 0.0,
) -> Volume:
    """`volume` sampled at the voxel centres of `onto`, linearly.

    Parameters
    ----------
    onto_from_volume : RigidTransform or None
        Takes the volume's points to points of `onto`'s space; None where they share a space.
    smooth : bool
        Blur first along the axes on which `onto` is coarser, so that nothing aliases.
    fill : float
        Value outside the volume.

    Returns
    -------
    Volume
        float32 voxels (uint8 in, uint8 out), in `onto`'s space.
    """
    if onto_from_volume is not None and onto_from_volume.source != volume.space:
        raise ValueError(
            f"a {volume.space} volume cannot be moved by "
            f"{onto_from_volume.target}_from_{onto_from_volume.source}"
        )
    image = image_of(volume)
    keeps_bytes = volume.voxels.dtype == np.uint8
    if smooth:
        image = _smoothed(image, volume.grid, onto)
    pixel = sitk.sitkUInt8 if keeps_bytes else sitk.sitkFloat32
    resampled = sitk.Resample(
        image,
        onto.shape[::-1],
        _pull_back(onto_from_volume),
        sitk.sitkLinear,
        onto.origin_mm.tolist(),
        onto.spacing_mm.tolist(),
        onto.direction.ravel().tolist(),
        fill,
        pixel,
    )
    space = volume.space if onto_from_volume is None else onto_from_volume.target
    return Volume(sitk.GetArrayFromImage(resampled), onto, space, volume.source)


def image_of(volume: Volume) -> sitk.Image:
    """The volume as a SimpleITK image with the same LPS geometry."""
    image = sitk.GetImageFromArray(_itk_voxels(volume.voxels))
    image.SetSpacing(volume.grid.spacing_mm.tolist())
    image.SetOrigin(volume.grid.origin_mm.tolist())
    image.SetDirection(volume.grid.direction.ravel().tolist())
    return image


def _itk_voxels(voxels: NDArray[np.generic]) -> NDArray[np.generic]:
    if voxels.dtype == np.bool_:
        return voxels.astype(np.uint8)
    return voxels.astype(np.float32) if voxels.dtype == np.float16 else voxels


def _pull_back(onto_from_volume: RigidTransform | None) -> sitk.Transform:
    transform = sitk.AffineTransform(3)
    if onto_from_volume is not None:
        back = onto_from_volume.inverse()
        transform.SetMatrix(back.rotation.ravel().tolist())
        transform.SetTranslation(back.translation_mm.tolist())
    return transform


def _smoothed(image: sitk.Image, grid: Grid, onto: Grid) -> sitk.Image:
    image = sitk.Cast(image, sitk.sitkFloat32)
    coarse = float(onto.spacing_mm.min())
    for axis, (spacing, size) in enumerate(zip(grid.spacing_mm, image.GetSize(), strict=True)):
        if coarse > spacing * 1.01 and size > 4:
            sigma_mm = _SMOOTHING * float(np.sqrt(coarse**2 - spacing**2))
            image = sitk.RecursiveGaussian(image, sigma_mm, direction=axis)
    return image
