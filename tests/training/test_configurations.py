"""The configurations that come with the project can be used as they are."""

from pathlib import Path

import pytest

from fusioninit.detection.weights import load_tensors
from fusioninit.training.config import read_config
from fusioninit.training.module import DetectorModule

MODELS = Path(__file__).parents[2] / "models"
TABLE_1 = sorted(MODELS.glob("table1-*.toml"))
FILES = [*TABLE_1, *sorted(MODELS.glob("continue-*.toml"))]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_configuration_is_read_and_names_its_modality(path):
    config = read_config(path)
    assert f"-{config.space}" in path.stem
    assert config.output.name == path.stem


@pytest.mark.parametrize("space", ["mr", "us"])
def test_the_five_methods_differ_in_nothing_but_the_method(space):
    configs = [read_config(path) for path in TABLE_1 if f"-{space}-" in path.name]
    assert {config.method for config in configs} == {
        "direct",
        "heatmap",
        "dsnt",
        "variance",
        "distance",
    }
    same = {config.model_dump_json(exclude={"method", "output"}) for config in configs}
    assert len(same) == 1


@pytest.mark.parametrize("space", ["mr", "us"])
def test_the_shipped_network_goes_on_from_the_committed_weights(space):
    path = next(path for path in FILES if path.stem == f"continue-{space}")
    config = read_config(path)
    DetectorModule(config).load_start(load_tensors(config.warm_start))
