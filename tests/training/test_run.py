import logging
from dataclasses import replace

import pytest
import torch
from cases import ellipsoid
from safetensors.torch import save_file

from fusioninit.detection.unet import LandmarkNetwork, UNetConfig
from fusioninit.errors import InputError
from fusioninit.training.config import TrainingConfig
from fusioninit.training.export import averaged_network
from fusioninit.training.run import train_config

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)

pytestmark = pytest.mark.filterwarnings("ignore")


def config(output, *, steps, method="expected-distance", **changes):
    table = {
        "space": "mr",
        "method": method,
        "output": output,
        "grid": (32, 32, 32),
        "validate_every": 4,
        "validation_count": 2,
        "accelerator": "cpu",
        "threads": 1,
        "network": {"channels": (16, 16, 16)},
        "data": {"batch_size": 2, "fresh_per_batch": 1, "replay_window": 6},
        "stopping": {"max_steps": steps},
        **changes,
    }
    return TrainingConfig.model_validate(table)


def weights(config):
    network, made = averaged_network(config)
    return network.state_dict(), made


def test_an_interrupted_training_resumes_to_the_same_result(tmp_path):
    decay = {"optimiser": {"decay_fraction": 0.0}, "precision": "float32"}
    straight = config(tmp_path / "straight", steps=12, **decay)
    train_config(straight, draw=ellipsoid)
    halved = config(tmp_path / "halved", steps=8, **decay)
    train_config(halved, draw=ellipsoid)
    finished = config(tmp_path / "halved", steps=12, **decay)
    train_config(finished, draw=ellipsoid, resume=True)
    (expected, made), (found, resumed) = weights(straight), weights(finished)
    assert made["steps"] == resumed["steps"] == 12
    for name in expected:
        assert torch.allclose(expected[name], found[name], atol=1e-5), name


def test_the_last_checkpoint_is_the_last_one_also_where_an_earlier_one_was_better(tmp_path):
    # weights that hardly move: no validation after the first is better
    stuck = config(tmp_path, steps=12, optimiser={"learning_rate": 1e-12})
    train_config(stuck, draw=ellipsoid)
    assert weights(stuck)[1]["steps"] == 12
    best = torch.load(tmp_path / "checkpoints" / "best.ckpt", weights_only=True)
    assert best["global_step"] == 4


def test_one_case_can_be_learnt_by_heart(tmp_path):
    learning = config(
        tmp_path,
        steps=120,
        validate_every=120,
        data={"batch_size": 1, "fresh_per_batch": 1, "augment": False},
        optimiser={"learning_rate": 5e-3, "ema_decay": 0.5, "warmup_steps": 5},
    )
    train_config(learning, draw=lambda _: ellipsoid(0))
    line = (tmp_path / "csv" / "version_0" / "metrics.csv").read_text(encoding="utf-8").splitlines()
    column = line[0].split(",").index("validation_mre_mm")
    figures = [float(row.split(",")[column]) for row in line[1:] if row.split(",")[column]]
    assert figures[-1] < 3.0


@pytest.mark.parametrize("method", ["direct", "heatmap", "dsnt", "variance", "distance"])
def test_each_method_of_the_paper_trains(tmp_path, method):
    trained = config(tmp_path, steps=4, method=method)
    last = train_config(trained, draw=ellipsoid)
    state, made = weights(trained)
    assert last.is_file()
    assert made["steps"] == 4
    assert all(torch.isfinite(value).all() for value in state.values())


def test_a_loss_that_is_not_a_number_stops_the_training_with_the_remedy(tmp_path):
    def poisoned(seed):
        case = ellipsoid(seed)
        return replace(case, gland=case.gland * float("nan"))

    with pytest.raises(InputError, match=r"at step 0: the loss is not a number; lower optimiser"):
        train_config(config(tmp_path, steps=4), draw=poisoned)


def test_resuming_without_a_checkpoint_is_refused(tmp_path):
    with pytest.raises(InputError, match="no checkpoint to resume from; train without resuming"):
        train_config(config(tmp_path, steps=4), draw=ellipsoid, resume=True)


def test_training_stops_when_it_no_longer_improves(tmp_path):
    stopping = {"max_steps": 400, "patience": 1}
    stuck = config(tmp_path, steps=1, stopping=stopping, optimiser={"learning_rate": 1e-12})
    train_config(stuck, draw=ellipsoid)
    assert weights(stuck)[1]["steps"] < 40


def test_weights_of_another_network_are_no_start(tmp_path):
    wider = LandmarkNetwork(UNetConfig(channels=(16, 16, 32), grid=(32, 32, 32)))
    save_file(dict(wider.state_dict()), tmp_path / "wider.safetensors")
    started = config(tmp_path / "run", steps=4, warm_start=tmp_path / "wider.safetensors")
    with pytest.raises(InputError, match=r"of another network .*channels 16, 16, 16"):
        train_config(started, draw=ellipsoid)
