import json
import os
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from fusioninit.errors import InputError
from fusioninit.geometry import Space
from fusioninit.training.evaluation.config import PairsSection
from fusioninit.training.evaluation.label_folder import LabelFolder

SHAPE = (33, 36, 30)
SPACING_MM = 1.5


def write_labels(folder, name, points_kji, *, gland=True):
    """A 4D label file: a box as the gland, and one voxel for each further channel."""
    body = np.zeros(SHAPE, np.uint8)
    body[6:27, 8:28, 5:25] = gland
    channels = [body]
    for point in points_kji:
        channel = np.zeros(SHAPE, np.uint8)
        if point is not None:
            channel[point] = 1
        channels.append(channel)
    for space in ("mr", "us"):
        images = [sitk.GetImageFromArray(channel) for channel in channels]
        for image in images:
            image.SetSpacing([SPACING_MM] * 3)
        target = folder / f"{space}_labels" / f"{name}.nii.gz"
        target.parent.mkdir(parents=True, exist_ok=True)
        sitk.WriteImage(sitk.JoinSeries(images), str(target))


def folder_of(path, **options):
    return LabelFolder(PairsSection(name="own", folder=path, **options))


def test_channels_become_landmarks_and_targets(tmp_path):
    write_labels(tmp_path, "case000001", [(7, 20, 15), (25, 12, 15), (16, 18, 9), None])
    folder = folder_of(tmp_path)
    assert len(folder) == 1
    case = folder.case(0)
    assert case.name == "case000001"
    marks = case.landmarks[Space.MR]
    assert marks["apex"].position_mm == pytest.approx([22.5, 30.0, 10.5])
    assert marks["bladder_neck"].position_mm == pytest.approx([22.5, 18.0, 37.5])
    # the hindmost voxel of the box, mid-width, half way between its lowest and highest voxel
    assert marks["posterior_median"].position_mm == pytest.approx([21.75, 40.5, 24.0])
    assert case.targets_mr_mm == pytest.approx(np.array([[13.5, 27.0, 24.0]]))
    assert case.us_from_mr is None
    assert case.images == {}


@pytest.mark.parametrize(
    ("points", "reason"),
    [
        ([(25, 12, 15), (7, 20, 15)], "do not look like apex and bladder neck"),
        ([(15, 12, 15), (18, 12, 15)], "do not look like apex and bladder neck"),
        ([None, (7, 20, 15)], "channels 1 and 2 hold no points"),
        ([], "channels 1 and 2 hold no points"),
    ],
)
def test_labels_that_are_no_apex_and_neck_are_refused(tmp_path, points, reason):
    write_labels(tmp_path, "case000001", points)
    with pytest.raises(InputError, match=reason):
        folder_of(tmp_path).case(0)


def test_an_empty_gland_is_refused(tmp_path):
    write_labels(tmp_path, "case000001", [(7, 20, 15), (25, 12, 15)], gland=False)
    with pytest.raises(InputError, match="the gland's channel is empty"):
        folder_of(tmp_path).case(0)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="no pair of label files; mr_labels and us_labels"):
        len(folder_of(tmp_path))


def test_only_cases_with_both_images_count_and_the_count_limits_them(tmp_path):
    for number in range(3):
        write_labels(tmp_path, f"case{number:06d}", [(7, 20, 15), (25, 12, 15)])
    (tmp_path / "us_labels" / "case000001.nii.gz").unlink()
    assert folder_of(tmp_path).files == ["case000000.nii.gz", "case000002.nii.gz"]
    assert len(folder_of(tmp_path, count=1)) == 1


def test_a_truth_file_counts_more_than_the_channels(tmp_path):
    write_labels(tmp_path, "case000001", [])
    points = {"apex": [1, 2, 3], "bladder_neck": [1, 0, 40], "posterior_median": [1, 20, 20]}
    truth = {"us_from_mr": np.eye(4).tolist(), "landmarks": {"mr": points, "us": points}}
    (tmp_path / "truth").mkdir()
    file = tmp_path / "truth" / "case000001.json"
    file.write_text(json.dumps(truth))
    case = folder_of(tmp_path).case(0)
    assert case.us_from_mr.angle_deg == 0
    assert case.landmarks[Space.US]["apex"].position_mm == pytest.approx([1, 2, 3])
    file.write_text('{"us_from_mr": 1}')
    with pytest.raises(InputError, match=r"case000001\.json: not a truth file"):
        folder_of(tmp_path).case(0)


def test_images_are_read_where_landmarks_are_to_be_detected(tmp_path):
    write_labels(tmp_path, "case000001", [(7, 20, 15), (25, 12, 15)])
    for space in ("mr", "us"):
        target = tmp_path / f"{space}_images" / "case000001.nii.gz"
        target.parent.mkdir()
        noise = np.random.default_rng(0).integers(0, 99, SHAPE).astype(np.int16)
        sitk.WriteImage(sitk.GetImageFromArray(noise), str(target))
    case = folder_of(tmp_path, detect=True).case(0)
    assert case.images[Space.US].voxels.shape == SHAPE


@pytest.mark.skipif(
    "FUSIONINIT_REALDATA" not in os.environ,
    reason="set FUSIONINIT_REALDATA to the folder of real cases to run this",
)
def test_a_real_pair_is_read():
    path = Path(os.environ["FUSIONINIT_REALDATA"]) / "pairs" / "nifti_data" / "train"
    case = folder_of(path, count=1).case(0)
    apex, neck = (case.landmarks[Space.MR][name].position_mm for name in ("apex", "bladder_neck"))
    assert 20 < np.linalg.norm(neck - apex) < 75
    assert len(case.targets_mr_mm) == len(case.targets_us_mm)
