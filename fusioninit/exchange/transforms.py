"""Transform files: ITK's `.tfm`, `.txt`, `.h5`, `.mat`, elastix and plain RAS matrices.

Every file holds the pull-back `mr_from_us` (see `exchange.frames`); in memory there is only
`us_from_mr`. ITK files serve SimpleITK, 3D Slicer, ANTs, itk-elastix and greedy alike.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import ArrayLike, NDArray

from fusioninit.errors import ReadError
from fusioninit.exchange.frames import (
    MAX_RESIDUAL_MM,
    WrittenFileError,
    from_pull_back,
    pull_back,
    residual_mm,
    to_ras,
)
from fusioninit.exchange.placing import placed
from fusioninit.geometry import Grid, RigidTransform

FloatArray = NDArray[np.float64]

ITK_SUFFIXES = (".tfm", ".txt", ".h5", ".hdf5", ".mat")

_LARGEST_FILE_BYTES = 50_000_000
_ELASTIX = re.compile(r"\(\s*(\w+)\s+([^)]*)\)")


def itk_transform(
    us_from_mr: RigidTransform, *, centre_us_mm: ArrayLike = (0, 0, 0)
) -> sitk.Transform:
    """The ITK transform that resamples MR onto the US grid: it takes US points to MR points.

    `centre_us_mm` is the centre of rotation that an optimiser starting from it will use; it does
    not change where points go.
    """
    matrix = pull_back(us_from_mr)
    centre = np.asarray(centre_us_mm, dtype=np.float64)
    transform = sitk.AffineTransform(3)
    transform.SetMatrix(matrix[:3, :3].ravel().tolist())
    transform.SetCenter(centre.tolist())
    transform.SetTranslation((matrix[:3, 3] + matrix[:3, :3] @ centre - centre).tolist())
    return transform


def write_transform(
    path: Path | str,
    us_from_mr: RigidTransform,
    *,
    centre_us_mm: ArrayLike = (0, 0, 0),
    check_us_mm: ArrayLike | None = None,
) -> Path:
    """Write `us_from_mr` as an ITK file (`.tfm`, `.txt`, `.h5`, `.mat`), and verify it.

    Parameters
    ----------
    check_us_mm : (N, 3) array, optional
        US points (LPS mm) that must come out right besides the standard check points.

    Raises
    ------
    WrittenFileError
        The file, read back, moves a check point by more than `MAX_RESIDUAL_MM`.
    ValueError
        Another suffix, or not a `us_from_mr`.
    """
    path = Path(path)
    if path.suffix.lower() not in ITK_SUFFIXES:
        raise ValueError(f"{path.name}: a transform file ends in {', '.join(ITK_SUFFIXES)}")
    transform = itk_transform(us_from_mr, centre_us_mm=centre_us_mm)
    with placed(path) as beside:
        sitk.WriteTransform(transform, str(beside))
        _verify(path, beside, us_from_mr, check_us_mm)
    return path


def write_elastix(
    path: Path,
    us_from_mr: RigidTransform,
    *,
    fixed: Grid | None = None,
    check_us_mm: ArrayLike | None = None,
) -> Path:
    """Write an elastix transform parameter file (AffineTransform) for `-t0`, and verify it.

    With the `fixed` (US) grid it also serves transformix, which samples on the grid it names.
    """
    matrix = pull_back(us_from_mr)
    numbers = " ".join(
        f"{value!r}" for value in map(float, [*matrix[:3, :3].ravel(), *matrix[:3, 3]])
    )
    lines = (
        '(Transform "AffineTransform")',
        "(NumberOfParameters 12)",
        f"(TransformParameters {numbers})",
        "(CenterOfRotationPoint 0.0 0.0 0.0)",
        # elastix 5.0 reads the first name, later versions the second
        '(InitialTransformParametersFileName "NoInitialTransform")',
        '(InitialTransformParameterFileName "NoInitialTransform")',
        '(HowToCombineTransforms "Compose")',
        "(FixedImageDimension 3)",
        "(MovingImageDimension 3)",
        '(FixedInternalImagePixelType "float")',
        '(MovingInternalImagePixelType "float")',
        '(UseDirectionCosines "true")',
        *([] if fixed is None else _elastix_grid(fixed)),
    )
    with placed(path) as beside:
        beside.write_text("\n".join(lines) + "\n", encoding="ascii")
        _verify(path, beside, us_from_mr, check_us_mm)
    return path


def _elastix_grid(grid: Grid) -> list[str]:
    def words(values: ArrayLike) -> str:
        return " ".join(repr(value) for value in np.asarray(values, dtype=np.float64).tolist())

    return [
        f"(Size {' '.join(map(str, grid.shape[::-1]))})",
        "(Index 0 0 0)",
        f"(Spacing {words(grid.spacing_mm)})",
        f"(Origin {words(grid.origin_mm)})",
        # elastix writes the direction matrix column by column
        f"(Direction {words(grid.direction.T.ravel())})",
        # order 1 is linear; the plain linear interpolator is missing from some builds
        '(ResampleInterpolator "FinalBSplineInterpolator")',
        "(FinalBSplineInterpolationOrder 1)",
        '(Resampler "DefaultResampler")',
        "(DefaultPixelValue 0)",
        '(ResultImageFormat "nii.gz")',
        '(ResultImagePixelType "float")',
    ]


def write_ras_matrix(
    path: Path, us_from_mr: RigidTransform, *, check_us_mm: ArrayLike | None = None
) -> Path:
    """Write the pull-back as four lines of four numbers in RAS (NiftyReg, greedy), and verify."""
    rows = to_ras(pull_back(us_from_mr)) + 0.0
    text = "\n".join(" ".join(repr(float(value)) for value in row) for row in rows)
    with placed(path) as beside:
        beside.write_text(text + "\n", encoding="ascii")
        _verify(path, beside, us_from_mr, check_us_mm)
    return path


def read_transform(path: Path | str) -> RigidTransform:
    """`us_from_mr` of a transform file that resamples MR onto US.

    ITK `.tfm`, `.txt`, `.h5`, `.mat`; elastix parameter files; plain 4x4 RAS text.

    Raises
    ------
    ReadError
        No such file, not a transform, or a transform that is not rigid.
    """
    path = Path(path)
    if not path.is_file():
        raise ReadError(f"{path.name}: no such file; choose a transform file (.tfm, .h5, .mat)")
    if path.stat().st_size > _LARGEST_FILE_BYTES:
        raise ReadError(f"{path.name} is too large for a rigid transform; choose another file")
    matrix = _pull_back_in(path)
    try:
        return from_pull_back(matrix)
    except ValueError as error:
        raise ReadError(
            f"{path.name} holds no rigid transform ({error}); choose the rigid start, "
            "not the result of an affine or deformable registration"
        ) from error


def _pull_back_in(path: Path) -> FloatArray:
    text = path.read_bytes()[:100_000]
    if b"(TransformParameters" in text:
        return _elastix_matrix(path, text.decode("latin-1"))
    numbers = _plain_matrix(text)
    return _itk_matrix(path) if numbers is None else to_ras(numbers)


def _plain_matrix(text: bytes) -> FloatArray | None:
    words = text.split()
    if len(words) != 16:
        return None
    try:
        return np.array([float(word) for word in words]).reshape(4, 4)
    except ValueError:
        return None


def _elastix_matrix(path: Path, text: str) -> FloatArray:
    entries = {key: value.split() for key, value in _ELASTIX.findall(text)}
    if entries.get("Transform") != ['"AffineTransform"']:
        raise ReadError(f"{path.name} is no affine elastix file; write it as AffineTransform")
    try:
        values = np.array([float(word) for word in entries["TransformParameters"]])
        centre = np.array([float(word) for word in entries["CenterOfRotationPoint"]])
        linear, shift = values[:9].reshape(3, 3), values[9:].reshape(3)
        return _affine(linear, shift + centre - linear @ centre)
    except (KeyError, ValueError) as error:
        raise ReadError(f"{path.name} is a damaged elastix file; write it again") from error


def _itk_matrix(path: Path) -> FloatArray:
    try:
        transform = sitk.ReadTransform(str(path))
    except (RuntimeError, UnicodeDecodeError) as error:  # the second: its message is no text
        raise ReadError(
            f"{path.name} is not a transform that ITK reads; choose a .tfm, .txt, .h5 or .mat file"
        ) from error
    if transform.GetDimension() != 3 or not transform.IsLinear():
        raise ReadError(f"{path.name} is not a linear 3D transform; choose the rigid start")
    corner = np.array(transform.TransformPoint((0.0, 0.0, 0.0)))
    ends = [transform.TransformPoint(tuple(axis)) for axis in np.eye(3).tolist()]
    return _affine((np.array(ends) - corner).T, corner)


def _affine(linear: FloatArray, shift: FloatArray) -> FloatArray:
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = linear, shift
    return matrix


def _verify(
    path: Path, beside: Path, us_from_mr: RigidTransform, check_us_mm: ArrayLike | None
) -> None:
    apart_mm = residual_mm(read_transform(beside), us_from_mr, check_us_mm)
    if not apart_mm <= MAX_RESIDUAL_MM:
        raise WrittenFileError(
            f"{path.name}: read back, a check point moved by {apart_mm:.2g} mm; nothing was written"
        )
