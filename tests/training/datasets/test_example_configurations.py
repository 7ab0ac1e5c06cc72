"""The configurations beside the weights are read, and the documented one leaves out no key."""

from pathlib import Path

import pytest
import torch

from fusioninit.detection.weights import load_tensors
from fusioninit.training.config import read_config
from fusioninit.training.datasets.manifest import OPTIONAL_COLUMNS, REQUIRED_COLUMNS
from fusioninit.training.datasets.sections import DatasetSection, DatasetsSection
from fusioninit.training.module import DetectorModule

MODELS = Path(__file__).parents[3] / "models"


@pytest.mark.parametrize("space", ["mr", "us"])
def test_the_bundled_networks_configurations_are_synthetic_only(space):
    config = read_config(MODELS / f"train-{space}.toml")
    assert config.space == space
    assert config.datasets.sets == ()
    assert config.output == MODELS / ".." / "runs" / f"landmarks-{space}"


def test_the_documented_configuration_names_every_key_and_column():
    path = MODELS / "train-own-data.toml"
    text = path.read_text(encoding="utf-8")
    for name in (*DatasetsSection.model_fields, *DatasetSection.model_fields):
        assert f"{name} =" in text or f"[[datasets.{name}]]" in text, name
    for name in REQUIRED_COLUMNS + OPTIONAL_COLUMNS:
        assert f"#   {name} " in text, name
    section = read_config(path).datasets
    assert section.sets[0].path == MODELS / "cases.csv"
    defaults = DatasetsSection(sets=section.sets, cache=section.cache)
    assert section == defaults


def test_the_documented_warm_start_fits_the_network():
    config = read_config(MODELS / "train-own-data.toml")
    module = DetectorModule(config)
    module.load_start(load_tensors(config.warm_start))
    assert all(torch.isfinite(value).all() for value in module.network.state_dict().values())
