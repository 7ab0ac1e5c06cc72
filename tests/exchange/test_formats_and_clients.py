"""Every format against every client that is installed here: where does it put a point?

Clients that take points are asked with points. Clients that only resample are given three MR
images whose intensity is the MR coordinate itself (x, y, z): what they write at a US voxel is the
MR point that they took for it, and linear interpolation of a linear ramp is exact.

The table goes to test-artefacts/formats-and-clients.txt. 3D Slicer joins it where
FUSIONINIT_SLICER_PYTHON names a python with slicer-core, itk-elastix where
FUSIONINIT_ELASTIX_PYTHON names one with itk-elastix.
"""

from __future__ import annotations

import csv
import importlib.util
import json
import os
import re
import shutil
import subprocess
from dataclasses import replace
from typing import NamedTuple

import highdicom
import nibabel as nib
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from fusioninit.exchange.export import export_contents
from fusioninit.exchange.recipes import RECIPES
from fusioninit.imaging.resampling import image_of
from fusioninit.imaging.volume import Volume

RAS = np.diag([-1.0, -1, 1, 1])
LIMIT_MM = 1e-3
SLICER = os.environ.get("FUSIONINIT_SLICER_PYTHON", "")
ELASTIX = os.environ.get("FUSIONINIT_ELASTIX_PYTHON", "")


class World(NamedTuple):
    """An export, and what is true of it. Points are LPS mm."""

    folder: object
    files: dict
    contents: object
    us_mm: np.ndarray
    mr_mm: np.ndarray

    def at(self, name):
        return str(self.files[name])

    def run(self, *words: str) -> None:
        ran = subprocess.run(
            words, cwd=self.folder, capture_output=True, text=True, check=False, timeout=300,
            env=os.environ | {"ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS": "1"},
        )  # fmt: skip
        assert ran.returncode == 0, (words, (ran.stdout + ran.stderr)[-1500:])


@pytest.fixture(scope="module")
def world(dicom_contents, contents, tmp_path_factory) -> World:
    folder = tmp_path_factory.mktemp("clients")
    files = export_contents(dicom_contents, folder)
    for axis, name in enumerate("xyz"):
        ramp = contents.mr.grid.points_mm()[..., axis].astype(np.float32)
        volume = replace(contents.mr, voxels=ramp)
        sitk.WriteImage(image_of(volume), str(folder / f"MR{name}.nii.gz"))
    sitk.WriteImage(image_of(contents.us), str(folder / "US.nii.gz"))
    sitk.WriteImage(image_of(contents.mr), str(folder / "MR.nii.gz"))
    us = contents.check_us_mm
    return World(folder, files, contents, us, contents.us_from_mr.inverse().apply(us))


def points(maps):
    """Residual of a client that takes US points to MR points."""

    def residual(world: World, name: str) -> float:
        return float(np.linalg.norm(maps(world, name) - world.mr_mm, axis=-1).max())

    return residual


def ramps(resample):
    """Residual of a client that resamples: at US voxels whose MR point is well inside the MR."""

    def residual(world: World, name: str) -> float:
        found = np.stack([np.asarray(resample(world, name, axis)) for axis in "xyz"], axis=-1)
        us, mr = world.contents.us.grid, world.contents.mr.grid
        wanted = world.contents.us_from_mr.inverse().apply(us.points_mm())
        index = mr.to_index(wanted)
        inside = ((index > 1) & (index < mr.size_xyz - 2)).all(axis=-1)
        assert inside.sum() > 1000
        return float(np.linalg.norm(found - wanted, axis=-1)[inside].max())

    return residual


def places(world_from_index):
    """Residual of a client's own geometry of an image, over the image's corners."""

    def residual(world: World, name: str) -> float:
        given, grid = world_from_index(world, name)
        index = grid.to_index(grid.corners_mm())
        found = index @ given[:3, :3].T + given[:3, 3]
        return float(np.linalg.norm(found - grid.corners_mm(), axis=-1).max())

    return residual


def voxels(path) -> np.ndarray:
    return sitk.GetArrayFromImage(sitk.ReadImage(str(path)))


# -- clients that take points ---------------------------------------------------------------------


def simpleitk_points(world, name):
    if name == "displacement_field":
        field = sitk.ReadImage(world.at(name), sitk.sitkVectorFloat64)
        transform = sitk.DisplacementFieldTransform(field)
    else:
        transform = sitk.ReadTransform(world.at(name))
    return np.array([transform.TransformPoint(point.tolist()) for point in world.us_mm])


def ants_points(world, name):
    import ants
    import pandas

    table = pandas.DataFrame(world.us_mm, columns=["x", "y", "z"])
    return ants.apply_transforms_to_points(3, table, [world.at(name)])[["x", "y", "z"]].to_numpy()


def sidecar_points(world, name):
    record = json.loads(world.files[name].read_text(encoding="utf-8"))
    matrix = np.array(record["mr_from_us_lps_mm"])
    return world.us_mm @ matrix[:3, :3].T + matrix[:3, 3]


def dicom_points(world, name):
    data = pydicom.dcmread(world.at(name))
    item = data.RegistrationSequence[1].MatrixRegistrationSequence[0].MatrixSequence[0]
    matrix = np.linalg.inv(
        np.reshape(item.FrameOfReferenceTransformationMatrix, (4, 4)).astype(float)
    )
    return world.us_mm @ matrix[:3, :3].T + matrix[:3, 3]


def slicer_points(world, name):
    code = (
        "import sys, vtk, slicer_core as slicer, json\n"
        "scene = slicer.vtkMRMLScene()\n"
        "node = slicer.vtkMRMLLinearTransformNode(); scene.AddNode(node)\n"
        "store = slicer.vtkMRMLTransformStorageNode(); scene.AddNode(store)\n"
        "store.SetFileName(sys.argv[1]); assert store.ReadData(node)\n"
        "matrix = vtk.vtkMatrix4x4(); node.GetMatrixTransformToParent(matrix)\n"
        "rows = [[matrix.GetElement(i, j) for j in range(4)] for i in range(4)]\n"
        "print('ANSWER', json.dumps(rows))\n"
    )
    ran = subprocess.run(
        [SLICER, "-c", code, world.at(name)],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    (line,) = [line for line in ran.stdout.splitlines() if line.startswith("ANSWER")]
    matrix = np.linalg.inv(RAS @ np.array(json.loads(line[7:])) @ RAS)
    return world.us_mm @ matrix[:3, :3].T + matrix[:3, 3]


# -- clients that resample ------------------------------------------------------------------------


def transformix(world, name, axis):
    (world.folder / f"tx{axis}").mkdir(exist_ok=True)
    world.run("transformix", "-in", f"MR{axis}.nii.gz", "-tp", world.at(name), "-out", f"tx{axis}")
    return voxels(world.folder / f"tx{axis}" / "result.nii.gz")


ITK_ELASTIX = """
import sys, itk
parameters = itk.ParameterObject.New()
parameters.AddParameterFile(sys.argv[2])
moving = itk.imread(sys.argv[1], itk.F)
itk.imwrite(itk.transformix_filter(moving, parameters), sys.argv[3])
"""


def itk_elastix(world, name, axis):
    out = f"ie{axis}.nii.gz"
    world.run(ELASTIX, "-c", ITK_ELASTIX, f"MR{axis}.nii.gz", world.at(name), out)
    return voxels(world.folder / out)


def plastimatch(world, name, axis):
    out = f"pm{axis}.nii.gz"
    world.run(
        "plastimatch", "convert", "--input", f"MR{axis}.nii.gz", "--fixed", "US.nii.gz",
        "--xf", world.at(name), "--output-img", out, "--output-type", "float",
    )  # fmt: skip
    return voxels(world.folder / out)


def greedy(world, name, axis):
    from picsl_greedy import Greedy3D

    out = world.folder / f"gr{axis}.nii.gz"
    Greedy3D().execute(
        f"-d 3 -rf {world.folder}/US.nii.gz -rm {world.folder}/MR{axis}.nii.gz {out} "
        f"-r {world.at(name)} -threads 1"
    )
    return voxels(out)


def niftyreg(world, name, axis):
    out = f"nr{axis}.nii.gz"
    world.run(
        "reg_resample", "-ref", "US.nii.gz", "-flo", f"MR{axis}.nii.gz", "-trans", world.at(name),
        "-res", out, "-inter", "1",
    )  # fmt: skip
    return voxels(world.folder / out)


def ants_images(world, name, axis):
    import ants

    us, mr = (ants.image_read(f"{world.folder}/{n}.nii.gz") for n in ("US", f"MR{axis}"))
    return ants.apply_transforms(us, mr, [world.at(name)]).numpy().transpose(2, 1, 0)


def monai_images(world, name, axis):
    import torch
    from monai.transforms import LoadImage, ResampleToMatch

    load = LoadImage(ensure_channel_first=True)
    us, mr = (load(f"{world.folder}/{n}.nii.gz") for n in ("US", f"MR{axis}"))
    us_from_mr = np.linalg.inv(np.loadtxt(world.at(name)))
    mr.affine = torch.as_tensor(us_from_mr) @ mr.affine
    moved = ResampleToMatch()(mr, img_dst=us, dtype=torch.float64)
    return moved.numpy()[0].transpose(2, 1, 0)


# -- clients that say where an image's voxels are -----------------------------------------------


def _grid(world, name):
    from fusioninit.exchange.image_files import moved_grid

    if name == "mr_moved":
        return moved_grid(world.contents.mr.grid, world.contents.us_from_mr)
    return world.contents.us.grid


def simpleitk_place(world, name):
    image = sitk.ReadImage(world.at(name))
    matrix = np.eye(4)
    direction = np.array(image.GetDirection()).reshape(3, 3)
    matrix[:3, :3] = direction * np.array(image.GetSpacing())
    matrix[:3, 3] = image.GetOrigin()
    return matrix, _grid(world, name)


def nibabel_place(form):
    def place(world, name):
        image = nib.load(world.at(name))
        return RAS @ getattr(image, f"get_{form}")(), _grid(world, name)

    return place


def ants_place(world, name):
    import ants

    image = ants.image_read(world.at(name))
    matrix = np.eye(4)
    matrix[:3, :3] = image.direction * np.array(image.spacing)
    matrix[:3, 3] = image.origin
    return matrix, _grid(world, name)


def monai_place(world, name):
    from monai.transforms import LoadImage

    return RAS @ LoadImage()(world.at(name)).affine.numpy(), _grid(world, name)


def highdicom_place(world, name):
    volume = highdicom.image.imread(world.at(name)).get_volume()
    # its array axes are k, j, i
    flip = np.eye(4)[[2, 1, 0, 3]]
    grid = _grid(world, name)
    found = volume.affine @ flip
    first = np.rint(grid.to_index(found[:3, 3])).astype(int)
    if first[2]:  # it counts frames from the other end
        turn = np.diag([1.0, 1, -1, 1])
        turn[2, 3] = grid.shape[0] - 1
        found = found @ turn
    return found, grid


# -- lists of points ----------------------------------------------------------------------------


def table_points(world, name):
    with world.files[name].open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    if name == "cores_table":
        found = [[float(r[f"tip_us_{a}_lps_mm"]) for a in "xyz"] for r in rows]
        wanted = [core.tip_us_mm for core in world.contents.cores]
    else:
        found = [[float(r[f"us_{a}_lps_mm"]) for a in "xyz"] for r in rows]
        wanted = _targets_us(world)
    return float(np.linalg.norm(np.subtract(found, wanted), axis=-1).max())


def markup_points(world, name):
    markups = json.loads(world.files[name].read_text(encoding="utf-8"))["markups"]
    found = [point["position"] for markup in markups for point in markup["controlPoints"]]
    return float(np.linalg.norm(np.subtract(found, _listed(world, name)), axis=-1).max())


def slicer_markups(world, name):
    code = (
        "import sys, slicer_core as slicer, json\n"
        "scene = slicer.vtkMRMLScene()\n"
        "store = slicer.vtkMRMLMarkupsJsonStorageNode(); scene.AddNode(store)\n"
        "found = []\n"
        "for number in range(int(sys.argv[2])):\n"
        "    node = store.AddNewMarkupsNodeFromFile(sys.argv[1], None, number)\n"
        "    for at in range(node.GetNumberOfDefinedControlPoints()):\n"
        "        place = [0.0, 0.0, 0.0]; node.GetNthControlPointPositionWorld(at, place)\n"
        "        found.append(place)\n"
        "print('ANSWER', json.dumps(found))\n"
    )
    count = len(json.loads(world.files[name].read_text(encoding="utf-8"))["markups"])
    ran = subprocess.run(
        [SLICER, "-c", code, world.at(name), str(count)],
        capture_output=True, text=True, check=True, timeout=300,
    )  # fmt: skip
    (line,) = [line for line in ran.stdout.splitlines() if line.startswith("ANSWER")]
    found = np.array(json.loads(line[7:])) * [-1, -1, 1]
    return float(np.linalg.norm(found - _listed(world, name), axis=-1).max())


def highdicom_report(world, name):
    report = highdicom.sr.srread(world.at(name))
    groups = report.content.get_planar_roi_measurement_groups()
    found = {str(g.tracking_identifier): np.ravel(g.roi.value) for g in groups}
    return max(
        float(np.linalg.norm(found[n] - m.position_mm)) for n, m in _marks(world, name).items()
    )


def dsrdump_report(world, name):
    ran = subprocess.run(
        ["dsrdump", world.at(name)], capture_output=True, text=True, check=True, timeout=60
    )
    names = re.findall(r'"Tracking Identifier"\)="(\w+)"', ran.stdout)
    numbers = re.findall(r"\(POINT,,([-\d./e]+)\)", ran.stdout)
    found = {n: np.array(text.split("/"), float) for n, text in zip(names, numbers, strict=True)}
    marks = _marks(world, name)
    assert set(found) == set(marks)
    return max(float(np.linalg.norm(found[n] - m.position_mm)) for n, m in marks.items())


def _marks(world, name):
    return world.contents.mr_landmarks if name.startswith("mr") else world.contents.us_landmarks


def _targets_us(world):
    return world.contents.us_from_mr.apply([t.position_mr_mm for t in world.contents.targets])


def _listed(world, name):
    contents = world.contents
    if name == "cores_markups":
        return [end for core in contents.cores for end in (core.entry_us_mm, core.tip_us_mm)]
    if name == "targets_markups":
        return _targets_us(world)
    return _marks(world, name).positions_mm()


ITK = ("transform_tfm", "transform_h5", "transform_ants")
MARKUPS = ("us_landmarks", "mr_landmarks", "targets_markups", "cores_markups")

HERE = {
    "ANTs": importlib.util.find_spec("ants") is not None,
    "MONAI": importlib.util.find_spec("monai") is not None,
    "greedy": importlib.util.find_spec("picsl_greedy") is not None,
    "elastix": shutil.which("transformix") is not None,
    "plastimatch": shutil.which("plastimatch") is not None,
    "NiftyReg": shutil.which("reg_resample") is not None,
    "3D Slicer": bool(SLICER),
    "itk-elastix": bool(ELASTIX),
    "dsrdump": shutil.which("dsrdump") is not None,
    "dciodvfy": shutil.which("dciodvfy") is not None,
}
"""Clients that are not needed to run the program; all others come with it or with the tests."""

TABLE = [
    *((name, "SimpleITK", points(simpleitk_points)) for name in (*ITK, "displacement_field")),
    *((name, "ANTs", points(ants_points)) for name in ITK),
    *((name, "3D Slicer", points(slicer_points)) for name in ITK),
    ("transform_tfm", "plastimatch", ramps(plastimatch)),
    ("transform_tfm", "greedy", ramps(greedy)),
    ("transform_elastix", "elastix", ramps(transformix)),
    ("transform_elastix", "itk-elastix", ramps(itk_elastix)),
    ("transform_ras_matrix", "greedy", ramps(greedy)),
    ("transform_ras_matrix", "NiftyReg", ramps(niftyreg)),
    ("transform_ras_matrix", "MONAI", ramps(monai_images)),
    ("displacement_field", "ANTs", ramps(ants_images)),
    ("mr_moved", "SimpleITK", places(simpleitk_place)),
    ("mr_moved", "nibabel, sform", places(nibabel_place("sform"))),
    ("mr_moved", "nibabel, qform", places(nibabel_place("qform"))),
    ("mr_moved", "ANTs", places(ants_place)),
    ("mr_moved", "MONAI", places(monai_place)),
    ("mr_on_us_grid", "SimpleITK", places(simpleitk_place)),
    ("mr_on_us_grid", "nibabel, sform", places(nibabel_place("sform"))),
    ("us_dicom", "SimpleITK", places(simpleitk_place)),
    ("us_dicom", "highdicom", places(highdicom_place)),
    ("dicom_registration", "pydicom", points(dicom_points)),
    ("mr_landmarks_dicom", "highdicom", highdicom_report),
    ("us_landmarks_dicom", "highdicom", highdicom_report),
    ("mr_landmarks_dicom", "dsrdump", dsrdump_report),
    ("us_landmarks_dicom", "dsrdump", dsrdump_report),
    ("sidecar", "json, numpy", points(sidecar_points)),
    *((name, "json", markup_points) for name in MARKUPS),
    *((name, "3D Slicer", slicer_markups) for name in MARKUPS),
    ("targets_table", "csv", table_points),
    ("cores_table", "csv", table_points),
]


OBJECTS = ("dicom_registration", "us_dicom", "mr_landmarks_dicom", "us_landmarks_dicom")
"""DICOM objects, which dciodvfy compares with the standard: it places no point."""

NOT_RUN = "FSL FLIRT: no file is written for it, since its convention was never checked by running"


def dciodvfy_lines(world):
    for name in OBJECTS:
        start = f"{world.files[name].name:32s} {'dciodvfy':16s}"
        if not HERE["dciodvfy"]:
            yield f"{start} not installed"
            continue
        ran = subprocess.run(
            ["dciodvfy", world.at(name)], capture_output=True, text=True, check=False, timeout=60
        )
        assert "Error" not in ran.stdout + ran.stderr, ran.stderr
        yield f"{start} no error"


def test_every_client_that_is_here_puts_every_point_where_we_say(world, pytestconfig):
    lines, missed = [], {}
    for name, client, residual in TABLE:
        if not HERE.get(client, True):
            lines.append(f"{world.files[name].name:32s} {client:16s} not installed")
            continue
        residual_mm = residual(world, name)
        lines.append(f"{world.files[name].name:32s} {client:16s} {residual_mm:.0e} mm")
        if not residual_mm <= LIMIT_MM:
            missed[name, client] = residual_mm
    lines += [*dciodvfy_lines(world), NOT_RUN]
    out = pytestconfig.rootpath / "test-artefacts" / "formats-and-clients.txt"
    out.parent.mkdir(exist_ok=True)
    out.write_text("\n".join(["file, client, largest residual", *lines]) + "\n", encoding="utf-8")
    assert not missed


def test_every_file_that_a_program_reads_stands_in_the_table(world):
    for_people = {"overlay", "overlay_axial", "overlay_sagittal", "overlay_coronal", "report"}
    listed = {name for name, _, _ in TABLE} | for_people | {"recipes"}
    assert set(world.files) == listed


def test_the_ramp_test_can_fail(world):
    """A shift of 0.01 mm shows: the ramps measure what they should."""
    shifted = world.contents.mr.grid.points_mm()[..., 0].astype(np.float32) + 0.01
    volume = Volume(shifted, world.contents.mr.grid, world.contents.mr.space)
    moved = sitk.Resample(
        image_of(volume), image_of(world.contents.us), sitk.ReadTransform(world.at("transform_tfm"))
    )
    exact = {axis: world.contents.mr.grid.points_mm()[..., n] for n, axis in enumerate("xyz")}

    def resample(world, name, axis):
        if axis == "x":
            return sitk.GetArrayFromImage(moved)
        ramp = Volume(exact[axis].astype(np.float32), volume.grid, volume.space)
        return sitk.GetArrayFromImage(
            sitk.Resample(image_of(ramp), image_of(world.contents.us),
                          sitk.ReadTransform(world.at("transform_tfm")))
        )  # fmt: skip

    assert ramps(resample)(world, "transform_tfm") == pytest.approx(0.01, abs=1e-3)


def test_the_manual_s_table_has_a_row_for_every_format_and_client(world, pytestconfig):
    text = (pytestconfig.rootpath / "assets" / "interoperability.md").read_text(encoding="utf-8")
    for name, client, _ in TABLE:
        assert f"| `{world.files[name].name}` | {client} |" in text
    for name in OBJECTS:
        assert f"| `{world.files[name].name}` | dciodvfy | no error |" in text
    assert NOT_RUN in " ".join(text.split())
    for line in RECIPES.splitlines()[8:]:
        assert line in text
