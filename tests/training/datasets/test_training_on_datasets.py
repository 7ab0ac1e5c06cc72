"""A few steps of a tiny network on each kind of data set."""

import json
import logging
import os
from pathlib import Path

import pytest
import torch
from dataset_files import (
    tiny_config,
    write_case,
    write_manifest,
    write_pair_folder,
    write_tcia,
)

from fusioninit.detection.weights import load_model
from fusioninit.training.data import BENCHMARK_SEED, CALIBRATION_SEED, VALIDATION_SEED
from fusioninit.training.datasets.source import case_source
from fusioninit.training.export import NOT_ON_A_CARD, averaged_network, data_statement
from fusioninit.training.run import train, train_config

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)

pytestmark = pytest.mark.filterwarnings("ignore")


def make_manifest(folder):
    lines = [write_case(folder, f"case{n}", n, mask=n != 1, landmarks=n != 2) for n in range(4)]
    return write_manifest(folder, lines)


def make_mu_regpro(folder):
    return write_pair_folder(folder, 3)


def make_phantom(folder):
    return write_pair_folder(folder, 3, truth=True)


def make_tcia(folder):
    return write_tcia(folder, 2)


KINDS = {
    "manifest": make_manifest,
    "mu-regpro": make_mu_regpro,
    "phantom": make_phantom,
    "tcia": make_tcia,
}


def trained_weights(config):
    network, made = averaged_network(config)
    return network.state_dict(), made["steps"]


def column(output, name):
    rows = (output / "csv" / "version_0" / "metrics.csv").read_text(encoding="utf-8").splitlines()
    at = rows[0].split(",").index(name)
    return [float(row.split(",")[at]) for row in rows[1:] if row.split(",")[at]]


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_data_set_trains(tmp_path, kind):
    path = KINDS[kind](tmp_path / "data" if kind != "manifest" else tmp_path)
    space = "us" if kind == "tcia" else "mr"
    config = tiny_config(tmp_path / "out", [{"kind": kind, "path": path}], space=space)
    train_config(config)
    state, steps = trained_weights(config)
    assert steps == 2
    assert all(torch.isfinite(value).all() for value in state.values())
    (error,) = column(tmp_path / "out", "validation_mre_mm")
    assert 0 < error < 60


def test_a_training_on_files_resumes_to_the_same_result(tmp_path):
    sets = [{"kind": "manifest", "path": make_manifest(tmp_path)}]

    def config(name, steps):
        made = tiny_config(
            tmp_path / name, sets, steps=steps, phantom_fraction=0.3, cache=tmp_path / "cache"
        )
        constant = made.optimiser.model_copy(update={"decay_fraction": 0.0})
        return made.model_copy(update={"optimiser": constant})

    train_config(config("straight", 6))
    train_config(config("halved", 4))
    train_config(config("halved", 6), resume=True)
    (expected, _), (found, steps) = (
        trained_weights(config(name, 6)) for name in ("straight", "halved")
    )
    assert steps == 6
    for name in expected:
        assert torch.allclose(expected[name], found[name], atol=1e-6), name


def test_one_command_trains_on_own_data(tmp_path):
    make_manifest(tmp_path)
    (tmp_path / "train.toml").write_text(
        'space = "mr"\noutput = "out"\ngrid = [32, 32, 32]\nvalidate_every = 2\n'
        'validation_count = 2\naccelerator = "cpu"\nthreads = 1\n'
        "[network]\nchannels = [16, 16]\n[data]\nbatch_size = 2\nfresh_per_batch = 2\n"
        "[export]\ncalibration_count = 40\nbenchmark_count = 2\n"
        "[stopping]\nmax_steps = 2\n[datasets]\nphantom_fraction = 0.5\nisolated = false\n"
        '[[datasets.sets]]\nkind = "manifest"\npath = "cases.csv"\n'
    )
    assert train(tmp_path / "train.toml").is_file()
    report = json.loads((tmp_path / "out" / "datasets.json").read_text(encoding="utf-8"))
    assert report["sets"][0]["train"] + report["sets"][0]["validation"] == 4
    _, card = load_model(tmp_path / "out" / "landmarks-mr.safetensors")
    assert "cases from files (manifest)" in card.training["data"]
    assert card.training["measured_on"] == "synthetic cases"
    assert "synthetic images only" not in card.limits
    assert str(tmp_path) not in card.to_json()


def test_held_out_cases_calibrate_or_are_measured_but_never_both(tmp_path):
    make_manifest(tmp_path)
    config = tiny_config(tmp_path, [{"kind": "manifest", "path": tmp_path / "cases.csv"}])
    halves = config.datasets.model_copy(update={"validation_fraction": 0.5})
    source = case_source(config.model_copy(update={"datasets": halves}))
    assert len(source.validation) >= 2
    first, second = source(VALIDATION_SEED), source(VALIDATION_SEED + 1)
    assert torch.equal(source.held_out(CALIBRATION_SEED).image, first.image)
    assert torch.equal(source.held_out(BENCHMARK_SEED).image, second.image)
    assert not torch.equal(first.image, second.image)


def test_a_card_says_that_files_were_trained_on_and_names_none(tmp_path):
    config = tiny_config(tmp_path, [{"kind": "tcia", "path": tmp_path / "patients"}])
    assert data_statement(config).startswith("cases from files (tcia); 0% of new cases synthetic")
    assert data_statement(tiny_config(tmp_path, [])).startswith("synthetic pelvises drawn during")
    assert str(tmp_path) not in config.model_dump_json(exclude=NOT_ON_A_CARD)


@pytest.mark.skipif(
    "FUSIONINIT_REALDATA" not in os.environ,
    reason="FUSIONINIT_REALDATA does not name a folder with real pairs",
)
@pytest.mark.parametrize("space", ["mr", "us"])
def test_real_pairs_train_for_a_few_steps(tmp_path, space):
    pairs = Path(os.environ["FUSIONINIT_REALDATA"]) / "pairs" / "nifti_data" / "train"
    few = tmp_path / "train"
    for kind in ("images", "labels"):
        (few / f"{space}_{kind}").mkdir(parents=True)
        for file in sorted((pairs / f"{space}_{kind}").iterdir())[:5]:
            (few / f"{space}_{kind}" / file.name).symlink_to(file.resolve())
    config = tiny_config(tmp_path / "out", [{"kind": "mu-regpro", "path": few}], space=space)
    train_config(config)
    state, steps = trained_weights(config)
    assert steps == 2
    assert all(torch.isfinite(value).all() for value in state.values())
    report = json.loads((tmp_path / "out" / "datasets.json").read_text(encoding="utf-8"))
    assert report["left_out"] == []
    assert report["sets"][0]["train"] + report["sets"][0]["validation"] == 5
