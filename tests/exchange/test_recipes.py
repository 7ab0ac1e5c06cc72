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
    command = "greedy -d 3 -m NCC 2x2x2 -i US.nii.gz MR.nii.gz -it us_from_mr_ras_matrix.txt"
    assert command in RECIPES
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
    assert '"SyNOnly", initial_transform="us_from_mr_0GenericAffine.mat"' in RECIPES
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


def test_niftyreg_resamples(folder, overlap):
    command = (
        "reg_resample -ref US.nii.gz -flo MR.nii.gz -trans us_from_mr_ras_matrix.txt "
        "-res mr_on_us.nii.gz"
    )
    assert command in RECIPES
    ran = run(folder, *command.replace("mr_on_us", "nr").split())
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-2000:]
    assert overlap(np.nan_to_num(voxels(folder / "nr.nii.gz"))) > 0.98


@pytest.mark.parametrize("ours", [True, False])
def test_niftyreg_deforms(folder, overlap, ours):
    command = (
        "reg_f3d -ref US.nii.gz -flo MR.nii.gz -aff us_from_mr_ras_matrix.txt -res deformed.nii.gz"
    )
    assert command in RECIPES
    out = f"f3d-{ours}.nii.gz"
    words = command.replace("deformed.nii.gz", out).split()
    if not ours:
        at = words.index("-aff")
        del words[at : at + 2]
    ran = run(folder, *words, "-cpp", f"cpp-{ours}.nii.gz", "-sx", "-8", "-ln", "1", "-maxit", "15")
    if ours:
        assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-2000:]
        assert overlap(np.nan_to_num(voxels(folder / out))) > 0.98
    else:
        arrived = ran.returncode == 0 and (folder / out).is_file()
        assert not arrived or overlap(np.nan_to_num(voxels(folder / out))) < 0.6


MONAI_LINES = (
    "mr.affine = torch.as_tensor(us_from_mr) @ mr.affine",
    'us_from_mr = numpy.linalg.inv(numpy.loadtxt("us_from_mr_ras_matrix.txt"))',
    "mr_on_us = ResampleToMatch()(mr, img_dst=us)",
)


@pytest.mark.parametrize("ours", [True, False])
def test_monai_deforms(folder, overlap, ours):
    """Thirty steps of a dense displacement on local correlation, from our file and from nothing."""
    pytest.importorskip("monai", reason="monai is an optional extra")
    torch = pytest.importorskip("torch")
    from monai.losses import LocalNormalizedCrossCorrelationLoss
    from monai.networks.blocks import Warp
    from monai.transforms import LoadImage, ResampleToMatch

    assert all(line in RECIPES for line in MONAI_LINES)
    load = LoadImage(ensure_channel_first=True)
    us, mr = (load(str(folder / name)) for name in ("US.nii.gz", "MR.nii.gz"))
    if ours:
        us_from_mr = np.linalg.inv(np.loadtxt(folder / "us_from_mr_ras_matrix.txt"))
        mr.affine = torch.as_tensor(us_from_mr) @ mr.affine
    fixed = (us / us.max()).as_tensor()[None]
    moving = ResampleToMatch()(mr, img_dst=us).as_tensor()[None] / float(mr.max())
    if ours:
        assert overlap(moving[0, 0].numpy().transpose(2, 1, 0)) > 0.98
    field = torch.zeros((1, 3, *fixed.shape[2:]), requires_grad=True)
    optimiser = torch.optim.Adam([field], lr=0.05)
    warp, loss = Warp(), LocalNormalizedCrossCorrelationLoss(kernel_size=5)
    for _ in range(30):
        optimiser.zero_grad()
        value = loss(warp(moving, field), fixed) + 0.1 * field.diff(dim=2).square().mean()
        value.backward()
        optimiser.step()
    deformed = warp(moving, field).detach()[0, 0].numpy().transpose(2, 1, 0)
    found = overlap(deformed)
    assert (found > 0.98) if ours else (found < 0.6)
