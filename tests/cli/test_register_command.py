"""`fusioninit register` from landmark files alone: no image is read and nothing is detected."""

import json

import numpy as np
import pytest
import SimpleITK as sitk

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
