"""The recipes that travel with an export, run with each program that is installed.

Each program must overlap the pair from our file, and must not without it.
"""

from __future__ import annotations

import os
import shutil
import subprocess

import numpy as np
import pytest
import SimpleITK as sitk

from fusioninit.exchange.export import export_contents
from fusioninit.exchange.recipes import RECIPES
from fusioninit.imaging.resampling import image_of

BSPLINE = """\
(FixedInternalImagePixelType "float")
(MovingInternalImagePixelType "float")
(FixedImageDimension 3)
(MovingImageDimension 3)
(UseDirectionCosines "true")
(Registration "MultiResolutionRegistration")
(Interpolator "LinearInterpolator")
(ResampleInterpolator "FinalBSplineInterpolator")
(FinalBSplineInterpolationOrder 1)
(Resampler "DefaultResampler")
(FixedImagePyramid "FixedSmoothingImagePyramid")
(MovingImagePyramid "MovingSmoothingImagePyramid")
(Optimizer "AdaptiveStochasticGradientDescent")
(Transform "BSplineTransform")
(Metric "AdvancedNormalizedCorrelation")
(FinalGridSpacingInPhysicalUnits 25)
(HowToCombineTransforms "Compose")
(NumberOfResolutions 1)
(MaximumNumberOfIterations 40)
(NumberOfSpatialSamples 2000)
(NewSamplesEveryIteration "true")
(ImageSampler "RandomCoordinate")
(RequiredRatioOfValidSamples 0.01)
(WriteResultImage "true")
(ResultImageFormat "nii.gz")
(ResultImagePixelType "float")
"""


@pytest.fixture(scope="module")
def folder(contents, tmp_path_factory):
    """An export with the pair's images beside it."""
    folder = tmp_path_factory.mktemp("recipes")
    export_contents(contents, folder)
    sitk.WriteImage(image_of(contents.us), str(folder / "US.nii.gz"))
    sitk.WriteImage(image_of(contents.mr), str(folder / "MR.nii.gz"))
    (folder / "bspline.txt").write_text(BSPLINE)
    return folder


@pytest.fixture
def overlap(folder):
    us = sitk.GetArrayFromImage(sitk.ReadImage(str(folder / "US.nii.gz")))

    def with_us(voxels) -> float:
        return 0.0 if np.ptp(voxels) == 0 else float(np.corrcoef(voxels.ravel(), us.ravel())[0, 1])

    return with_us


def run(folder, *command: str) -> subprocess.CompletedProcess:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=300,
        env=os.environ | {"ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS": "1"},
    )  # fmt: skip


def greedy(folder, *words: str) -> None:
    """The greedy command, or the same program as the Python package picsl_greedy."""
    if shutil.which("greedy") is not None:
        ran = run(folder, "greedy", *words, "-threads", "1")
        assert ran.returncode == 0, ran.stdout[-2000:]
        return
    module = pytest.importorskip("picsl_greedy", reason="greedy is not installed")
    full = [str(folder / word) if word.endswith((".gz", ".txt")) else word for word in words]
    module.Greedy3D().execute(" ".join([*full, "-threads", "1"]))


def voxels(path):
    return sitk.GetArrayFromImage(sitk.ReadImage(str(path)))


def test_transformix(folder, overlap):
    (folder / "tx").mkdir()
    command = "transformix -in MR.nii.gz -tp us_from_mr_elastix.txt -out OUT"
    assert command in RECIPES
    ran = run(folder, *command.replace("OUT", "tx").split())
    assert ran.returncode == 0, ran.stdout[-2000:]
    assert overlap(voxels(folder / "tx" / "result.nii.gz")) > 0.98


@pytest.mark.parametrize("ours", [True, False])
def test_elastix_bspline(folder, overlap, ours):
    command = "elastix -f US.nii.gz -m MR.nii.gz -t0 us_from_mr_elastix.txt -p bspline.txt -out OUT"
    assert command in RECIPES
    out = folder / f"elastix-{ours}"
    out.mkdir()
    words = command.replace("OUT", out.name).split()
    if not ours:
        at = words.index("-t0")
        del words[at : at + 2]
    ran = run(folder, *words)
    result = out / "result.0.nii.gz"
    if ours:
        assert ran.returncode == 0, ran.stdout[-2000:]
        assert overlap(voxels(result)) > 0.98
    else:
        assert not result.is_file() or overlap(voxels(result)) < 0.6


def test_greedy_reslices(folder, overlap):
    command = "greedy -d 3 -rf US.nii.gz -rm MR.nii.gz mr_on_us.nii.gz -r us_from_mr_ras_matrix.txt"
    assert command in RECIPES
    greedy(folder, *command.split()[1:])
    assert overlap(voxels(folder / "mr_on_us.nii.gz")) > 0.98


@pytest.mark.parametrize("ours", [True, False])
def test_greedy_deforms(folder, overlap, ours):
    start = ["-it", "us_from_mr_ras_matrix.txt"] if ours else []
    warp = f"warp-{ours}.nii.gz"
    greedy(
        folder, "-d", "3", "-m", "NCC", "2x2x2", "-i", "US.nii.gz", "MR.nii.gz", *start,
        "-n", "40x20", "-o", warp,
    )  # fmt: skip
    steps = [warp, *(["us_from_mr_ras_matrix.txt"] if ours else [])]
    out = f"deformed-{ours}.nii.gz"
    greedy(folder, "-d", "3", "-rf", "US.nii.gz", "-rm", "MR.nii.gz", out, "-r", *steps)
    found = overlap(voxels(folder / out))
    assert (found > 0.98) if ours else (found < 0.6)


def test_ants_resamples_and_deforms_from_our_file(folder, overlap):
    ants = pytest.importorskip("ants", reason="antspyx is an optional extra")
    us, mr = (ants.image_read(str(folder / name)) for name in ("US.nii.gz", "MR.nii.gz"))
    start = str(folder / "us_from_mr_0GenericAffine.mat")
    for name in ("us_from_mr_0GenericAffine.mat", "us_from_mr.tfm", "us_from_mr.h5"):
        moved = ants.apply_transforms(us, mr, [str(folder / name)])
        assert overlap(moved.numpy().transpose(2, 1, 0)) > 0.98
    answer = ants.registration(
        us, mr, "SyNOnly", initial_transform=start, reg_iterations=(10, 5), outprefix=f"{folder}/a"
    )
    assert overlap(answer["warpedmovout"].numpy().transpose(2, 1, 0)) > 0.98


def test_ants_does_not_arrive_without_our_file(folder, overlap):
    ants = pytest.importorskip("ants", reason="antspyx is an optional extra")
    us, mr = (ants.image_read(str(folder / name)) for name in ("US.nii.gz", "MR.nii.gz"))
    try:
        answer = ants.registration(
            us, mr, "SyNOnly", initial_transform="Identity", reg_iterations=(10, 5),
            outprefix=f"{folder}/b",
        )  # fmt: skip
    except RuntimeError:
        return  # it finds no overlap at all
    assert overlap(answer["warpedmovout"].numpy().transpose(2, 1, 0)) < 0.6


def test_plastimatch_reads_our_transform_and_registration(folder, contents):
    ran = run(
        folder, "plastimatch", "convert", "--input", "MR.nii.gz", "--fixed", "US.nii.gz", "--xf",
        "us_from_mr.tfm", "--output-img", "pm.nii.gz",
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout[-2000:]
    moved = voxels(folder / "pm.nii.gz")
    assert np.corrcoef(moved.ravel(), np.asarray(contents.us.voxels).ravel())[0, 1] > 0.95
