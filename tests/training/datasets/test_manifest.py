import json

import numpy as np
import pytest
from dataset_files import (
    GRID,
    centre_of,
    gland_mask,
    gland_points,
    tiny_config,
    write_case,
    write_manifest,
)

from fusioninit.errors import InputError
from fusioninit.exchange.markups import write_markups
from fusioninit.geometry import Space
from fusioninit.imaging.volume import Volume
from fusioninit.landmarks import LandmarkSet, Source
from fusioninit.training.datasets.labels import mask_labels
from fusioninit.training.datasets.manifest import list_manifest
from fusioninit.training.datasets.source import case_source
from fusioninit.training.datasets.splitting import with_splits


@pytest.fixture
def folder(tmp_path):
    for number in range(3):
        write_case(tmp_path, f"case{number}", number)
    return tmp_path


GOOD = [f"case{n}.nii.gz,mr,case{n}.json,case{n}-gland.nii.gz" for n in range(3)]

BROKEN = {
    "nothing.nii.gz,mr,case0.json,": "no such image 'nothing.nii.gz'",
    ",mr,case0.json,": "it names no image",
    "case0.nii.gz,ct,case0.json,": "modality 'ct' is neither mr nor us",
    "case0.nii.gz,mr,,": "it names neither landmarks nor a mask",
    "case0.nii.gz,mr,points.json,": "no such landmarks 'points.json'",
    "case0.nii.gz,mr,,gland.nii.gz": "no such mask 'gland.nii.gz'",
    "case1.nii.gz,mr,case1.json,": "it names the same image as line 2",
    "case0.nii.gz,mr": "it has not as many fields as the first line has columns",
    "case0.nii.gz,mr,case0.json,,more": "it has not as many fields as the first line has columns",
}


@pytest.mark.parametrize(("line", "reason"), BROKEN.items())
def test_a_broken_row_is_named_by_line_and_reason(folder, line, reason):
    listing = list_manifest(write_manifest(folder, [GOOD[1], line, GOOD[2]]), Space.MR)
    assert [str(row) for row in listing.bad] == [f"cases.csv line 3: {reason}"]
    assert [case.where for case in listing.cases] == ["cases.csv line 2", "cases.csv line 4"]


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("split", "holdout", "split 'holdout' is not train, validation or test"),
        ("mask_channel", "-1", "mask_channel '-1' is not a whole number from 0 on"),
        ("sd_mm", "some", "sd_mm 'some' is not a length in mm"),
        ("sd_mm", "nan", "sd_mm 'nan' is not a length in mm"),
    ],
)
def test_a_value_that_an_optional_column_cannot_hold_is_named(folder, column, value, reason):
    path = write_manifest(
        folder, [f"{GOOD[0]},{value}"], header=f"image,modality,landmarks,mask,{column}"
    )
    assert [str(row) for row in list_manifest(path, Space.MR).bad] == [
        f"cases.csv line 2: {reason}"
    ]


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        ("image,landmarks", "the first line lacks the column modality; found image, landmarks"),
        ("image,modality", "the first line lacks the column landmarks or mask; found image, modal"),
        ("image,modality,mask,lesion", "unknown column 'lesion'; known ones: image, modality, "),
    ],
)
def test_wrong_columns_are_refused_with_the_known_ones(folder, header, sentence):
    with pytest.raises(InputError) as refusal:
        list_manifest(write_manifest(folder, [], header=header), Space.MR)
    assert str(refusal.value).startswith(f"cases.csv: {sentence}")


def test_a_manifest_from_a_european_spreadsheet_reads_the_same(folder):
    plain = list_manifest(write_manifest(folder, GOOD), Space.MR)
    text = "\n".join(["Image,Modality,Landmarks,Mask", *GOOD]).replace(",", ";")
    (folder / "cases.csv").write_text("\ufeff" + text + "\r\n", encoding="utf-8")
    assert list_manifest(folder / "cases.csv", Space.MR) == plain
    assert plain.cases[0].image == folder / "case0.nii.gz"


def test_rows_of_the_other_modality_are_left_alone(folder):
    path = write_manifest(folder, [GOOD[0], GOOD[1].replace(",mr,", ",us,")])
    assert [case.where for case in list_manifest(path, Space.US).cases] == ["cases.csv line 3"]


def sets(folder, lines):
    return [{"kind": "manifest", "path": write_manifest(folder, lines)}]


def test_a_broken_row_ends_the_training_before_its_first_step_if_so_asked(folder, tmp_path):
    config = tiny_config(tmp_path / "out", sets(folder, [*GOOD, "no.nii.gz,mr,,x", "a,ct,,"]))
    with pytest.raises(InputError) as refusal:
        case_source(config)
    assert str(refusal.value) == (
        "cases.csv line 5: no such image 'no.nii.gz' (1 more like it); correct it, or set "
        'datasets.on_bad_row to "skip"'
    )


def test_a_broken_row_is_skipped_named_in_the_log_and_written_down_if_so_asked(
    folder, tmp_path, caplog
):
    (folder / "case1.nii.gz").write_bytes(b"not an image")
    lines = [*GOOD, "no.nii.gz,mr,,x"]
    config = tiny_config(tmp_path / "out", sets(folder, lines), on_bad_row="skip")
    source = case_source(config)
    assert len(source.training) + len(source.validation) == 2
    expected = [
        "cases.csv line 5: no such image 'no.nii.gz'",
        "cases.csv line 3: case1.nii.gz is not a NIfTI (.nii, .nii.gz), NRRD (.nrrd), MetaImage "
        "(.mha, .mhd) or DICOM image, whatever its name; choose another file",
    ]
    report = json.loads((tmp_path / "out" / "datasets.json").read_text(encoding="utf-8"))
    assert report["left_out"] == expected
    assert [record.getMessage() for record in caplog.records] == [
        f"left out: {e}" for e in expected
    ]


def test_an_unreadable_image_is_named_by_its_line(folder, tmp_path):
    (folder / "case1-gland.nii.gz").write_bytes(b"")
    with pytest.raises(InputError, match=r"^cases\.csv line 3: case1-gland\.nii\.gz is empty"):
        case_source(tiny_config(tmp_path / "out", sets(folder, GOOD)))


def test_points_in_another_frame_are_named_by_their_line(folder, tmp_path):
    points = gland_points(centre_of(1))
    flipped = {name: [-x, -y, z] for name, (x, y, z) in points.items()}
    (folder / "case1.json").write_text(json.dumps({"landmarks": flipped}))
    with pytest.raises(InputError) as refusal:
        case_source(tiny_config(tmp_path / "out", sets(folder, GOOD)))
    # RAS taken for LPS
    gland = Volume(gland_mask(GRID, centre_of(1)).astype(np.uint8), GRID, Space.MR)
    apart = np.linalg.norm(mask_labels(gland, GRID).position_mm[0] - flipped["apex"])
    assert str(refusal.value) == (
        f"cases.csv line 3: the apex lies {apart:.0f} mm from where the gland's mask has it; check "
        "that both are of this image and positions are LPS mm; correct it, or set "
        'datasets.on_bad_row to "skip"'
    )


def test_points_that_only_a_network_placed_are_not_learnt_from(folder, tmp_path):
    marks = LandmarkSet.from_positions(
        Space.MR, gland_points(centre_of(1)), source=Source.PREDICTED
    )
    write_markups(folder / "found.mrk.json", marks)
    lines = [GOOD[0], "case1.nii.gz,mr,found.mrk.json,"]
    with pytest.raises(
        InputError, match=r"line 3: found\.mrk\.json holds predicted landmarks only"
    ):
        case_source(tiny_config(tmp_path / "out", sets(folder, lines)))


def test_cases_held_for_testing_are_not_even_read(folder, tmp_path):
    (folder / "case2.nii.gz").write_bytes(b"not an image")
    lines = [f"{GOOD[0]},train", f"{GOOD[1]},val", f"{GOOD[2]},test"]
    path = write_manifest(folder, lines, header="image,modality,landmarks,mask,split")
    source = case_source(tiny_config(tmp_path / "out", [{"kind": "manifest", "path": path}]))
    assert (len(source.training), len(source.validation)) == (1, 1)


def test_a_patient_on_both_sides_of_the_split_is_refused(folder):
    header = "image,modality,landmarks,mask,split,patient"
    path = write_manifest(folder, [f"{GOOD[0]},train,A", f"{GOOD[1]},val,A"], header=header)
    with pytest.raises(InputError) as refusal:
        with_splits(list_manifest(path, Space.MR).cases, 0.2)
    assert str(refusal.value) == (
        "cases.csv line 3: the patient is in validation here and in train at cases.csv line 2; "
        "put all images of a patient into one split"
    )
