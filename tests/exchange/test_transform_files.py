"""Transform files: refused when wrong, never half written, rigid or not at all."""

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st

from fusioninit.errors import ReadError
from fusioninit.exchange import transforms
from fusioninit.exchange.frames import WrittenFileError, residual_mm
from fusioninit.exchange.sidecar import read_sidecar_transform, write_sidecar
from fusioninit.exchange.transforms import ITK_SUFFIXES, read_transform, write_transform
from fusioninit.geometry import RigidTransform, Space, rotation_matrix

vectors = st.lists(st.floats(-3, 3), min_size=3, max_size=3)


@settings(max_examples=25, deadline=None)
@given(turn=vectors, shift=vectors, centre=vectors, suffix=st.sampled_from(ITK_SUFFIXES))
def test_any_transform_comes_back_whatever_its_centre(
    tmp_path_factory, turn, shift, centre, suffix
):
    transform = RigidTransform.from_parts(
        Space.US, Space.MR, rotation=rotation_matrix(turn), translation_mm=np.array(shift) * 100
    )
    path = tmp_path_factory.mktemp("t") / f"t{suffix}"
    write_transform(path, transform, centre_us_mm=np.array(centre) * 100)
    assert residual_mm(read_transform(path), transform, np.eye(3) * 300) < 1e-9


def test_the_centre_is_the_one_asked_for(tmp_path, us_from_mr):
    path = write_transform(tmp_path / "t.tfm", us_from_mr, centre_us_mm=[1, 2, 3])
    assert sitk.ReadTransform(str(path)).GetFixedParameters() == (1, 2, 3)


def test_only_us_from_mr_is_written(tmp_path, us_from_mr):
    with pytest.raises(ValueError, match="expected us_from_mr, found mr_from_us: invert it"):
        write_transform(tmp_path / "t.tfm", us_from_mr.inverse())


def test_a_writer_that_fails_leaves_the_older_file_and_nothing_else(
    tmp_path, us_from_mr, monkeypatch
):
    path = write_transform(tmp_path / "t.tfm", us_from_mr)
    before = path.read_bytes()
    wrong = sitk.TranslationTransform(3, (5.0, 0.0, 0.0))
    monkeypatch.setattr(transforms, "itk_transform", lambda *a, **k: wrong)
    with pytest.raises(WrittenFileError, match="a check point moved by"):
        write_transform(path, us_from_mr)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["t.tfm"]


def test_a_missing_file_a_text_and_an_image_are_refused(tmp_path):
    with pytest.raises(ReadError, match=r"gone\.tfm: no such file"):
        read_transform(tmp_path / "gone.tfm")
    (tmp_path / "notes.tfm").write_text("no transform")
    with pytest.raises(ReadError, match=r"notes\.tfm is not a transform that ITK reads"):
        read_transform(tmp_path / "notes.tfm")


@pytest.mark.parametrize(
    ("matrix", "reason"),
    [
        (np.diag([1.1, 1, 1]), "scaling or shear"),
        (np.diag([-1.0, 1, 1]), "mirrors"),
    ],
)
def test_a_file_that_is_not_rigid_is_refused(tmp_path, matrix, reason):
    transform = sitk.AffineTransform(3)
    transform.SetMatrix(matrix.ravel().tolist())
    sitk.WriteTransform(transform, str(tmp_path / "t.tfm"))
    with pytest.raises(ReadError, match=reason):
        read_transform(tmp_path / "t.tfm")


def test_a_deformation_is_refused(tmp_path):
    spline = sitk.BSplineTransform(3)
    sitk.WriteTransform(spline, str(tmp_path / "t.tfm"))
    with pytest.raises(ReadError, match="is not a linear 3D transform"):
        read_transform(tmp_path / "t.tfm")


def test_euler_and_composite_files_of_other_programs_are_read(tmp_path, us_from_mr):
    back = us_from_mr.inverse()
    euler = sitk.Euler3DTransform()
    euler.SetMatrix(back.rotation.ravel().tolist())
    euler.SetTranslation(back.translation_mm.tolist())
    sitk.WriteTransform(euler, str(tmp_path / "e.tfm"))
    sitk.WriteTransform(sitk.CompositeTransform([euler]), str(tmp_path / "c.tfm"))
    for name in ("e.tfm", "c.tfm"):
        assert residual_mm(read_transform(tmp_path / name), us_from_mr) < 1e-9


def test_the_sidecar_says_the_same_four_times_and_a_contradiction_is_refused(tmp_path, contents):
    import json

    path = write_sidecar(tmp_path / "registration.json", contents)
    record = json.loads(path.read_text(encoding="utf-8"))
    forward = np.array(record["us_from_mr_lps_mm"])
    for point in record["check_points"]:
        moved = forward @ [*point["mr_lps_mm"], 1]
        np.testing.assert_allclose(moved[:3], point["us_lps_mm"], atol=1e-9)
    assert residual_mm(read_sidecar_transform(path), contents.us_from_mr) < 1e-9
    record["mr_from_us_ras_mm"][0][3] += 1
    path.write_text(json.dumps(record))
    with pytest.raises(ReadError, match="its four matrices contradict each other"):
        read_sidecar_transform(path)
