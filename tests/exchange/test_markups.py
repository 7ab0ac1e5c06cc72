"""Landmark files: Slicer markups and plain JSON, whole or refused."""

import json
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from fusioninit.errors import ReadError
from fusioninit.exchange.markups import read_landmarks, write_markups
from fusioninit.geometry import Space
from fusioninit.landmarks import ALL_NAMES, ErrorCorrelation, Landmark, LandmarkSet, Source

POINTS = {"apex": [1.25, -2.5, 3.125], "bladder_neck": [4, 5, 6], "posterior_median": [7, 8, 9]}


@pytest.fixture
def marks() -> LandmarkSet:
    covariance = np.array([[4.0, 1, 0.5], [1, 9, 0.25], [0.5, 0.25, 2]])
    return LandmarkSet(
        Space.US,
        (
            Landmark("apex", [1.25, -2.5, 1 / 3], covariance, Source.PREDICTED, 0.75),
            Landmark("bladder_neck", [4, 5, 6], source=Source.CONFIRMED, locked=True),
            Landmark("posterior_median", [7, 8, 9]),
        ),
    )


def test_markups_come_back_whole(tmp_path, marks):
    path = write_markups(tmp_path / "us.mrk.json", marks)
    back = read_landmarks(path, space=Space.US)
    assert back == marks


def test_how_errors_hang_together_comes_back_and_a_damaged_statement_is_refused(tmp_path, marks):
    stated = replace(marks, correlation=ErrorCorrelation.uniform(tuple(POINTS), 0.25))
    path = write_markups(tmp_path / "us.mrk.json", stated)
    assert read_landmarks(path, space=Space.US) == stated
    record = json.loads(path.read_text(encoding="utf-8"))
    record["markups"][0]["errorCorrelation"]["rows"].pop()
    path.write_text(json.dumps(record))
    with pytest.raises(ReadError, match=r"us.mrk.json is a damaged markups file \(.* has 8 rows"):
        read_landmarks(path, space=Space.US)


def test_points_beyond_those_a_reader_knows_are_written_with_the_eye_closed(tmp_path):
    marks = LandmarkSet.from_positions(Space.MR, {name: [1, 2, 3] for name in ALL_NAMES})
    record = json.loads(write_markups(tmp_path / "m.mrk.json", marks).read_text(encoding="utf-8"))
    shown = [p["label"] for p in record["markups"][0]["controlPoints"] if p["visibility"]]
    wanted = ["Apex", "Bladder neck", "Posterior median", "Left lateral", "Right lateral"]
    assert shown == wanted


def test_markups_say_what_slicer_needs(tmp_path, marks):
    record = json.loads(write_markups(tmp_path / "us.mrk.json", marks).read_text(encoding="utf-8"))
    (markup,) = record["markups"]
    assert record["@schema"].endswith("markups-schema-v1.0.3.json#")
    assert (markup["type"], markup["coordinateSystem"]) == ("Fiducial", "LPS")
    assert markup["coordinateUnits"] == "mm"
    first, second, _ = markup["controlPoints"]
    assert first["label"] == "Apex"
    assert first["position"] == [1.25, -2.5, 1 / 3]
    assert first["positionStatus"] == "defined"
    assert "sd 2.24 mm" in first["description"]
    assert (first["locked"], second["locked"]) == (False, True)


def test_ras_files_are_turned_and_undefined_points_left_out(tmp_path):
    points = [
        {"label": "apex", "position": [-1, -2, 3]},
        {"label": "Bladder-Neck", "position": [4, 5, 6], "positionStatus": "undefined"},
        {"label": "F-1", "position": [0, 0, 0]},
    ]
    record = {"markups": [{"coordinateSystem": "RAS", "controlPoints": points}]}
    (tmp_path / "a.mrk.json").write_text(json.dumps(record))
    back = read_landmarks(tmp_path / "a.mrk.json", space=Space.MR)
    assert list(back) == ["apex"]
    assert_allclose(back["apex"].position_mm, [1, 2, 3])


@pytest.mark.parametrize(
    "record",
    [
        {"landmarks": POINTS},
        {"landmarks": {"mr": POINTS, "us": {"apex": [0, 0, 0]}}},
        {"landmarks": [{"name": n, "position_lps_mm": p} for n, p in POINTS.items()]},
        {"landmarks": {"mr": [{"name": n, "position_lps_mm": p} for n, p in POINTS.items()]}},
    ],
    ids=["plain", "per space", "detect --json", "register --json"],
)
def test_plain_json_forms_are_read(tmp_path, record):
    (tmp_path / "a.json").write_text(json.dumps(record))
    back = read_landmarks(tmp_path / "a.json", space=Space.MR)
    assert back.space is Space.MR
    assert {name: mark.position_mm.tolist() for name, mark in back.items()} == POINTS


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("not json", "a.json is not a JSON file of landmarks; choose a *.mrk.json file"),
        ("[1, 2]", "a.json holds no landmarks; choose a *.mrk.json file"),
        ('{"markups": 3}', "a.json is a damaged markups file"),
        (
            '{"markups": [{"coordinateSystem": "LPI", "controlPoints": []}]}',
            "is in coordinates 'LPI'; save",
        ),
        ('{"markups": []}', "a.json holds no landmark with a known name; name its points"),
        ('{"landmarks": {"us": {}}}', "a.json holds no landmarks of the MR; choose another"),
        ('{"landmarks": {"tip": [1, 2, 3]}}', "holds no landmark with a known name"),
        ('{"landmarks": {"apex": [1, 2]}}', "apex needs three finite numbers x, y, z"),
        ('{"landmarks": {"apex": [1, 2, NaN]}}', "apex needs three finite numbers x, y, z"),
        ('{"landmarks": {"apex": "here"}}', "apex needs three finite numbers x, y, z"),
        ('{"landmarks": {"apex": [1,2,3], "Apex": [1,2,3]}}', "a.json holds apex twice"),
        (
            '{"markups": [{"coordinateUnits": "cm", "controlPoints": []}]}',
            "a.json is in cm, not in mm; save it again in mm",
        ),
    ],
)
def test_what_is_no_landmark_file_is_refused_with_one_sentence(tmp_path, text, reason):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ReadError) as caught:
        read_landmarks(tmp_path / "a.json", space=Space.MR)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_landmark_file(tmp_path):
    with pytest.raises(ReadError, match=r"gone\.json: no such file; choose landmarks"):
        read_landmarks(tmp_path / "gone.json", space=Space.MR)


def test_a_covariance_that_is_no_number_is_one_sentence(tmp_path):
    marks = LandmarkSet.from_positions(Space.US, {"apex": [1.0, 2, 3]})
    path = write_markups(tmp_path / "a.mrk.json", marks)
    text = path.read_text(encoding="utf-8").replace("covariance_mm2 [9.0", "covariance_mm2 [1e999")
    assert "1e999" in text
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ReadError, match=r"a\.mrk\.json is a damaged markups file"):
        read_landmarks(path, space=Space.US)
