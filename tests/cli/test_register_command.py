"""`fusioninit register` from landmark files alone: no image is read and nothing is detected."""

import json
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from fusioninit.cli.main import main
from fusioninit.geometry import RigidTransform, Space, rotation_matrix

MR = {
    "apex": [1.0, 30, -26],
    "bladder_neck": [-4.0, 22, 17],
    "posterior_median": [-1.0, 52, -5],
}
ON_ONE_LINE = {name: [0, 0, 10.0 * i] for i, name in enumerate(MR)}
US_FROM_MR = RigidTransform.from_parts(
    Space.US, Space.MR, rotation=rotation_matrix([0.3, 0.1, -0.05]), translation_mm=[4, -30, 12]
)


@pytest.fixture
def files(tmp_path):
    def write(name, points):
        path = tmp_path / name
        path.write_text(json.dumps({"landmarks": points}))
        return str(path)

    us = {name: US_FROM_MR.apply(xyz).tolist() for name, xyz in MR.items()}
    return {
        "write": write,
        "mr": write("mr.json", MR),
        "us": write("us.json", us),
        "out": tmp_path / "out",
    }


def arguments(files, *more):
    return [
        "register", "--mr-landmarks", files["mr"], "--us-landmarks", files["us"],
        "--out", str(files["out"]), *more,
    ]  # fmt: skip


def test_given_points_the_true_transform_is_found_and_only_json_is_printed(files, capsys):
    assert main(arguments(files, "--json")) == 0
    answer = json.loads(capsys.readouterr().out)
    np.testing.assert_allclose(answer["us_from_mr"], US_FROM_MR.matrix, atol=1e-9)
    assert answer["estimator"] == "svd"
    assert max(answer["residuals_mm"].values()) < 1e-9
    assert len(answer["edge_difference_mm"]) == 3
    assert {m["name"] for m in answer["landmarks"]["mr"]} == set(MR)


def test_the_exported_transform_takes_us_points_to_mr_points_in_simpleitk(files, capsys):
    main(arguments(files, "--json"))
    written = json.loads(capsys.readouterr().out)["files"]
    (path,) = [p for p in written.values() if p.endswith(".tfm")]
    transform = sitk.ReadTransform(path)
    for point in np.array(list(MR.values())):
        us_point = US_FROM_MR.apply(point)
        np.testing.assert_allclose(transform.TransformPoint(us_point.tolist()), point, atol=1e-9)


def test_for_a_person_the_transform_and_its_residuals_are_printed(files, capsys):
    assert main(arguments(files)) == 0
    printed = capsys.readouterr().out
    assert "residual at Bladder neck: 0.0 mm" in printed
    assert "MR minus US +0.0 mm" in printed


def test_one_truth_file_with_both_spaces_serves_both(files, tmp_path, capsys):
    us = {name: US_FROM_MR.apply(xyz).tolist() for name, xyz in MR.items()}
    both = files["write"]("truth.json", {"mr": MR, "us": us})
    options = ["--mr-landmarks", both, "--us-landmarks", both, "--out", str(files["out"]), "--json"]
    assert main(["register", *options]) == 0
    np.testing.assert_allclose(
        json.loads(capsys.readouterr().out)["us_from_mr"], US_FROM_MR.matrix, atol=1e-9
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: [*arguments(f)[:3], "--out", "x"], "nothing given for US"),
        (lambda f: arguments(f, "--estimator", "magic"), "--estimator magic: choose one of"),
        (
            lambda f: arguments({**f, "mr": f["write"]("two.json", dict(list(MR.items())[:2]))}),
            "no transform:",
        ),
        (
            lambda f: arguments({**f, "mr": f["write"]("line.json", ON_ONE_LINE)}),
            "no transform:",
        ),
        (lambda f: arguments({**f, "mr": "nowhere.json"}), "nowhere.json"),
    ],
)  # fmt: skip
def test_bad_input_is_one_sentence_and_status_3(files, capsys, change, words):
    assert main(change(files)) == 3
    streams = capsys.readouterr()
    assert words in streams.err
    assert streams.out == ""
    assert len(streams.err.strip().splitlines()) == 1


def test_a_mirrored_upside_down_gland_is_done_but_fails_its_checks(files):
    upside_down = {**MR, "apex": MR["bladder_neck"], "bladder_neck": MR["apex"]}
    assert main(arguments({**files, "mr": files["write"]("up.json", upside_down)})) == 4


def test_a_folder_that_cannot_be_written_is_one_sentence_and_status_3(files, tmp_path, capsys):
    (tmp_path / "taken").write_text("a file, where a folder was asked for")
    assert main(arguments({**files, "out": tmp_path / "taken"})) == 3
    assert "taken" in capsys.readouterr().err


def test_targets_of_a_file_are_exported_in_us_coordinates(files, capsys):
    points = [{"label": "lesion", "position": [3.0, 40, -5]}]
    record = {"markups": [{"coordinateSystem": "LPS", "controlPoints": points}]}
    path = files["out"].parent / "t.mrk.json"
    path.write_text(json.dumps(record), encoding="utf-8")
    assert main(arguments(files, "--targets", str(path), "--json")) == 0
    written = json.loads(capsys.readouterr().out)["files"]
    sidecar = json.loads(Path(written["sidecar"]).read_text(encoding="utf-8"))
    (target,) = sidecar["targets"]
    wanted = US_FROM_MR.apply([3.0, 40, -5])
    np.testing.assert_allclose(target["position_us_lps_mm"], wanted, atol=1e-9)


@pytest.mark.parametrize("keep", [False, True])
def test_the_patient_is_named_in_what_is_exported_only_when_asked(files, tmp_path, capsys, keep):
    folder = tmp_path / "mr"
    folder.mkdir()
    for number in range(8):
        write_slice(folder / f"{number}.dcm", number)
    more = ["--mr", str(folder), "--json", *(["--keep-identity"] if keep else [])]
    main(arguments(files, *more))
    written = json.loads(capsys.readouterr().out)["files"]
    registration = pydicom.dcmread(written["dicom_registration"])
    assert str(registration.PatientID) == ("P-77" if keep else "")


def write_slice(path, number):
    data = pydicom.Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    data.StudyInstanceUID, data.SeriesInstanceUID = "1.2.826.0.1.1", "1.2.826.0.1.2"
    data.FrameOfReferenceUID, data.Modality, data.SeriesDescription = "1.2.826.0.1.3", "MR", "t2"
    data.PatientName, data.PatientID, data.InstanceNumber = "Doe^John", "P-77", number + 1
    data.Rows, data.Columns, data.SamplesPerPixel = 9, 7, 1
    data.PhotometricInterpretation, data.PixelRepresentation = "MONOCHROME2", 0
    data.BitsAllocated, data.BitsStored, data.HighBit = 16, 16, 15
    data.ImageOrientationPatient, data.PixelSpacing = [1, 0, 0, 0, 1, 0], [5, 5]
    data.ImagePositionPatient = [-20, 20, -30 + 8 * number]
    data.PixelData = np.arange(63, dtype="<u2").tobytes()
    data.save_as(path, enforce_file_format=True)


def test_the_type_of_probe_is_assumed_by_the_estimators_that_ask_for_it(files, capsys):
    answers = {}
    for probe in ("end-fire", "side-fire"):
        main(arguments(files, "--json", "--estimator", "map", "--probe", probe))
        answers[probe] = json.loads(capsys.readouterr().out)
        assert answers[probe]["prior"] == f"{probe} probe"
    angles = [
        np.arccos((np.trace(np.array(a["us_from_mr"])[:3, :3]) - 1) / 2) for a in answers.values()
    ]
    assert angles[0] > angles[1]


def test_a_prior_is_learned_from_accepted_exports(files, tmp_path, capsys):
    for number in range(8):
        out = tmp_path / "exports" / str(number)
        files["out"] = out
        assert main(arguments(files)) == 0
        sidecar = out / "registration.json"
        record = json.loads(sidecar.read_text())
        record["decision"] = {"accepted": number < 7, "reason": "", "initials": "MK"}
        sidecar.write_text(json.dumps(record))
    capsys.readouterr()
    files["out"] = tmp_path / "out"
    learning = ("--json", "--estimator", "map", "--prior", str(tmp_path / "exports"))
    assert main(arguments(files, *learning)) == 3
    assert "7 accepted registrations" in capsys.readouterr().err
    record["decision"]["accepted"] = True
    sidecar.write_text(json.dumps(record))
    assert main(arguments(files, *learning)) == 0
    assert json.loads(capsys.readouterr().out)["prior"] == "learned from 8 accepted registrations"
