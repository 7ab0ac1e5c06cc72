"""Regions from files that other libraries wrote: highdicom, pydicom, VTK, SimpleITK, nibabel."""

from __future__ import annotations

import highdicom
import nibabel as nib
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from highdicom.seg import Segmentation, SegmentDescription
from numpy.testing import assert_allclose
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from fusioninit.errors import ReadError
from fusioninit.geometry import Grid
from fusioninit.imaging.reading import read_regions
from fusioninit.imaging.region import Region

RTSTRUCT = "1.2.840.10008.5.1.4.1.1.481.3"
CENTRES_IJK = np.array([[5.0, 4, 3], [12.0, 9, 7]])


def read(path) -> tuple[Region, ...]:
    return read_regions(path, isolated=False)


def refusal(path) -> str:
    with pytest.raises(ReadError) as caught:
        read(path)
    sentence = str(caught.value)
    assert sentence.count("\n") == 0
    assert sentence.startswith(path.name)
    return sentence


def blocks(grid: Grid) -> np.ndarray:
    """Labels 3 and 7: boxes of 3 x 3 x 1 voxels (k, j, i: 1 x 3 x 3) about the two centres."""
    labels = np.zeros(grid.shape, np.uint8)
    for value, (i, j, k) in zip((3, 7), CENTRES_IJK.astype(int), strict=True):
        labels[k, j - 1 : j + 2, i - 1 : i + 2] = value
    return labels


def image_of(labels: np.ndarray, grid: Grid) -> sitk.Image:
    image = sitk.GetImageFromArray(labels)
    image.SetSpacing(grid.spacing_mm.tolist())
    image.SetOrigin(grid.origin_mm.tolist())
    image.SetDirection(grid.direction.ravel().tolist())
    return image


def block_ml(grid: Grid) -> float:
    return 9 * float(np.prod(grid.spacing_mm)) / 1000


@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd", ".mha"])
def test_every_label_is_a_region_at_its_centroid(tmp_path, grid, suffix):
    path = tmp_path / f"lesions{suffix}"
    sitk.WriteImage(image_of(blocks(grid), grid), str(path))
    first, second = read(path)
    assert (first.name, second.name) == ("lesions 3", "lesions 7")
    assert_allclose(first.centroid_mm, grid.to_world(CENTRES_IJK[0]), atol=1e-3)
    assert_allclose(second.centroid_mm, grid.to_world(CENTRES_IJK[1]), atol=1e-3)
    assert first.volume_ml == pytest.approx(block_ml(grid), rel=1e-4)


def test_of_a_mask_with_one_label_every_connected_part_is_a_region(tmp_path, grid):
    path = tmp_path / "mask.nii.gz"
    sitk.WriteImage(image_of((blocks(grid) > 0).astype(np.float32), grid), str(path))
    found = read(path)
    assert [region.name for region in found] == ["mask 1", "mask 2"]
    assert_allclose([r.centroid_mm for r in found], grid.to_world(CENTRES_IJK), atol=1e-3)


def test_of_a_probability_map_what_is_above_a_half_is_the_region(tmp_path, grid):
    path = tmp_path / "p.nii.gz"
    sitk.WriteImage(image_of(blocks(grid).astype(np.float32) / 10, grid), str(path))
    (region,) = read(path)
    assert region.name == "p"
    assert_allclose(region.centroid_mm, grid.to_world(CENTRES_IJK[1]), atol=1e-3)


def test_the_extent_of_a_region_reaches_to_the_outer_faces_of_its_voxels(tmp_path):
    grid = Grid((11, 13, 17), [2.0, 3.0, 4.0], [5, 6, 7])
    path = tmp_path / "m.nrrd"
    sitk.WriteImage(image_of(blocks(grid), grid), str(path))
    assert_allclose(read(path)[0].extent_mm, [6, 9, 4])


def test_channels_of_a_label_file_with_several_are_regions_even_where_they_overlap(tmp_path):
    channels = np.zeros((6, 7, 8, 2), np.uint8)
    channels[1:5, 1:6, 1:7, 0] = 1
    channels[2, 3, 4, 1] = 1
    path = tmp_path / "case.nii.gz"
    nib.save(nib.Nifti1Image(channels, np.diag([-2.0, -2, 2, 1])), path)
    gland, lesion = read(path)
    assert (gland.name, lesion.name) == ("case 0", "case 1")
    assert gland.volume_ml == pytest.approx(4 * 5 * 6 * 8 / 1000)
    assert_allclose(lesion.centroid_mm, [4, 6, 8])


def test_names_of_a_slicer_segmentation_are_kept(tmp_path, grid):
    path = tmp_path / "s.seg.nrrd"
    image = image_of(blocks(grid), grid)
    for number, (name, value) in enumerate((("left lesion", 3), ("PZ 2", 7))):
        image.SetMetaData(f"Segment{number}_Name", name)
        image.SetMetaData(f"Segment{number}_LabelValue", str(value))
    sitk.WriteImage(image, str(path))
    assert [region.name for region in read(path)] == ["left lesion", "PZ 2"]


def sphere_stl(path, centre, *, binary: bool, header: str = "") -> None:
    import vtkmodules.all as vtk

    source = vtk.vtkSphereSource()
    source.SetCenter(*centre)
    source.SetRadius(6.0)
    source.SetThetaResolution(60)
    source.SetPhiResolution(60)
    writer = vtk.vtkSTLWriter()
    writer.SetInputConnection(source.GetOutputPort())
    writer.SetFileName(str(path))
    if header:
        writer.SetHeader(header)
    (writer.SetFileTypeToBinary if binary else writer.SetFileTypeToASCII)()
    assert writer.Write()


@pytest.mark.parametrize("binary", [True, False])
def test_a_surface_written_by_vtk_is_a_region_with_what_it_encloses(tmp_path, binary):
    path = tmp_path / "target1.stl"
    sphere_stl(path, [30.0, -20, 110], binary=binary)
    (region,) = read(path)
    assert region.name == "target1"
    assert_allclose(region.centroid_mm, [30, -20, 110], atol=0.02)
    assert region.volume_ml == pytest.approx(4 / 3 * np.pi * 216 / 1000, rel=0.01)
    assert_allclose(region.extent_mm, [12, 12, 12], atol=0.05)


def test_a_surface_that_says_ras_is_turned(tmp_path):
    sphere_stl(tmp_path / "a.stl", [30.0, -20, 110], binary=True, header="Slicer. SPACE=RAS")
    assert_allclose(read(tmp_path / "a.stl")[0].centroid_mm, [-30, 20, 110], atol=0.02)


def test_two_balls_in_one_surface_file_are_two_regions(tmp_path):
    import vtkmodules.all as vtk

    both = vtk.vtkAppendPolyData()
    for x in (0.0, 40.0):
        source = vtk.vtkSphereSource()
        source.SetCenter(x, 5, 6)
        source.SetRadius(4)
        both.AddInputConnection(source.GetOutputPort())
    writer = vtk.vtkSTLWriter()
    writer.SetInputConnection(both.GetOutputPort())
    writer.SetFileName(str(tmp_path / "two.stl"))
    writer.Write()
    found = read(tmp_path / "two.stl")
    assert [region.name for region in found] == ["two 1", "two 2"]
    assert sorted(round(float(region.centroid_mm[0])) for region in found) == [0, 40]


def test_an_open_surface_has_a_place_and_no_volume(tmp_path):
    corners = np.array([[0, 0, 5], [4, 0, 5], [4, 4, 5], [0, 4, 5]], np.float32)
    record = np.zeros(2, [("n", "<f4", 3), ("c", "<f4", (3, 3)), ("a", "<u2")])
    record["c"] = corners[[[0, 1, 2], [0, 2, 3]]]
    (tmp_path / "open.stl").write_bytes(bytes(80) + (2).to_bytes(4, "little") + record.tobytes())
    (region,) = read(tmp_path / "open.stl")
    assert region.volume_ml == 0
    assert_allclose(region.centroid_mm, [2, 2, 5], atol=1e-6)


def mr_slices(write, grid) -> list[Dataset]:
    """A classic series in geometric order, complete enough for highdicom to refer to."""
    slices = []
    for number in range(grid.shape[0]):
        data = write.slice_of(grid, np.full(grid.shape[1:], number, np.uint16), number)
        data.PatientBirthDate, data.PatientSex, data.StudyID = "19500101", "M", "1"
        data.AccessionNumber, data.StudyTime, data.ReferringPhysicianName = "", "101500", ""
        slices.append(data)
    return slices


def segment(number: int, label: str) -> SegmentDescription:
    return SegmentDescription(
        segment_number=number,
        segment_label=label,
        segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
        segmented_property_type=codes.SCT.Lesion,
        algorithm_type=highdicom.seg.SegmentAlgorithmTypeValues.MANUAL,
    )


def write_seg(path, write, grid, kind: str, masks: np.ndarray) -> None:
    Segmentation(
        source_images=mr_slices(write, grid),
        pixel_array=masks,
        segmentation_type=kind,
        segment_descriptions=[segment(1, "index lesion"), segment(2, "second")],
        series_instance_uid=generate_uid(),
        series_number=7,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer="a",
        manufacturer_model_name="b",
        software_versions="1",
        device_serial_number="1",
    ).save_as(path)


@pytest.mark.parametrize("kind", ["BINARY", "FRACTIONAL", "LABELMAP"])
def test_every_segment_of_a_dicom_seg_is_a_region(tmp_path, write, grid, kind):
    labels = blocks(grid)
    masks = np.stack([labels == 3, labels == 7], axis=-1)
    masks = masks.astype(np.float32) if kind == "FRACTIONAL" else masks.astype(np.uint8)
    write_seg(tmp_path / "seg.dcm", write, grid, kind, masks)
    first, second = read(tmp_path / "seg.dcm")
    assert (first.name, second.name) == ("index lesion", "second")
    assert_allclose(first.centroid_mm, grid.to_world(CENTRES_IJK[0]), atol=1e-3)
    assert_allclose(second.centroid_mm, grid.to_world(CENTRES_IJK[1]), atol=1e-3)
    assert first.volume_ml == pytest.approx(block_ml(grid), rel=1e-3)
    assert first.frame_of_reference_uid == "1.2.3.9"


def rtstruct(structures: dict[str, list[tuple[str, np.ndarray]]]) -> Dataset:
    """An RT Structure Set of named contours (kind, points LPS mm)."""
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = RTSTRUCT
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    data.Modality, data.StructureSetLabel = "RTSTRUCT", "targets"
    rois, contours = [], []
    for number, (name, outlines) in enumerate(structures.items(), start=1):
        roi, item = Dataset(), Dataset()
        roi.ROINumber, roi.ROIName = number, name
        roi.ReferencedFrameOfReferenceUID = "1.2.3.9"
        item.ReferencedROINumber = number
        entries = []
        for kind, points in outlines:
            entry = Dataset()
            entry.ContourGeometricType, entry.NumberOfContourPoints = kind, len(points)
            entry.ContourData = [f"{value:.4f}" for value in np.ravel(points)]
            entries.append(entry)
        item.ContourSequence = Sequence(entries)
        rois.append(roi)
        contours.append(item)
    data.StructureSetROISequence = Sequence(rois)
    data.ROIContourSequence = Sequence(contours)
    return data


def rectangle(grid: Grid, k: float, low, high) -> np.ndarray:
    """Corners in one slice of an oblique grid, in mm along i and j."""
    (a, b), (c, d) = low, high
    local = np.array([[a, b], [c, b], [c, d], [a, d]])
    index = np.column_stack([local / grid.spacing_mm[:2], np.full(4, k)])
    return grid.to_world(index)


def test_a_structure_set_gives_the_volume_and_centroid_of_its_contours(tmp_path, grid):
    """A box of 6 x 4 mm in five slices of an oblique grid, outlined either way round."""
    outlines = [
        ("CLOSED_PLANAR", rectangle(grid, k, (1, 2), (7, 6))[:: 1 if k % 2 else -1])
        for k in range(2, 7)
    ]
    points = [("POINT", grid.to_world([[3, 4, 5]]))]
    path = tmp_path / "rs.dcm"
    rtstruct({"lesion": outlines, "seed": points}).save_as(path, enforce_file_format=True)
    lesion, seed = read(path)
    assert (lesion.name, seed.name) == ("lesion", "seed")
    middle = np.array([4 / grid.spacing_mm[0], 4 / grid.spacing_mm[1], 4])
    assert_allclose(lesion.centroid_mm, grid.to_world(middle), atol=1e-3)
    assert lesion.volume_ml == pytest.approx(6 * 4 * 5 * grid.spacing_mm[2] / 1000, rel=0.01)
    assert lesion.frame_of_reference_uid == "1.2.3.9"
    assert_allclose(seed.centroid_mm, grid.to_world([3, 4, 5]), atol=1e-3)
    assert seed.volume_ml == 0


def test_a_hole_in_a_contour_does_not_count(tmp_path, grid):
    outlines = []
    for k in range(3):
        outlines.append(("CLOSEDPLANAR_XOR", rectangle(grid, k, (0, 0), (10, 8))))
        outlines.append(("CLOSEDPLANAR_XOR", rectangle(grid, k, (6, 2), (9, 5))))
    path = tmp_path / "rs.dcm"
    rtstruct({"ring": outlines}).save_as(path, enforce_file_format=True)
    (ring,) = read(path)
    areas = np.array([80.0, -9.0])
    wanted = areas @ [[5, 4], [7.5, 3.5]] / areas.sum() / grid.spacing_mm[:2]
    assert_allclose(ring.centroid_mm, grid.to_world([*wanted, 1]), atol=1e-2)
    assert ring.volume_ml == pytest.approx(71 * 3 * grid.spacing_mm[2] / 1000, rel=0.01)


def test_what_comes_through_the_child_is_the_same(tmp_path, grid):
    path = tmp_path / "lesions.nii.gz"
    sitk.WriteImage(image_of(blocks(grid), grid), str(path))
    for here, there in zip(read(path), read_regions(path), strict=True):
        assert (here.name, here.volume_ml) == (there.name, there.volume_ml)
        assert_allclose(here.centroid_mm, there.centroid_mm, atol=0)
        assert_allclose(here.extent_mm, there.extent_mm, atol=0)


def test_a_refusal_comes_through_the_child_word_for_word(tmp_path):
    path = tmp_path / "notes.nii"
    path.write_text("hello")
    with pytest.raises(ReadError) as caught:
        read_regions(path)
    assert str(caught.value) == refusal(path)


def test_an_image_is_not_taken_for_a_mask(tmp_path, grid):
    path = tmp_path / "t2.nii.gz"
    image = np.arange(np.prod(grid.shape), dtype=np.int16).reshape(grid.shape)
    sitk.WriteImage(image_of(image, grid), str(path))
    assert "different values, so it is an image and no mask" in refusal(path)


def test_an_empty_mask_and_one_of_speckle_are_refused(tmp_path, grid):
    empty, speckle = tmp_path / "e.nrrd", tmp_path / "s.nrrd"
    sitk.WriteImage(image_of(np.zeros(grid.shape, np.uint8), grid), str(empty))
    dots = np.zeros((30, 31, 32), np.uint8)
    dots[::3, ::3, ::3] = 1
    sitk.WriteImage(sitk.GetImageFromArray(dots), str(speckle))
    assert "nothing is labelled in it" in refusal(empty)
    assert "separate regions, more than the 50" in refusal(speckle)


def test_a_dicom_image_a_folder_and_a_damaged_object_are_refused(tmp_path, write, grid):
    image = write.series(grid) / "000"
    write.save(write.slice_of(grid, np.ones(grid.shape[1:], np.uint16), 0), "image.dcm")
    assert "is DICOM MR, in which no targets are drawn" in refusal(write.folder / "image.dcm")
    assert "is a folder; choose the file of targets in it" in refusal(image.parent)
    broken = rtstruct({"a": [("POINT", np.zeros((1, 3)))]})
    del broken.StructureSetROISequence
    broken.save_as(tmp_path / "rs.dcm", enforce_file_format=True)
    assert "is a damaged DICOM file; export it again" in refusal(tmp_path / "rs.dcm")
    nothing = rtstruct({})
    nothing.save_as(tmp_path / "none.dcm", enforce_file_format=True)
    assert "holds no region" in refusal(tmp_path / "none.dcm")
    odd = rtstruct({"a": [("POINT", np.zeros((1, 3)))]})
    odd.ROIContourSequence[0].ContourSequence[0].ContourData = ["1", "2"]
    odd.save_as(tmp_path / "odd.dcm", enforce_file_format=True)
    assert "a contour's points are damaged" in refusal(tmp_path / "odd.dcm")


def test_a_refusal_repeats_no_damaged_header(tmp_path, grid):
    """What stands where the modality should may be anything, a patient's name included."""
    data = rtstruct({"lesion": [("POINT", grid.to_world([[3, 4, 5]]))]})
    path = tmp_path / "rs.dcm"
    data.save_as(path, enforce_file_format=True)
    raw = path.read_bytes()
    path.write_bytes(raw.replace(b"RTSTRUCT", b"Secret^N"))
    assert refusal(path) == (
        "rs.dcm is DICOM of unknown kind, in which no targets are drawn; choose a SEG or RTSTRUCT "
        "file"
    )


def test_a_seg_cut_short_is_refused(tmp_path, write, grid):
    labels = blocks(grid)
    masks = np.stack([labels == 3, labels == 7], axis=-1).astype(np.uint8)
    write_seg(tmp_path / "seg.dcm", write, grid, "BINARY", masks)
    data = pydicom.dcmread(tmp_path / "seg.dcm")
    data.PixelData = data.PixelData[: len(data.PixelData) // 4 * 2]
    data.save_as(tmp_path / "cut.dcm")
    assert "is a damaged DICOM file" in refusal(tmp_path / "cut.dcm")
