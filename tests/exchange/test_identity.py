"""Who the patient is: nowhere in an export by default, and where DICOM has it when asked for."""

from __future__ import annotations

import json
import re
import zlib
from dataclasses import replace

import numpy as np
import pydicom
import pytest

from fusioninit.exchange.export import EXPORTED_NAMES, export, export_contents
from fusioninit.exchange.identity import Identity, strike_out
from fusioninit.landmarks import LandmarkSet
from fusioninit.state import Case, Core, CoreKind, Decision, Target

from .conftest import PATIENT

WORDS = ["Secret", "SECRET-42", "19500101", "ACC-7788", "ST-991", "Strange"]


@pytest.fixture(scope="module")
def telling(dicom_contents):
    """Contents in which every free text names the patient or the file."""
    us = dicom_contents.us_landmarks
    marks = [replace(mark, provenance="Secret's reader") for mark in us.landmarks]
    target = Target("Secret lesion", dicom_contents.targets[0].position_mr_mm)
    entry = dicom_contents.cores[0].entry_us_mm
    return replace(
        dicom_contents,
        us_landmarks=LandmarkSet(us.space, tuple(marks)),
        us=dicom_contents.us.with_source(warnings=("Secret_Name is odd",)),
        targets=(target,),
        cores=(Core("Secret 1", entry, entry + 9, CoreKind.TARGETED, "Secret lesion"),),
        warnings=("patient SECRET-42 was looked up",),
        decision=Decision(accepted=True, reason="as Dr. Strange says of Secret", initials="AB"),
    )


def everything_in(path) -> bytes:
    """A file's bytes and, of what is packed inside it (PDF streams, gzip), the unpacked bytes."""
    raw = path.read_bytes()
    found = [raw]
    if raw.startswith(b"\x1f\x8b"):
        found.append(zlib.decompress(raw, wbits=47))
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", raw, re.DOTALL):
        try:
            found.append(zlib.decompress(stream))
        except zlib.error:
            continue
    return b"\n".join(found)


def test_no_byte_of_an_export_names_the_patient(telling, tmp_path):
    files = export_contents(telling, tmp_path)
    assert {path.name for path in files.values()} <= EXPORTED_NAMES
    assert {"dicom_registration", "mr_landmarks_dicom", "us_dicom", "report"} <= set(files)
    for path in files.values():
        content = everything_in(path).lower()
        for word in WORDS:
            assert word.lower().encode() not in content, (path.name, word)


def test_what_was_struck_out_leaves_the_rest_and_the_plan_still_joins(telling, tmp_path):
    record = json.loads(export_contents(telling, tmp_path)["sidecar"].read_text(encoding="utf-8"))
    assert record["targets"][0]["name"] == "[removed] lesion"
    assert record["cores"][0]["target"] == "[removed] lesion"
    assert record["cores"][0]["distance_to_target_mm"] is not None
    assert "patient [removed] was looked up" in record["warnings"]
    assert record["decision"]["initials"] == "AB"
    assert "patient" not in record


def test_dicom_objects_keep_what_the_standard_demands_though_nameless(dicom_files):
    for name in ("dicom_registration", "mr_landmarks_dicom", "us_dicom", "us_landmarks_dicom"):
        data = pydicom.dcmread(dicom_files[name])
        for keyword in PATIENT:
            assert keyword in data, (name, keyword)
            assert str(data.get(keyword) or "") == ""
        assert data.StudyInstanceUID == "1.2.826.0.1.1"


def test_asked_for_the_identity_is_in_every_dicom_object_report_and_sidecar(telling, tmp_path):
    files = export_contents(replace(telling, keep_identity=True), tmp_path)
    assert {path.name for path in files.values()} <= EXPORTED_NAMES
    for name in ("dicom_registration", "mr_landmarks_dicom", "us_dicom", "us_landmarks_dicom"):
        data = pydicom.dcmread(files[name])
        for keyword, value in PATIENT.items():
            assert str(data[keyword].value) == value, (name, keyword)
    record = json.loads(files["sidecar"].read_text(encoding="utf-8"))
    assert record["patient"] == "name Secret Name, ID SECRET-42, born 19500101, sex M"
    assert record["targets"][0]["name"] == "Secret lesion"
    assert b"SECRET-42" in everything_in(files["report"])


def test_of_images_that_name_nobody_nothing_is_made_up(contents, tmp_path):
    files = export_contents(replace(contents, keep_identity=True), tmp_path)
    assert "patient" not in json.loads(files["sidecar"].read_text(encoding="utf-8"))


def test_a_case_is_exported_either_way(telling, tmp_path):
    case = Case(
        us=telling.us,
        mr=telling.mr,
        us_landmarks=telling.us_landmarks,
        mr_landmarks=telling.mr_landmarks,
    )
    for keep in (False, True):
        path = export(case, tmp_path / str(keep), keep_identity=keep)["dicom_registration"]
        assert str(pydicom.dcmread(path).PatientID) == ("SECRET-42" if keep else "")


def test_geometry_is_the_same_with_and_without_identity(telling, tmp_path):
    records = [
        json.loads(
            export_contents(replace(telling, keep_identity=keep), tmp_path / str(keep))[
                "sidecar"
            ].read_text(encoding="utf-8")
        )
        for keep in (False, True)
    ]
    for key in ("us_from_mr_lps_mm", "check_points"):
        assert records[0][key] == records[1][key]
    np.testing.assert_array_equal(
        records[0]["cores"][0]["tip_us_lps_mm"], records[1]["cores"][0]["tip_us_lps_mm"]
    )


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("SECRET-42: odd", "[removed]: odd"),
        ("secret_name.nii has no spacing", "[removed] has no spacing"),
        ("a secretary wrote this", "a secretary wrote this"),
        ("Doe's", "[removed]'s"),
    ],
)
def test_words_are_struck_out_whole_and_in_any_case(text, cleaned):
    identity = Identity(
        {"PatientName": "Secret^Doe", "PatientID": "SECRET-42"}, ("secret_name.nii",)
    )
    assert strike_out(text, identity.words) == cleaned


def test_short_and_everyday_words_are_left_alone():
    identity = Identity({"PatientName": "Li^A", "PatientID": "7"}, ("mr", "prostate"))
    assert identity.words == ("Li^A",)
