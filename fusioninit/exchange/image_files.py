"""Images that leave: MR on the US grid, MR moved by its header alone, displacement fields."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import ArrayLike, NDArray

from fusioninit.exchange.frames import MAX_RESIDUAL_MM, WrittenFileError, check_points_us_mm
from fusioninit.exchange.placing import placed
from fusioninit.exchange.transforms import itk_transform
from fusioninit.geometry import Grid, RigidTransform, Space
from fusioninit.imaging.nifti_header import nifti_header
from fusioninit.imaging.resampling import image_of, resample
from fusioninit.imaging.volume import Volume

FloatArray = NDArray[np.float64]

MAX_FIELD_VOXELS = 500_000
"""A displacement field on a finer grid would be larger than the images; it is coarsened, which
loses nothing: a rigid displacement is linear in position, and fields are read linearly."""

HEADER_TOLERANCE_MM = 1e-3
"""NIfTI headers hold float32."""


def write_mr_on_us_grid(path: Path, mr: Volume, us: Volume, us_from_mr: RigidTransform) -> Path:
    """Write MR resampled onto the voxels of US (NIfTI), and verify voxels and place."""
    moved = resample(mr, onto=us.grid, onto_from_volume=us_from_mr)
    with placed(path) as beside:
        sitk.WriteImage(image_of(moved), str(beside), True, 1)
        back = sitk.ReadImage(str(beside))
        if not np.array_equal(sitk.GetArrayViewFromImage(back), moved.voxels):
            raise WrittenFileError(f"{path.name}: read back, its voxels differ")
        _verify_place(path, beside, us.grid)
    return path


def write_moved_mr(path: Path, mr: Volume, us_from_mr: RigidTransform) -> Path:
    """Write MR unresampled, in US coordinates by its header alone: sform and qform alike.

    A program that reads either of the two finds the same place.
    """
    moved = moved_grid(mr.grid, us_from_mr)
    with placed(path) as beside:
        image = image_of(Volume(mr.voxels, moved, Space.US))
        sitk.WriteImage(image, str(beside), True, 1)
        _verify_place(path, beside, moved)
    return path


def moved_grid(grid: Grid, us_from_mr: RigidTransform) -> Grid:
    """The MR grid where `us_from_mr` puts it."""
    return Grid(
        grid.shape,
        grid.spacing_mm,
        us_from_mr.apply(grid.origin_mm),
        us_from_mr.rotation @ grid.direction,
    )


def write_displacement_field(
    path: Path, us: Grid, us_from_mr: RigidTransform, *, check_us_mm: ArrayLike | None = None
) -> Path:
    """Write the pull-back as displacement vectors (LPS mm, MR point minus US point), and verify.

    On the US grid, or on a coarser grid of the same extent where that is over `MAX_FIELD_VOXELS`.
    """
    grid = field_grid(us)
    field = sitk.TransformToDisplacementField(
        itk_transform(us_from_mr),
        sitk.sitkVectorFloat32,
        grid.shape[::-1],
        grid.origin_mm.tolist(),
        grid.spacing_mm.tolist(),
        grid.direction.ravel().tolist(),
    )
    with placed(path) as beside:
        sitk.WriteImage(field, str(beside), True, 1)
        _verify_field(path, beside, us_from_mr, check_us_mm)
    return path


def field_grid(us: Grid) -> Grid:
    """The US grid, with every n-th voxel and one layer more where it is too fine for a field."""
    factor = int(np.ceil((np.prod(us.shape) / MAX_FIELD_VOXELS) ** (1 / 3)))
    if factor <= 1:
        return us
    k, j, i = (int(np.ceil((size - 1) / factor)) + 1 for size in us.shape)
    return Grid((k, j, i), us.spacing_mm * factor, us.origin_mm, us.direction)


def _verify_place(path: Path, beside: Path, grid: Grid) -> None:
    header = nifti_header(beside)
    ras = np.diag([-1.0, -1, 1, 1]) @ grid.world_from_index
    ends = np.array([[0, size - 1] for size in grid.shape[::-1]], dtype=np.float64)
    corners = np.vstack([np.array(np.meshgrid(*ends)).reshape(3, 8), np.ones(8)])
    for name, form in (("sform", header.sform), ("qform", header.qform)):
        if form is None or np.abs((form - ras) @ corners).max() > HEADER_TOLERANCE_MM:
            raise WrittenFileError(f"{path.name}: read back, its {name} is not where it belongs")


def _verify_field(
    path: Path, beside: Path, us_from_mr: RigidTransform, check_us_mm: ArrayLike | None
) -> None:
    field = sitk.ReadImage(str(beside), sitk.sitkVectorFloat64)
    read = sitk.DisplacementFieldTransform(sitk.Image(field))
    size = np.array(field.GetSize()) - 1
    corners = [
        field.TransformContinuousIndexToPhysicalPoint((size * share).tolist())
        for share in (0.0, 0.37, 0.5, 1.0)
    ]
    points = np.concatenate([check_points_us_mm(check_us_mm), corners])
    index = np.array([field.TransformPhysicalPointToContinuousIndex(p.tolist()) for p in points])
    inside = points[((index >= 0) & (index <= size)).all(axis=-1)]
    found = np.array([read.TransformPoint(point.tolist()) for point in inside])
    apart_mm = np.linalg.norm(found - us_from_mr.inverse().apply(inside), axis=-1).max()
    if not apart_mm <= MAX_RESIDUAL_MM:
        raise WrittenFileError(
            f"{path.name}: read back, a check point moved by {apart_mm:.2g} mm; nothing was written"
        )
