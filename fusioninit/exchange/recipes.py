"""How the next program starts from an export: a text that travels with the files.

Every command in it is run by `tests/exchange/test_recipes.py` (3D Slicer: `test_slicer.py`) where
its program is installed.
"""

from __future__ import annotations

from pathlib import Path

from fusioninit.exchange.placing import placed

RECIPES = """\
How to go on from this folder
=============================
Research use only; not a medical device.

All transform files hold the same rigid transform. It takes a point of the US to the point of the
MR that belongs there (LPS mm; RAS mm in us_from_mr_ras_matrix.txt), which is what resampling MR
onto the US needs. registration.json says it in both directions and both frames, with three check
points. In the commands below US.nii.gz is the fixed image and MR.nii.gz the moving one.

SimpleITK (Python): resample, then deform from our start
    start = sitk.ReadTransform("us_from_mr.tfm")
    mr_on_us = sitk.Resample(mr, us, start, sitk.sitkLinear, 0.0)
    method.SetMovingInitialTransform(start)         # method: sitk.ImageRegistrationMethod
    method.SetInitialTransform(sitk.BSplineTransformInitializer(us, [4, 4, 4]), inPlace=True)
  The B-spline that comes back leaves our start out: compose [start, spline] to resample.

elastix and transformix
    transformix -in MR.nii.gz -tp us_from_mr_elastix.txt -out OUT
    elastix -f US.nii.gz -m MR.nii.gz -t0 us_from_mr_elastix.txt -p bspline.txt -out OUT
  transformix samples on the grid named in its parameter file; ours names the US grid.

ANTs (antspyx, or the same file with antsRegistration -r)
    ants.apply_transforms(us, mr, ["us_from_mr_0GenericAffine.mat"])
    ants.registration(us, mr, "SyNOnly", initial_transform="us_from_mr_0GenericAffine.mat")
  "SyN" would run its own affine over our start; "SyNOnly" keeps it.

greedy
    greedy -d 3 -rf US.nii.gz -rm MR.nii.gz mr_on_us.nii.gz -r us_from_mr_ras_matrix.txt
    greedy -d 3 -m NCC 2x2x2 -i US.nii.gz MR.nii.gz -it us_from_mr_ras_matrix.txt -n 40x20 \\
        -o warp.nii.gz
  greedy given a .mat or .h5 returns a constant image without an error: give it the text file.

NiftyReg
    reg_resample -ref US.nii.gz -flo MR.nii.gz -trans us_from_mr_ras_matrix.txt -res mr_on_us.nii.gz
    reg_f3d -ref US.nii.gz -flo MR.nii.gz -aff us_from_mr_ras_matrix.txt -res deformed.nii.gz

3D Slicer (read by its core library, 5.13)
    Load US, MR, us_from_mr.h5 and both .mrk.json; in the Data module drag MR and mr_landmarks
    onto the transform. They then lie on the US. cores_us.mrk.json holds a line per planned core.

MONAI
    us, mr = (LoadImage(ensure_channel_first=True)(name) for name in ("US.nii.gz", "MR.nii.gz"))
    us_from_mr = numpy.linalg.inv(numpy.loadtxt("us_from_mr_ras_matrix.txt"))
    mr.affine = torch.as_tensor(us_from_mr) @ mr.affine         # MR now lies in US coordinates
    mr_on_us = ResampleToMatch()(mr, img_dst=us)                # then deform with blocks.Warp

VoxelMorph and other networks
    mr_on_us_grid.nii.gz is MR on the voxels of the US. mr_moved_by_header.nii.gz is MR unresampled
    with sform and qform moved.
"""


def write_recipes(path: Path) -> Path:
    """Write the text."""
    with placed(path) as beside:
        beside.write_text(RECIPES, encoding="utf-8")
    return path
