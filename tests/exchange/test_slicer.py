"""Our files in 3D Slicer's own code, where FUSIONINIT_SLICER_PYTHON names a python with it.

`pip install slicer-core` in an environment of its own (it pins its own VTK) is enough.
"""

from __future__ import annotations

import json
import os
import subprocess

import numpy as np
import pytest
from numpy.testing import assert_allclose

from fusioninit.exchange.export import export_contents
from fusioninit.exchange.frames import to_ras
from fusioninit.exchange.markups import read_landmarks
from fusioninit.geometry import Space

PYTHON = os.environ.get("FUSIONINIT_SLICER_PYTHON", "")

pytestmark = pytest.mark.skipif(
    not PYTHON, reason="set FUSIONINIT_SLICER_PYTHON to a python that has slicer-core"
)

IN_SLICER = """
import json, sys, vtk, slicer_core as slicer
folder = sys.argv[1] + "/"
scene = slicer.vtkMRMLScene()
answer = {"to_parent_ras": {}, "points_ras": {}}

def add(node):
    scene.AddNode(node)
    return node

for name in ("us_from_mr.tfm", "us_from_mr.h5", "us_from_mr_0GenericAffine.mat"):
    node = add(slicer.vtkMRMLLinearTransformNode())
    storage = add(slicer.vtkMRMLTransformStorageNode())
    storage.SetFileName(folder + name)
    assert storage.ReadData(node)
    matrix = vtk.vtkMatrix4x4()
    node.GetMatrixTransformToParent(matrix)
    rows = [[matrix.GetElement(i, j) for j in range(4)] for i in range(4)]
    answer["to_parent_ras"][name] = rows
for name in ("us_landmarks.mrk.json", "mr_landmarks.mrk.json"):
    node = add(slicer.vtkMRMLMarkupsFiducialNode())
    storage = add(slicer.vtkMRMLMarkupsJsonStorageNode())
    storage.SetFileName(folder + name)
    assert storage.ReadData(node)
    points = {}
    for number in range(node.GetNumberOfDefinedControlPoints()):
        place = [0.0, 0.0, 0.0]
        node.GetNthControlPointPositionWorld(number, place)
        points[node.GetNthControlPointLabel(number)] = place
    answer["points_ras"][name] = points
    storage.SetFileName(folder + "slicer_" + name)
    assert storage.WriteData(node)
mr = scene.GetNthNodeByClass(1, "vtkMRMLMarkupsFiducialNode")
answer["mr_put_under_ras"] = {}
for number in range(scene.GetNumberOfNodesByClass("vtkMRMLLinearTransformNode")):
    node = scene.GetNthNodeByClass(number, "vtkMRMLLinearTransformNode")
    mr.SetAndObserveTransformNodeID(node.GetID())
    placed = []
    for at in range(mr.GetNumberOfDefinedControlPoints()):
        place = [0.0, 0.0, 0.0]
        mr.GetNthControlPointPositionWorld(at, place)
        placed.append(place)
    answer["mr_put_under_ras"][sys.argv[2 + number]] = placed
json.dump(answer, open(folder + "answer.json", "w"))
"""


TRANSFORMS = ("us_from_mr.tfm", "us_from_mr.h5", "us_from_mr_0GenericAffine.mat")


@pytest.fixture(scope="module")
def folder(contents, tmp_path_factory):
    folder = tmp_path_factory.mktemp("slicer")
    export_contents(contents, folder)
    subprocess.run([PYTHON, "-c", IN_SLICER, str(folder), *TRANSFORMS], check=True, timeout=300)
    return folder


@pytest.fixture(scope="module")
def answer(folder):
    return json.loads((folder / "answer.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", TRANSFORMS)
def test_what_is_put_under_the_transform_in_slicer_lands_on_the_us(answer, contents, name):
    wanted = to_ras(contents.us_from_mr.matrix)
    assert_allclose(answer["to_parent_ras"][name], wanted, atol=1e-9)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_mr_landmarks_put_under_the_transform_lie_on_the_us_and_without_it_do_not(
    answer, contents, name
):
    """The recipe: drag the MR and its landmarks onto the transform."""
    wanted = contents.us_landmarks.positions_mm()
    placed = np.array(answer["mr_put_under_ras"][name]) * [-1, -1, 1]
    assert_allclose(placed, wanted, atol=1e-6)
    alone = np.array(list(answer["points_ras"]["mr_landmarks.mrk.json"].values())) * [-1, -1, 1]
    assert np.linalg.norm(alone - wanted, axis=-1).min() > 50


@pytest.mark.parametrize("space", [Space.US, Space.MR])
def test_slicer_shows_landmarks_where_they_are_and_hands_them_back(folder, answer, contents, space):
    name = f"{space.value}_landmarks.mrk.json"
    marks = contents.landmarks(space)
    shown = np.array(list(answer["points_ras"][name].values())) * [-1, -1, 1]
    assert list(answer["points_ras"][name]) == ["Apex", "Bladder neck", "Posterior median"]
    assert_allclose(shown, marks.positions_mm(), atol=1e-9)
    back = read_landmarks(folder / f"slicer_{name}", space=space)
    assert_allclose(back.positions_mm(), marks.positions_mm(), atol=1e-6)
