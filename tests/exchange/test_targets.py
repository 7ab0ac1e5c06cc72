import json

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from fusioninit.errors import ReadError
from fusioninit.exchange.targets import read_targets
from fusioninit.geometry import Space
from fusioninit.imaging.resampling import image_of
from fusioninit.imaging.volume import Volume


def write(path, points, **markup):
    record = {"markups": [{"coordinateSystem": "LPS", "controlPoints": points, **markup}]}
    path.write_text(json.dumps(record))
    return path


def test_points_become_targets_in_lps(tmp_path):
    points = [
        {"label": "left lesion", "position": [1, 2, 3]},
        {"label": "not yet placed", "position": [0, 0, 0], "positionStatus": "undefined"},
    ]
    (target,) = read_targets(write(tmp_path / "t.mrk.json", points))
    assert target.name == "left lesion"
    assert np.array_equal(target.position_mr_mm, [1, 2, 3])


def test_ras_points_are_turned_to_lps(tmp_path):
    points = [{"label": "a", "position": [1, 2, 3]}]
    (target,) = read_targets(write(tmp_path / "t.mrk.json", points, coordinateSystem="RAS"))
    assert np.array_equal(target.position_mr_mm, [-1, -2, 3])


@pytest.mark.parametrize(
    ("points", "markup", "says"),
    [
        ([], {}, "holds no points"),
        ([{"label": "a", "position": [1, 2]}], {}, "three finite numbers"),
        ([{"label": "a", "position": [1, 2, 3]}], {"coordinateSystem": "IJK"}, "LPS"),
        ([{"label": "a", "position": [1, 2, 3]}], {"coordinateUnits": "cm"}, "mm"),
    ],
)
def test_what_is_no_list_of_targets_is_refused_with_a_remedy(tmp_path, points, markup, says):
    with pytest.raises(ReadError, match=says):
        read_targets(write(tmp_path / "t.mrk.json", points, **markup))


def test_a_file_that_is_no_json_is_refused(tmp_path):
    path = tmp_path / "notes.json"
    path.write_text("hello")
    with pytest.raises(ReadError, match="not a Slicer point list"):
        read_targets(path)


def test_a_list_of_an_older_slicer_is_read_in_its_coordinates(tmp_path):
    path = tmp_path / "F.fcsv"
    path.write_text(
        "# Markups fiducial file version = 4.11\n# CoordinateSystem = LPS\n"
        "# columns = id,x,y,z,ow,ox,oy,oz,vis,sel,lock,label,desc,associatedNodeID\n"
        'n1,1.5,2,3,0,0,0,1,1,1,0,"left, base",,\n',
        encoding="utf-8",
    )
    (target,) = read_targets(path)
    assert target.name == "left, base"
    assert np.array_equal(target.position_mr_mm, [1.5, 2, 3])
    path.write_text(path.read_text(encoding="utf-8").replace("= LPS", "= 0"), encoding="utf-8")
    assert np.array_equal(read_targets(path)[0].position_mr_mm, [-1.5, -2, 3])


@pytest.fixture
def lesions(tmp_path, contents):
    """Two balls of 5 and 3 mm in the MR, as a mask; the file and their centres."""
    grid = contents.mr.grid
    centres = [grid.center_mm, grid.to_world([10, 40, 8])]
    mask = np.zeros(grid.shape, np.uint8)
    for centre, radius_mm in zip(centres, (6, 4), strict=True):
        mask[np.linalg.norm(grid.points_mm() - centre, axis=-1) <= radius_mm] = 1
    path = tmp_path / "lesions.nii.gz"
    sitk.WriteImage(image_of(Volume(mask, grid, Space.MR)), str(path))
    return path, centres


def test_a_mask_gives_a_target_of_the_lesion_s_size_at_its_centre(lesions, contents):
    path, centres = lesions
    targets = read_targets(path, mr=contents.mr)
    assert [target.name for target in targets] == ["lesions 1", "lesions 2"]
    found = sorted(targets, key=lambda target: -target.radius_mm)
    for target, centre, radius_mm in zip(found, centres, (6, 4), strict=True):
        assert np.linalg.norm(target.position_mr_mm - centre) < 0.7
        assert target.radius_mm == pytest.approx(radius_mm, abs=0.6)


def test_targets_outside_the_mr_are_refused(tmp_path, contents):
    away = [{"label": "a", "position": [900, 900, 900]}]
    with pytest.raises(ReadError, match=r"no target lies within the MR.*coordinates \(LPS mm\)"):
        read_targets(write(tmp_path / "t.mrk.json", away), mr=contents.mr)


def write_point_structure(path, position_mm):
    """An RT Structure Set with one point, drawn in frame of reference 1.2.3.9."""
    data, roi, item, contour = Dataset(), Dataset(), Dataset(), Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.481.3"
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    data.Modality = "RTSTRUCT"
    roi.ROINumber, roi.ROIName, roi.ReferencedFrameOfReferenceUID = 1, "a", "1.2.3.9"
    contour.ContourGeometricType, contour.NumberOfContourPoints = "POINT", 1
    contour.ContourData = [f"{value:.3f}" for value in position_mm]
    item.ReferencedROINumber, item.ContourSequence = 1, [contour]
    data.StructureSetROISequence, data.ROIContourSequence = [roi], [item]
    data.save_as(path, enforce_file_format=True)
    return path


def test_targets_of_another_frame_of_reference_are_refused(tmp_path, contents):
    path = write_point_structure(tmp_path / "rs.dcm", contents.mr.grid.center_mm)
    same = contents.mr.with_source(frame_of_reference_uid="1.2.3.9")
    (target,) = read_targets(path, mr=same)
    assert target.radius_mm == 3
    other = contents.mr.with_source(frame_of_reference_uid="1.2.3.10")
    with pytest.raises(ReadError, match=r"rs.dcm was drawn on another image than this MR"):
        read_targets(path, mr=other)


def test_targets_of_one_name_are_told_apart(tmp_path):
    points = [{"label": "L", "position": [n, 2, 3]} for n in range(3)]
    targets = read_targets(write(tmp_path / "t.mrk.json", points))
    assert [target.name for target in targets] == ["L", "L (2)", "L (3)"]


def test_a_file_that_is_missing_or_is_something_else_is_one_sentence(tmp_path):
    with pytest.raises(ReadError, match=r"gone\.stl: no such file; choose targets"):
        read_targets(tmp_path / "gone.stl")
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(ReadError, match=r"notes\.txt is not a NIfTI"):
        read_targets(tmp_path / "notes.txt")
