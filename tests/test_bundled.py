import hashlib

import pytest

from fusioninit import bundled
from fusioninit.errors import InputError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "weights.bin").write_bytes(b"weights")
    digest = hashlib.sha256(b"weights").hexdigest()
    (tmp_path / bundled.CHECKSUMS).write_text(f"{digest}  weights.bin\n")
    monkeypatch.setattr(bundled, "_folder", lambda name: tmp_path)
    bundled._verified.cache_clear()
    bundled._checksums.cache_clear()
    yield tmp_path
    bundled._verified.cache_clear()
    bundled._checksums.cache_clear()


def test_a_file_whose_hash_is_right_is_handed_out(folder):
    assert bundled.model_path("weights.bin") == folder / "weights.bin"


def test_a_changed_file_is_refused(folder):
    (folder / "weights.bin").write_bytes(b"other")
    with pytest.raises(InputError, match="is damaged"):
        bundled.model_path("weights.bin")


def test_a_file_that_is_not_listed_is_refused(folder):
    (folder / "extra.bin").write_bytes(b"weights")
    with pytest.raises(InputError, match="expected none listed"):
        bundled.asset_path("extra.bin")


def test_whether_a_model_is_there_can_be_asked(folder):
    assert bundled.has_model("weights.bin")
    assert not bundled.has_model("nothing.bin")


def test_every_weights_file_that_ships_is_listed_with_its_hash_and_has_a_card():
    models = bundled._folder("models")
    weights = sorted(models.glob("*.safetensors"))
    assert {"landmarks-mr", "landmarks-us"} <= {path.stem for path in weights}
    for path in weights:
        assert bundled.model_path(path.name) == path
        assert bundled.model_path(f"{path.stem}.json").is_file()


def test_a_missing_file_is_named(folder):
    with pytest.raises(InputError, match=r"nothing\.bin: this file of the installation is missing"):
        bundled.model_path("nothing.bin")
