"""What the application hands to the window: networks on a device, files of targets told apart."""

import numpy as np
import pytest

from fusioninit.app.work import BundledNetworks, holds_targets
from fusioninit.errors import InputError
from fusioninit.geometry import Grid, Space
from fusioninit.imaging import Volume


def progress(_fraction, _text):
    """Nobody listens."""


def test_a_gpu_that_is_not_there_is_refused_in_a_sentence():
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    volume = Volume(np.ones((3, 4, 5), np.float32), Grid((3, 4, 5)), Space.US)
    networks = BundledNetworks(lambda: "cuda")
    with pytest.raises(InputError, match="no GPU is usable here; choose Automatic or CPU"):
        networks(volume, progress=progress, cancelled=lambda: False)


def test_each_device_gets_a_network_of_its_own_loaded_once():
    volume = Volume(np.ones((3, 4, 5), np.float32), Grid((3, 4, 5)), Space.US)
    devices = iter(["cpu", "cpu", None])
    networks = BundledNetworks(lambda: next(devices))
    for _ in range(3):
        with pytest.raises(InputError):
            networks(volume, progress=progress, cancelled=lambda: False)
    assert set(networks._loaded) == {(Space.US, "cpu"), (Space.US, None)}


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.mrk.json", True), ("Lesion.STL", True), ("mr.nii.gz", False), ("heroic.nii", False)],
)
def test_files_of_targets_are_told_from_volumes_by_name(tmp_path, name, expected):
    path = tmp_path / name
    path.write_bytes(b"x")
    assert holds_targets(path) is expected


def test_a_mask_that_is_called_a_lesion_holds_targets(tmp_path):
    path = tmp_path / "case01_lesion.nii.gz"
    path.write_bytes(b"x")
    assert holds_targets(path)


@pytest.mark.parametrize(
    ("sop_class", "expected"),
    [
        ("1.2.840.10008.5.1.4.1.1.66.4", True),
        ("1.2.840.10008.5.1.4.1.1.481.3", True),
        ("1.2.840.10008.5.1.4.1.1.4", False),
    ],
)
def test_dicom_files_of_targets_are_told_by_their_class(tmp_path, sop_class, expected):
    from imaging.conftest import SeriesWriter

    writer = SeriesWriter(tmp_path)
    path = writer.save(writer.header(sop_class), "file")
    assert holds_targets(path) is expected
