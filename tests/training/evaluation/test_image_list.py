import csv
import json
import os
import shutil
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from fusioninit.errors import InputError
from fusioninit.geometry import Space
from fusioninit.imaging.mask_landmarks import landmarks_from_mask
from fusioninit.training.evaluation.comparison import Comparison
from fusioninit.training.evaluation.config import (
    ComparisonConfig,
    ImagesSection,
    PhantomSection,
    read_comparison,
)
from fusioninit.training.evaluation.image_list import ImageList
from fusioninit.training.evaluation.phantom_pairs import PAIRS_SEED, phantom_case
from fusioninit.training.run import evaluate

THREE = ("apex", "bladder_neck", "posterior_median")


def write_image(volume, path):
    image = sitk.GetImageFromArray(np.asarray(volume.voxels))
    image.SetSpacing(volume.grid.spacing_mm.tolist())
    image.SetOrigin(volume.grid.origin_mm.tolist())
    image.SetDirection(volume.grid.direction.ravel().tolist())
    sitk.WriteImage(image, str(path))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One synthetic pair as a hospital would hold it: files and a manifest."""
    folder = tmp_path_factory.mktemp("images")
    case = phantom_case(PAIRS_SEED + 1, coarsening=4)
    lines = ["image,modality,landmarks,mask,split"]
    for space in (Space.MR, Space.US):
        write_image(case.images[space], folder / f"{space}.nii.gz")
        write_image(case.glands[space], folder / f"{space}-gland.nii.gz")
    points = {name: mark.position_mm.tolist() for name, mark in case.landmarks[Space.MR].items()}
    (folder / "mr.json").write_text(json.dumps({"landmarks": points}))
    lines += ["mr.nii.gz,mr,mr.json,,test", "us.nii.gz,us,,us-gland.nii.gz,test"]
    shutil.copy(folder / "mr.nii.gz", folder / "seen.nii.gz")
    lines += ["seen.nii.gz,mr,mr.json,,train"]
    (folder / "cases.csv").write_text("\n".join(lines) + "\n")
    return folder, case


def section(folder, **changes):
    return ImagesSection(name="own", manifest=folder / "cases.csv", **changes)


def test_only_lines_marked_as_test_are_measured_where_there_are_some(folder):
    source = ImageList(section(folder[0]))
    assert [files.image.name for _, files in source.entries] == ["mr.nii.gz", "us.nii.gz"]


def test_points_are_the_given_ones_else_those_of_the_mask(folder):
    source = ImageList(section(folder[0], landmarks=("apex", "posterior_median")))
    mr, us = source.case(0), source.case(1)
    true = folder[1].landmarks
    gland = folder[1].glands[Space.US]
    rule = landmarks_from_mask(gland.voxels, gland.grid, space=Space.US)
    assert list(mr.landmarks[Space.MR]) == ["apex", "posterior_median"]
    for name in ("apex", "posterior_median"):
        given = mr.landmarks[Space.MR][name].position_mm
        np.testing.assert_allclose(given, true[Space.MR][name].position_mm)
        found = us.landmarks[Space.US][name].position_mm
        np.testing.assert_allclose(found, rule[name].position_mm, atol=1e-3)
        assert np.linalg.norm(found - true[Space.US][name].position_mm) > 0.05
    assert mr.glands == {}
    assert list(us.glands) == [Space.US]


def test_single_images_are_measured_from_manifest_to_tables(folder, tmp_path):
    shutil.copytree(folder[0], tmp_path / "data")
    config = tmp_path / "evaluate.toml"
    config.write_text(
        'output = "out"\nthreads = 1\n[[images]]\nname = "own"\nmanifest = "data/cases.csv"\n'
        'landmarks = ["apex"]\nnote = "Slices of 3 mm."\n'
    )
    text = (evaluate(config) / "tables.md").read_text(encoding="utf-8")
    assert "scored: apex." in text
    assert "Slices of 3 mm." in text
    assert "Measured: 2 of 2 cases" in text
    assert "## Table 2" not in text
    with (tmp_path / "out" / "rows" / "landmarks.csv").open(encoding="utf-8") as file:
        rows = [(row["space"], row["landmark"]) for row in csv.DictReader(file)]
    assert rows == [("mr", "apex"), ("us", "apex")]


def test_a_broken_line_is_named(folder, tmp_path):
    manifest = tmp_path / "cases.csv"
    manifest.write_text("image,modality,mask\nnowhere.nii.gz,mr,\n")
    with pytest.raises(InputError, match=r"cases.csv line 2: no such image 'nowhere.nii.gz'"):
        len(ImageList(ImagesSection(name="own", manifest=manifest)))


def test_several_processes_measure_the_same_as_one():
    def rows(workers):
        config = ComparisonConfig(
            output=Path("unused"),
            estimators=("svd",),
            threads=1,
            workers=workers,
            phantom=PhantomSection(count=3, coarsening=4),
        )
        return Comparison(config).run()

    one, several = rows(1), rows(2)
    assert several.counts == {"phantom": 3}
    assert several.landmarks == one.landmarks
    assert several.two_answers == one.two_answers
    assert several.glands == one.glands
    assert several.attempts == one.attempts
    assert len(one.targets) == len(several.targets) > 0


def test_a_manifest_lies_beside_the_configuration_that_names_it(tmp_path):
    config = tmp_path / "a.toml"
    config.write_text('output = "t"\n[[images]]\nname = "own"\nmanifest = "x/cases.csv"\n')
    assert read_comparison(config).images[0].manifest == tmp_path / "x" / "cases.csv"


REALDATA = os.environ.get("FUSIONINIT_REALDATA")


@pytest.mark.skipif(not REALDATA, reason="FUSIONINIT_REALDATA names no folder of real cases")
def test_real_mr_is_measured_with_the_bundled_weights(tmp_path):
    """Writes test-artefacts/real-mr: the figures that the README quotes."""
    root = Path(REALDATA).resolve()
    points = defaultdict(dict)
    with (root / "readers.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            points[row["case"]][row["landmark"]] = [float(row[axis]) for axis in "xyz"]
    readers, masks = ["image,modality,landmarks,mask"], ["image,modality,mask"]
    for case, named in sorted(points.items()):
        (tmp_path / f"{case}.json").write_text(json.dumps({"landmarks": named}))
        folder = root / "mr" / case
        image = folder / "t2.nii.gz" if folder.is_dir() else root / "dicom" / case
        gland = folder / "gland.nii.gz" if folder.is_dir() else ""
        readers.append(f"{image},mr,{case}.json,{gland}")
    for folder in sorted((root / "mr").glob("promise12-*")):
        masks.append(f"{folder / 't2.nii.gz'},mr,{folder / 'gland.nii.gz'}")
    (tmp_path / "readers.csv").write_text("\n".join(readers) + "\n")
    (tmp_path / "masks.csv").write_text("\n".join(masks) + "\n")
    config = tmp_path / "evaluate.toml"
    config.write_text(
        f'output = "{Path("test-artefacts").resolve() / "real-mr"}"\nthreads = 2\n'
        '[[images]]\nname = "readers"\nmanifest = "readers.csv"\n'
        f"landmarks = {json.dumps(THREE)}\n"
        'note = "Mean of two readers, by eye."\n'
        '[[images]]\nname = "promise12"\nmanifest = "masks.csv"\n'
        'landmarks = ["apex", "posterior_median"]\n'
        'note = "Spacing inferred: 200 mm field of view, slices of 2.2 to 3.6 mm by centre."\n'
    )
    folder = evaluate(config)
    with (folder / "rows" / "landmarks.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6 * 3 + 15 * 2
    # no accuracy is promised here, but a network that has learnt nothing would be 20 mm off
    assert np.mean([float(row["error_mm"]) for row in rows]) < 15
