import json

import numpy as np
import pytest

from fusioninit.errors import ReadError
from fusioninit.exchange.targets import read_targets


def write(path, points, **markup):
    record = {"markups": [{"coordinateSystem": "LPS", "controlPoints": points, **markup}]}
    path.write_text(json.dumps(record))
    return path


def test_points_become_targets_in_lps(tmp_path):
    points = [
        {"label": "left lesion", "position": [1, 2, 3]},
        {"label": "not yet placed", "position": [0, 0, 0], "positionStatus": "undefined"},
    ]
    (target,) = read_targets(write(tmp_path / "t.mrk.json", points))
    assert target.name == "left lesion"
    assert np.array_equal(target.position_mr_mm, [1, 2, 3])


def test_ras_points_are_turned_to_lps(tmp_path):
    points = [{"label": "a", "position": [1, 2, 3]}]
    (target,) = read_targets(write(tmp_path / "t.mrk.json", points, coordinateSystem="RAS"))
    assert np.array_equal(target.position_mr_mm, [-1, -2, 3])


@pytest.mark.parametrize(
    ("points", "markup", "says"),
    [
        ([], {}, "holds no points"),
        ([{"label": "a", "position": [1, 2]}], {}, "three finite numbers"),
        ([{"label": "a", "position": [1, 2, 3]}], {"coordinateSystem": "IJK"}, "LPS"),
        ([{"label": "a", "position": [1, 2, 3]}], {"coordinateUnits": "cm"}, "mm"),
    ],
)
def test_what_is_no_list_of_targets_is_refused_with_a_remedy(tmp_path, points, markup, says):
    with pytest.raises(ReadError, match=says):
        read_targets(write(tmp_path / "t.mrk.json", points, **markup))


def test_a_file_that_is_no_json_is_refused(tmp_path):
    path = tmp_path / "notes.json"
    path.write_text("hello")
    with pytest.raises(ReadError, match="not a Slicer point list"):
        read_targets(path)
