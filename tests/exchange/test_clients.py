"""What the programs that come with us do with each file: overlap from it, and not without it."""

from __future__ import annotations

import csv

import nibabel as nib
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from numpy.testing import assert_allclose, assert_array_equal

from fusioninit.exchange.export import export_contents
from fusioninit.exchange.recipes import RECIPES
from fusioninit.exchange.transforms import read_transform
from fusioninit.geometry import Space
from fusioninit.imaging.nifti_header import nifti_header
from fusioninit.imaging.reading import read_volume

RAS = np.diag([-1.0, -1, 1, 1])
TOLERANCE_MM = 1e-3


@pytest.fixture(scope="session")
def files(contents, tmp_path_factory):
    return export_contents(contents, tmp_path_factory.mktemp("export"))


def truth(contents):
    """US points and the MR points they belong to."""
    us = contents.check_us_mm
    return us, contents.us_from_mr.inverse().apply(us)


@pytest.mark.parametrize("name", ["transform_tfm", "transform_h5", "transform_ants"])
def test_an_itk_file_resamples_mr_onto_us_so_that_they_overlap(files, contents, name):
    us, mr = (_image(contents.volume(space)) for space in (Space.US, Space.MR))
    moved = sitk.GetArrayFromImage(
        sitk.Resample(mr, us, sitk.ReadTransform(str(files[name])), sitk.sitkLinear, 0.0)
    )
    assert _correlation(moved, contents.us.voxels) > 0.98
    wrong = sitk.ReadTransform(str(files[name])).GetInverse()
    reverse = sitk.GetArrayFromImage(sitk.Resample(mr, us, wrong, sitk.sitkLinear, 0.0))
    assert _correlation(reverse, contents.us.voxels) < 0.5


def _image(volume):
    image = sitk.GetImageFromArray(np.asarray(volume.voxels))
    image.SetSpacing(volume.grid.spacing_mm.tolist())
    image.SetOrigin(volume.grid.origin_mm.tolist())
    image.SetDirection(volume.grid.direction.ravel().tolist())
    return image


def _correlation(first, second) -> float:
    if np.ptp(first) == 0:
        return 0.0
    return float(np.corrcoef(first.ravel(), np.asarray(second).ravel())[0, 1])


def test_a_bspline_registration_starts_from_our_file_and_without_it_does_not_arrive(
    files, contents
):
    assert "method.SetMovingInitialTransform(start)" in RECIPES
    us, mr = (_image(contents.volume(space)) for space in (Space.US, Space.MR))

    def register(start) -> float:
        method = sitk.ImageRegistrationMethod()
        method.SetMetricAsCorrelation()
        method.SetInterpolator(sitk.sitkLinear)
        method.SetMovingInitialTransform(start)
        spline = sitk.BSplineTransformInitializer(us, [2, 2, 2])
        method.SetInitialTransform(spline, inPlace=True)
        method.SetOptimizerAsLBFGSB(numberOfIterations=3)
        method.SetNumberOfThreads(1)
        method.Execute(us, mr)
        whole = sitk.CompositeTransform([start, spline])
        return _correlation(
            sitk.GetArrayFromImage(sitk.Resample(mr, us, whole, sitk.sitkLinear, 0.0)),
            contents.us.voxels,
        )

    assert register(sitk.ReadTransform(str(files["transform_tfm"]))) > 0.98
    try:
        without = register(sitk.Transform(3, sitk.sitkIdentity))
    except RuntimeError:
        without = 0.0  # ITK finds no overlap at all
    assert without < 0.5


def test_the_mr_on_the_us_grid_overlaps_us_voxel_by_voxel(files, contents):
    image = nib.load(files["mr_on_us_grid"])
    values = np.asarray(image.dataobj).transpose(2, 1, 0)
    assert values.shape == contents.us.voxels.shape
    assert _correlation(values, contents.us.voxels) > 0.98
    assert_allclose(RAS @ image.affine, contents.us.grid.world_from_index, atol=1e-4)


def test_the_mr_moved_by_its_header_is_at_the_same_place_for_every_reader(files, contents):
    wanted = contents.us_from_mr.apply(contents.mr.grid.corners_mm())
    index = contents.mr.grid.to_index(contents.mr.grid.corners_mm())
    image = sitk.ReadImage(str(files["mr_moved"]))
    in_itk = [image.TransformContinuousIndexToPhysicalPoint(corner.tolist()) for corner in index]
    assert_allclose(in_itk, wanted, atol=1e-3)
    nifti = nib.load(files["mr_moved"])
    for affine in (nifti.get_sform(), nifti.get_qform()):
        in_nibabel = nib.affines.apply_affine(RAS @ affine, index)
        assert_allclose(in_nibabel, wanted, atol=1e-3)
    assert int(nifti.header["sform_code"]) == int(nifti.header["qform_code"]) > 0
    assert_array_equal(np.asarray(nifti.dataobj).transpose(2, 1, 0), contents.mr.voxels)
    assert read_volume(files["mr_moved"], space=Space.US, isolated=False).source.warnings == ()


def test_the_displacement_field_resamples_mr_onto_us(files, contents):
    us, mr = (_image(contents.volume(space)) for space in (Space.US, Space.MR))
    field = sitk.DisplacementFieldTransform(
        sitk.ReadImage(str(files["displacement_field"]), sitk.sitkVectorFloat64)
    )
    moved = sitk.GetArrayFromImage(sitk.Resample(mr, us, field, sitk.sitkLinear, 0.0))
    assert _correlation(moved, contents.us.voxels) > 0.98


def test_nifti_vectors_are_marked_as_a_displacement(files):
    header = nib.load(files["displacement_field"]).header
    assert header.get_data_shape()[3:] == (1, 3)
    assert int(header["intent_code"]) == 1007  # vector
    assert nifti_header(files["displacement_field"]).sform is not None


def test_targets_arrive_in_us_coordinates_in_table_and_markups(files, contents):
    wanted = contents.us_from_mr.apply([t.position_mr_mm for t in contents.targets])
    with files["targets_table"].open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["name"] for row in rows] == ["left, base", "right apex"]
    table = [[float(row[f"us_{axis}_lps_mm"]) for axis in "xyz"] for row in rows]
    assert_allclose(table, wanted, atol=1e-9)
    import json

    (markup,) = json.loads(files["targets_markups"].read_text(encoding="utf-8"))["markups"]
    assert markup["coordinateSystem"] == "LPS"
    assert_allclose([point["position"] for point in markup["controlPoints"]], wanted)


def test_read_transform_gives_back_what_was_written(files, contents):
    for name in ("transform_tfm", "transform_h5", "transform_ants", "transform_elastix"):
        back = read_transform(files[name])
        assert_allclose(back.matrix, contents.us_from_mr.matrix, atol=1e-12)


def test_a_dicom_registration_takes_mr_points_to_us(dicom_files, contents):
    data = pydicom.dcmread(dicom_files["dicom_registration"])
    us_item, mr_item = data.RegistrationSequence
    assert data.FrameOfReferenceUID == us_item.FrameOfReferenceUID
    assert mr_item.FrameOfReferenceUID == "1.2.826.0.1.3"
    matrices = [
        np.array(
            item.MatrixRegistrationSequence[0]
            .MatrixSequence[0]
            .FrameOfReferenceTransformationMatrix,
            dtype=float,
        ).reshape(4, 4)
        for item in (us_item, mr_item)
    ]
    assert_array_equal(matrices[0], np.eye(4))
    us, mr = truth(contents)
    assert_allclose(mr @ matrices[1][:3, :3].T + matrices[1][:3, 3], us, atol=1e-9)


def test_landmarks_in_a_dicom_report_are_those_of_the_mr(dicom_files, contents):
    import highdicom

    report = highdicom.sr.srread(dicom_files["mr_landmarks_dicom"])
    groups = report.content.get_planar_roi_measurement_groups()
    found = {group.tracking_identifier: np.ravel(group.roi.value) for group in groups}
    for name, mark in contents.mr_landmarks.items():
        assert_allclose(found[name], mark.position_mm, atol=TOLERANCE_MM)
    assert {group.roi.FrameOfReferenceUID for group in groups if hasattr(group.roi, "x")} == set()
