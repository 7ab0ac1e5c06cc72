"""Real files of every kind, where FUSIONINIT_REALDATA names their folder."""

import os
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from numpy.testing import assert_allclose, assert_array_equal

from fusioninit.errors import ReadError
from fusioninit.geometry import Space
from fusioninit.imaging.reading import read_mask, read_volume

ROOT = Path(os.environ.get("FUSIONINIT_REALDATA", "/nonexistent"))

pytestmark = pytest.mark.skipif(
    not ROOT.is_dir(), reason="set FUSIONINIT_REALDATA to the folder with real cases"
)


@pytest.mark.parametrize(
    ("folder", "description", "size_ijk", "spacing_mm"),
    [
        ("prostatex-0000", "series 4 't2_tse_tra'", (384, 384, 19), (0.5, 0.5, 3)),
        ("prostate3t-03-0001", "series 4 't2_tse_tra'", (384, 384, 19), (0.5, 0.5, 3)),
        ("prostate3t-03-0002", "series 5 't2_tse_tra'", (384, 384, 21), (0.5, 0.5, 3)),
        (
            "slicetracker-2",
            "series 3 'AXIAL T2 COVER PROSTATE 3mm 0gap at iso'",
            (320, 320, 40),
            (0.5, 0.5, 3),
        ),
    ],
)
def test_of_a_study_the_axial_t2_is_taken(folder, description, size_ijk, spacing_mm):
    volume = read_volume(ROOT / "dicom" / folder, space=Space.MR)
    assert volume.source.description == description
    assert volume.grid.shape == size_ijk[::-1]
    assert_allclose(volume.grid.spacing_mm, spacing_mm, atol=1e-4)
    assert volume.source.warnings == ()


def test_a_study_without_t2_gives_its_axial_series_with_a_warning():
    source = read_volume(ROOT / "dicom" / "slicetracker-1", space=Space.MR).source
    assert source.description == "series 2 'AX VIBE COVER TEMPLATE ONLY at iso'"
    assert source.warnings[0].startswith("no axial T2 series was found")
    assert "LOCALIZER" in source.details["others"][0]


def test_highdicom_places_real_series_alike():
    import highdicom
    import pydicom

    folder = ROOT / "dicom" / "prostate3t-03-0001"
    files = [pydicom.dcmread(path) for path in sorted(folder.rglob("*.dcm"))]
    theirs = highdicom.image.get_volume_from_series(files)
    volume = read_volume(folder, space=Space.MR)
    corners = np.array(np.meshgrid(*([0, n - 1] for n in theirs.spatial_shape))).reshape(3, 8).T
    points = theirs.map_indices_to_reference(corners)
    index = np.round(volume.grid.to_index(points)).astype(int)
    assert_allclose(volume.grid.to_world(index), points, atol=0.01)
    ours = volume.voxels[index[:, 2], index[:, 1], index[:, 0]]
    assert_array_equal(ours, theirs.array[tuple(corners.T)])


def test_a_series_with_three_b_values_is_refused_with_them():
    (folder,) = (ROOT / "dicom" / "prostatex-0000").rglob("6.*")
    with pytest.raises(ReadError, match="57 slices share 19 positions"):
        read_volume(folder, space=Space.MR)


def test_every_nifti_agrees_with_simpleitk_on_its_corners_and_voxels():
    paths = sorted([*ROOT.glob("mr/*/t2.nii.gz"), *ROOT.glob("pairs/*/*/*_images/*.nii.gz")])
    assert len(paths) > 50
    for path in paths[::4]:
        volume = read_volume(path, space=Space.MR, isolated=False)
        image = sitk.ReadImage(str(path))
        corners = volume.grid.corners_mm()
        theirs = [
            image.TransformContinuousIndexToPhysicalPoint(index.tolist())
            for index in volume.grid.to_index(corners)
        ]
        assert_allclose(corners, theirs, atol=1e-4)
        assert_array_equal(volume.voxels, sitk.GetArrayFromImage(image))


def test_gland_masks_of_pairs_are_channel_zero():
    for path in sorted(ROOT.glob("pairs/*/*/*_labels/*.nii.gz"))[::20]:
        gland = read_mask(path, space=Space.US, isolated=False)
        assert_array_equal(gland.voxels, sitk.GetArrayFromImage(sitk.ReadImage(str(path)))[0] > 0.5)
