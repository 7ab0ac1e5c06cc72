import csv

import pytest

from fusioninit.bundled import model_path
from fusioninit.detection import LandmarkPredictor
from fusioninit.errors import InputError
from fusioninit.geometry import Space
from fusioninit.training.evaluation.phantom_pairs import PAIRS_SEED, PhantomPairs, phantom_case
from fusioninit.training.run import evaluate


def test_the_bundled_weights_are_measured_from_file_to_tables(tmp_path):
    config = tmp_path / "evaluate.toml"
    config.write_text('output = "tables"\nthreads = 1\n[phantom]\ncount = 2\n')
    folder = evaluate(config)
    text = (folder / "tables.md").read_text(encoding="utf-8")
    titles = (
        "Table 1",
        "Table 2",
        "Table 3",
        "Table 4",
        "Gland Dice",
        "Coverage",
        "Detected landmarks beside",
    )
    for title in titles:
        assert f"## {title}" in text
    assert f"Command: fusioninit evaluate {config}" in text
    assert "2 pairs, seeds 40000 to 40001" in text
    assert "Measured: 2 of 2 cases" in text
    assert "sha256 " in text
    assert "Two models apart, and the error" in text
    for space in (Space.MR, Space.US):
        assert LandmarkPredictor.from_bundled(space).second.card.sha256[:12] in text
    with (folder / "rows" / "two_answers.csv").open(encoding="utf-8") as file:
        both = list(csv.DictReader(file))
    # the second networks that ship find five
    assert len(both) == 2 * 2 * 5
    assert all(float(row["apart_mm"]) > 0 for row in both)
    for name in ("landmarks", "table3", "table4", "tre"):
        assert (folder / f"phantom-{name}.png").stat().st_size > 10_000
    with (folder / "rows" / "attempts.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    ways = {(row["points"], row["glands"], row["estimator"]) for row in rows}
    assert len(rows) == 2 * len(ways) == 2 * 9
    assert {("automatic", "none", "svd"), ("automatic", "predicted", "auto")} < ways
    assert {("manual", "none", "svd"), ("manual", "none", "auto")} < ways
    assert {row["case"] for row in rows} == {"40000", "40001"}
    assert all(row["points"] == "reference" or float(row["sre_truth_mm"]) > 0 for row in rows)
    with (folder / "phantom-table2.csv").open(encoding="utf-8") as file:
        assert file.readline().startswith("# Table 2")


def test_pairs_from_other_seeds_are_not_called_the_benchmark():
    others = PhantomPairs(3, first_seed=60_000)
    assert others.description.startswith("Synthetic pairs outside the benchmark, 3 pairs, seeds")
    assert "60000 to 60002" in others.description
    assert PhantomPairs(3).description.startswith("Synthetic benchmark, 3 pairs")


def test_the_benchmark_repeats_and_its_targets_lie_in_the_gland():
    first, again = (phantom_case(PAIRS_SEED, coarsening=4) for _ in range(2))
    assert (first.targets_us_mm == again.targets_us_mm).all()
    mr = first.glands[Space.MR]
    index = mr.grid.to_index(first.targets_mr_mm).round().astype(int)
    assert mr.voxels[tuple(index[:, ::-1].T)].all()
    gap = first.us_from_mr.apply(first.targets_mr_mm) - first.targets_us_mm
    # what the rigid part leaves is deformation: some, but of millimetres
    assert 0.1 < abs(gap).mean() < 4


def test_weights_of_the_other_modality_are_refused(tmp_path):
    config = tmp_path / "evaluate.toml"
    weights = model_path("landmarks-us.safetensors")
    config.write_text(
        f'output = "t"\n[phantom]\n[[methods]]\nname = "a"\nmr = "{weights}"\nus = "bundled"\n'
    )
    with pytest.raises(InputError, match="these are weights for US, given as MR; exchange them"):
        evaluate(config)


def test_a_missing_folder_is_found_before_anything_is_measured(tmp_path):
    config = tmp_path / "evaluate.toml"
    config.write_text('output = "t"\n[phantom]\n[[pairs]]\nname = "own"\nfolder = "nowhere"\n')
    with pytest.raises(InputError, match="no pair of label files"):
        evaluate(config)
    assert not (tmp_path / "t").exists()


def test_a_missing_configuration_is_named(tmp_path):
    with pytest.raises(InputError, match=r"nothing\.toml: the configuration cannot be read"):
        evaluate(tmp_path / "nothing.toml")
