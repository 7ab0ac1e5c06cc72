"""The voxel size of a plain multi-frame US: public, private, both, contradictory or none."""

import pydicom
import pytest
from numpy.testing import assert_allclose
from pydicom.dataset import Dataset

from fusioninit.errors import InputError
from fusioninit.geometry import Space
from fusioninit.imaging.reading import read_volume
from fusioninit.imaging.stated_geometry import StatedGeometry


def read(path, space, **options):
    return read_volume(path, space=space, isolated=False, **options)


def refusal(path, space, **options) -> str:
    with pytest.raises(InputError) as caught:
        read(path, space, **options)
    return str(caught.value)


def artemis(data: Dataset, size, *, maker="Eigen, Inc", vr="DS") -> None:
    """The maker's private voxel size."""
    data.private_block(0x1129, maker, create=True).add_new(0x16, vr, size)


def artemis_us(write, size, *, maker="Eigen, Inc", vr="DS", **elements):
    path = write.us_multiframe(**elements)
    data = pydicom.dcmread(path)
    artemis(data, size, maker=maker, vr=vr)
    data.save_as(path)
    return path


@pytest.mark.parametrize("vr", ["DS", "UN"])
def test_the_maker_s_private_voxel_size_is_read_and_spoken_of(write, vr):
    """As in the collection Prostate-MRI-US-Biopsy: one number, the edge of a cubic voxel in mm."""
    path = artemis_us(write, b"0.361 " if vr == "UN" else "0.361", vr=vr)
    volume = read(path, Space.US)
    assert_allclose(volume.grid.spacing_mm, [0.361] * 3)
    assert volume.source.warnings[1] == (
        "its voxel size of 0.361 mm is from the maker's private element (1129,1016)"
    )


def test_a_private_voxel_size_that_agrees_with_the_public_one_is_no_news(write):
    path = artemis_us(write, "0.36", PixelSpacing=[0.36, 0.361], SliceThickness=0.36)
    volume = read(path, Space.US)
    assert_allclose(volume.grid.spacing_mm, [0.361, 0.36, 0.36])
    assert len(volume.source.warnings) == 1


def test_a_private_voxel_size_completes_a_public_one_that_agrees(write):
    volume = read(artemis_us(write, "0.36", PixelSpacing=[0.36, 0.36]), Space.US)
    assert_allclose(volume.grid.spacing_mm, [0.36] * 3)
    assert "private element" in volume.source.warnings[1]


def test_voxel_sizes_that_contradict_each_other_are_refused_until_one_is_stated(write):
    path = artemis_us(write, "0.36", PixelSpacing=[0.4, 0.4])
    assert refusal(path, Space.US) == (
        "us.dcm, series 4 't2_tse_tra' states two voxel sizes (0.36 mm in its private element, "
        "0.4 mm publicly); state the right one"
    )
    stated = StatedGeometry(spacing_mm=(0.4, 0.4, 0.4))
    assert_allclose(read(path, Space.US, stated=stated).grid.spacing_mm, [0.4] * 3)


@pytest.mark.parametrize(
    ("size", "maker"),
    [("0", "Eigen, Inc"), ("-0.3", "Eigen, Inc"), ("360", "Eigen, Inc"), ("0.36", "Another maker")],
)
def test_a_private_voxel_size_that_cannot_be_meant_is_not_used(write, size, maker):
    assert "states no complete voxel size; state it with" in refusal(
        artemis_us(write, size, maker=maker), Space.US
    )
