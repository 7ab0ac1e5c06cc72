import csv
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from cases import ellipsoid
from safetensors.torch import load_file, save_file

from fusioninit.detection.dsnt import covariance, flat_softmax
from fusioninit.detection.looks import Look, merged
from fusioninit.detection.normalise import InputGrid
from fusioninit.detection.predict import calibrated
from fusioninit.detection.unet import LandmarkNetwork, UNetConfig
from fusioninit.detection.weights import Calibration, ModelCard, load_model
from fusioninit.errors import InputError
from fusioninit.geometry import Space
from fusioninit.landmarks import ALL_NAMES, REQUIRED_NAMES, ErrorCorrelation
from fusioninit.training.calibrate import fit_calibration
from fusioninit.training.config import TrainingConfig
from fusioninit.training.evaluation import evaluate_config
from fusioninit.training.export import averaged_network, export, summary
from fusioninit.training.measure import CHI2_68, CHI2_95, Measurements, mahalanobis2, measure
from fusioninit.training.run import train_config


def simulated(count, scale, floor_mm2, seed=0):
    """Answers whose errors have exactly the covariance scale * spread + floor."""
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(count, 5, 3, 3)) * rng.uniform(0.3, 3, (count, 5, 1, 1))
    spread = root @ root.swapaxes(-1, -2)
    covariances = scale * spread + floor_mm2 * np.eye(3)
    difference = np.linalg.cholesky(covariances) @ rng.normal(size=(count, 5, 3, 1))
    kept = np.ones((count, 5), dtype=bool)
    zeros = np.zeros((count, 5, 3))
    return Measurements(difference[..., 0], spread, kept, kept, np.ones(count), zeros, zeros)


def test_squared_mahalanobis_distance_is_hand_computed():
    found = mahalanobis2(np.array([[[2.0, 3.0, 0.0]]]), np.diag([4.0, 9.0, 1.0])[None, None])
    assert found == pytest.approx(np.array([[2.0]]))


def test_calibration_covers_what_it_claims_on_cases_it_was_not_fitted_on():
    calibration = fit_calibration(simulated(400, scale=2.0, floor_mm2=4.0))
    fresh = simulated(400, scale=2.0, floor_mm2=4.0, seed=1)
    covariances = np.stack([calibrated(spread, calibration) for spread in fresh.spread_mm2])
    distance2 = mahalanobis2(fresh.difference_mm, covariances)
    assert (distance2 <= CHI2_95).mean() == pytest.approx(0.95, abs=0.02)
    assert (distance2 <= CHI2_68).mean() == pytest.approx(0.68, abs=0.05)


def test_errors_that_hang_together_are_found_to_do_so_and_others_are_not():
    measured = simulated(400, scale=1.0, floor_mm2=4.0)
    covariances = calibrated(measured.spread_mm2, Calibration((1.0,) * 5, (4.0,) * 5))
    root, random = np.linalg.cholesky(covariances), np.random.default_rng(4)
    # half of the variance along the first axis is common to all five, nothing else is
    white = random.normal(size=(400, 5, 3))
    white[..., 0] = np.sqrt(0.5) * (white[..., 0] + random.normal(size=(400, 1)))
    error = (root @ white[..., None])[..., 0]
    rows = fit_calibration(replace(measured, difference_mm=error)).correlation
    found = ErrorCorrelation.from_rows(ALL_NAMES[:5], rows).matrix
    along = found[::3, ::3][~np.eye(5, dtype=bool)]
    assert along == pytest.approx(0.5, abs=0.12)
    assert np.abs(found[1::3, ::3]).max() < 0.2


def test_one_gland_that_was_missed_says_little_of_how_errors_hang_together():
    measured = simulated(100, scale=1.0, floor_mm2=4.0)
    measured.difference_mm[0] = [40.0, 30.0, -50.0]
    found = ErrorCorrelation.from_rows(ALL_NAMES[:5], fit_calibration(measured).correlation)
    assert np.abs(found.matrix - np.eye(15)).max() < 0.2


def test_too_few_whole_cases_say_nothing_of_how_errors_hang_together():
    measured = simulated(60, scale=1.0, floor_mm2=1.0)
    for number in range(5):
        measured.inside[12 * number : 12 * number + 9, number] = False
    assert fit_calibration(measured).correlation == ()


def test_calibration_refuses_a_handful_of_cases():
    with pytest.raises(ValueError, match="calibration needs 20 cases, found 7"):
        fit_calibration(simulated(7, 1.0, 1.0))


class Oracle:
    """Answers the truth of `ellipsoid` plus a known offset."""

    def __init__(self, card, offset_mm):
        self.card, self._offset_mm, self._seed = card, np.array(offset_mm), 40

    def examine(self, volume):
        truth = ellipsoid(self._seed)
        self._seed += 1
        spread = np.tile(np.eye(3), (len(truth.landmarks_mm), 1, 1))
        at_mm = truth.landmarks_mm.double().numpy() + self._offset_mm
        apart = np.zeros(len(at_mm))
        return Look(at_mm, spread, 2 * truth.gland - 1, volume.grid, apart)


def test_a_known_offset_is_measured_as_it_is():
    card = ModelCard("x", Space.MR, "", UNetConfig(), InputGrid((32, 32, 32), 2.0))
    measured = measure(Oracle(card, [2.0, -1.0, 2.0]), ellipsoid, first_seed=40, count=6)
    figures = summary(measured, replace(card, calibration=Calibration((1.0,) * 10, (3.0,) * 10)))
    assert figures["mre_mm"] == pytest.approx([3.0, 0.0], abs=0.01)
    assert figures["gland_dice"] == [1.0, 0.0]
    # squared distance 9 / 4 under a variance of 1 + 3
    assert figures["coverage_68"] == figures["coverage_95"] == 1.0


def tiny(output, **changes):
    return TrainingConfig.model_validate(
        {
            "space": "mr",
            "output": output,
            "grid": (32, 32, 32),
            "validate_every": 4,
            "validation_count": 2,
            "accelerator": "cpu",
            "network": {"channels": (16, 16, 16)},
            "data": {"batch_size": 2, "fresh_per_batch": 1},
            "stopping": {"max_steps": 4},
            "evaluation": {"count": 5, "calibration_count": 20},
            **changes,
        }
    )


def test_looks_that_disagree_widen_the_merged_covariance():
    grid = InputGrid((4, 5, 6), 2.0).centred_at(np.zeros(3))
    spread = np.tile(np.eye(3), (5, 1, 1))
    looks = [
        Look(np.full((5, 3), x) * [1, 0, 0], spread, None, grid, np.zeros(5)) for x in (-2.0, 4.0)
    ]
    one = merged(looks)
    assert one.position_mm == pytest.approx(np.tile([1.0, 0, 0], (5, 1)))
    assert one.spread_mm2[0] == pytest.approx(np.diag([1 + 9.0, 1, 1]))


@pytest.mark.filterwarnings("ignore")
def test_training_exporting_and_evaluating_fit_together(tmp_path):
    config = tiny(tmp_path / "run")
    train_config(config, draw=ellipsoid)
    weights = tmp_path / "net.safetensors"
    card = export(config, weights, calibration_count=20, benchmark_count=3, draw=ellipsoid)
    _, read = load_model(weights)
    assert read == card
    assert card.training["steps"] == 4
    assert card.results["phantom_benchmark"]["cases"] == 3
    folder = evaluate_config(config, command="fusioninit evaluate x.toml", draw=ellipsoid)
    assert json.loads((folder / "summary.json").read_text(encoding="utf-8"))["cases"] == 5
    assert "fusioninit evaluate x.toml" in (folder / "landmarks.md").read_text(encoding="utf-8")
    with (folder / "landmarks.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 50
    assert rows[0]["seed"] == "30000"
    table = (folder / "landmarks.md").read_text(encoding="utf-8")
    mean = np.mean([float(row["error_mm"]) for row in rows if row["landmark"] in REQUIRED_NAMES])
    assert f"| The paper's three | {mean:.2f} |" in table


@pytest.mark.filterwarnings("ignore")
def test_what_is_exported_can_be_the_mean_of_several_weights(tmp_path):
    config = tiny(tmp_path / "run")
    train_config(config, draw=ellipsoid)
    own, _ = averaged_network(config)
    other = LandmarkNetwork(config.unet)
    save_file(dict(other.state_dict()), tmp_path / "other.safetensors")
    both = tiny(tmp_path / "run", export={"average_with": [tmp_path / "other.safetensors"]})
    mean, made = averaged_network(both)
    for name, tensor in mean.state_dict().items():
        expected = (own.state_dict()[name] + other.state_dict()[name]) / 2
        torch.testing.assert_close(tensor, expected)
    assert len(made["mean_with"]) == 1


@pytest.mark.filterwarnings("ignore")
def test_the_averages_of_chosen_steps_are_kept_and_averaged_with_the_end(tmp_path, caplog):
    exact = {"precision": "float32", "threads": 1, "optimiser": {"decay_fraction": 0.0}}
    shorter = tiny(tmp_path / "two", stopping={"max_steps": 2}, **exact)
    train_config(shorter, draw=ellipsoid)
    at_two, _ = averaged_network(shorter)
    alone = tiny(tmp_path / "run", export={"average_at": [2, 90]}, **exact)
    train_config(alone, draw=ellipsoid)
    kept = load_file(tmp_path / "run" / "checkpoints" / "average-000002.safetensors")
    end, _ = averaged_network(tiny(tmp_path / "run"))
    mean, made = averaged_network(alone)
    assert made["steps"] == 4
    assert made["mean_with_steps"] == [2]
    assert "before [90]" in caplog.text
    for name, tensor in mean.state_dict().items():
        torch.testing.assert_close(kept[name], at_two.state_dict()[name], atol=1e-5, rtol=1e-4)
        expected = (end.state_dict()[name] + kept[name]) / 2
        torch.testing.assert_close(tensor, expected)
    (tmp_path / "run" / "checkpoints" / "average-000002.safetensors").unlink()
    with pytest.raises(InputError, match=r"average-000002.safetensors: the weights cannot be read"):
        averaged_network(alone)


@pytest.mark.filterwarnings("ignore")
def test_weights_of_another_network_are_not_averaged(tmp_path):
    config = tiny(tmp_path / "run")
    train_config(config, draw=ellipsoid)
    wider = LandmarkNetwork(UNetConfig(channels=(16, 16, 32), grid=(32, 32, 32)))
    save_file(dict(wider.state_dict()), tmp_path / "wider.safetensors")
    both = tiny(tmp_path / "run", export={"average_with": [tmp_path / "wider.safetensors"]})
    with pytest.raises(InputError, match=r"wider.safetensors: weights of another network"):
        averaged_network(both)


def test_evaluating_before_training_is_refused(tmp_path):
    with pytest.raises(InputError, match="no checkpoint; train first"):
        evaluate_config(tiny(tmp_path), command="", draw=ellipsoid)


def test_a_wider_heatmap_claims_a_larger_covariance():
    logits = torch.randn(1, 1, 6, 7, 8)
    narrow, wide = (covariance(flat_softmax(s * logits))[0, 0] for s in (4.0, 0.5))
    assert wide.trace() > narrow.trace()
