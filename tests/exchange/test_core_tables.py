"""The needle plan that leaves: every file says the same entry and tip, and says what it misses."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest

from fusioninit.exchange import core_tables
from fusioninit.exchange.core_tables import write_core_markups, write_core_table
from fusioninit.exchange.export import export_contents
from fusioninit.exchange.frames import WrittenFileError
from fusioninit.state import CoreKind


@pytest.fixture(scope="module")
def files(contents, tmp_path_factory):
    return export_contents(contents, tmp_path_factory.mktemp("cores"))


def test_the_table_holds_every_core_with_entry_tip_and_target(files, contents):
    with files["cores_table"].open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["name"] for row in rows] == ["Left mid lateral", "right apex 1"]
    for row, core in zip(rows, contents.cores, strict=True):
        entry, tip = (
            [float(row[f"{end}_us_{axis}_lps_mm"]) for axis in "xyz"] for end in ("entry", "tip")
        )
        np.testing.assert_array_equal(entry, core.entry_us_mm)
        np.testing.assert_array_equal(tip, core.tip_us_mm)
        assert float(row["depth_mm"]) == pytest.approx(core.depth_mm, abs=1e-3)
    assert [row["kind"] for row in rows] == ["systematic", "targeted"]
    assert [row["distance_to_target_mm"] for row in rows] == ["", "1.5"]


def test_slicer_lines_run_from_entry_to_tip(files, contents):
    markups = json.loads(files["cores_markups"].read_text(encoding="utf-8"))["markups"]
    assert [markup["type"] for markup in markups] == ["Line", "Line"]
    assert {markup["coordinateSystem"] for markup in markups} == {"LPS"}
    for markup, core in zip(markups, contents.cores, strict=True):
        ends = [point["position"] for point in markup["controlPoints"]]
        np.testing.assert_array_equal(ends, [core.entry_us_mm, core.tip_us_mm])


def test_the_sidecar_holds_the_plan(files, contents):
    record = json.loads(files["sidecar"].read_text(encoding="utf-8"))
    first, second = record["cores"]
    assert first["kind"] == CoreKind.SYSTEMATIC
    assert first["distance_to_target_mm"] is None
    assert second["target"] == "right apex"
    assert second["distance_to_target_mm"] == pytest.approx(1.5)
    np.testing.assert_array_equal(second["tip_us_lps_mm"], contents.cores[1].tip_us_mm)


def test_without_a_plan_no_file_of_it_is_left(contents, tmp_path):
    small = replace(contents, us=None, mr=None, targets=())
    assert {"cores_table", "cores_markups"} <= set(export_contents(small, tmp_path))
    assert not {"cores_table", "cores_markups"} & set(
        export_contents(replace(small, cores=()), tmp_path)
    )
    assert not list(tmp_path.glob("cores*"))


@pytest.mark.parametrize("write", [write_core_table, write_core_markups])
def test_a_core_that_comes_back_elsewhere_is_an_error_and_nothing_is_left(
    contents, tmp_path, monkeypatch, write
):
    """The writers are given a plan whose tip lies 0.1 mm from the one they are checked against."""
    name = "_verify"
    check = getattr(core_tables, name)
    moved = tuple(core.moved(tip_us_mm=core.tip_us_mm + 0.1) for core in contents.cores)
    monkeypatch.setattr(core_tables, name, lambda path, cores, found: check(path, moved, found))
    with pytest.raises(WrittenFileError, match="read back, Left mid lateral differs"):
        write(tmp_path / "cores.out", contents)
    assert list(tmp_path.iterdir()) == []
