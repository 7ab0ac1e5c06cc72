import numpy as np
import pytest

from fusioninit.errors import ReadError
from fusioninit.geometry import Grid, Space
from fusioninit.imaging import Volume
from fusioninit.state import Case, Core, CoreKind
from fusioninit.state.needle_plan import core_from_record, core_to_record


def core(name: str = "Left mid lateral", **changes) -> Core:
    values = {"entry_us_mm": np.array([1.0, 2, 3]), "tip_us_mm": np.array([1.0, -18, 3])}
    return Core(name, **values | changes)


def test_depth_and_sample_follow_from_entry_and_tip():
    assert core().depth_mm == 20
    np.testing.assert_array_equal(core().direction_us, [0, -1, 0])
    np.testing.assert_array_equal(core().sample_start_us_mm, [1, -1, 3])
    short = core(tip_us_mm=np.array([1.0, -8, 3]))
    np.testing.assert_array_equal(short.sample_start_us_mm, short.entry_us_mm)


@pytest.mark.parametrize(
    ("point", "distance"),
    [([1, -10, 3], 0), ([4, -10, 7], 5), ([1, 2, 3], 3), ([1, -20, 3], 2)],
)
def test_a_point_s_distance_is_to_the_tissue_taken_not_to_the_whole_path(point, distance):
    np.testing.assert_allclose(core().distance_mm(point), distance, atol=1e-12)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": " "}, "a core needs a name"),
        ({"tip_us_mm": [1, 2]}, "core a: tip_us_mm must be three finite mm"),
        ({"entry_us_mm": [1, 2, np.inf]}, "core a: entry_us_mm must be three finite mm"),
        ({"tip_us_mm": [1, 2, 3]}, "core a: entry and tip must lie apart"),
        ({"sample_mm": 0}, "core a: the sample must be longer"),
        ({"kind": "saturation"}, "saturation"),
    ],
)
def test_an_impossible_core_is_refused_with_its_reason(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        core(**{"name": "a"} | changes)


def test_a_core_cannot_be_changed_in_place():
    with pytest.raises(ValueError, match="read-only"):
        core().tip_us_mm[0] = 7


def test_a_core_survives_its_record_exactly():
    before = core(entry_us_mm=np.array([0.1, 1 / 3, -7]), kind=CoreKind.TARGETED, target="lesion 1")
    after = core_from_record(core_to_record(before))
    assert core_to_record(after) == core_to_record(before)
    np.testing.assert_array_equal(after.entry_us_mm, before.entry_us_mm)


@pytest.mark.parametrize("damage", [{"tip_us_lps_mm": [1]}, {"kind": "x"}, {"sample_mm": None}])
def test_a_damaged_record_is_refused_with_one_sentence(damage):
    with pytest.raises(ReadError, match=r"a saved core is damaged .*restore the file"):
        core_from_record(core_to_record(core()) | damage)


def test_two_cores_of_one_name_are_refused():
    with pytest.raises(ValueError, match="two cores are called Left mid lateral"):
        Case().with_cores((core(), core()))


def test_another_us_takes_the_plan_with_it_and_another_mr_does_not():
    case = Case().with_cores((core(),))
    volume = Volume(np.zeros((2, 3, 4)), Grid((2, 3, 4)), Space.MR)
    assert case.with_volume(volume).cores == case.cores
    us = Volume(volume.voxels, volume.grid, Space.US)
    assert case.with_volume(us).cores == ()
