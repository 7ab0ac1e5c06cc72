"""From a checkpoint to what is shipped: safetensors, and a card with calibration and figures."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fusioninit.detection.predict import LandmarkPredictor, calibrated
from fusioninit.detection.unet import LandmarkNetwork
from fusioninit.detection.weights import LIMITS, ModelCard, card_path, load_tensors, save_weights
from fusioninit.errors import InputError
from fusioninit.training.calibrate import MIN_CASES, TooFewCasesError, fit_calibration
from fusioninit.training.config import CHECKPOINTS, LAST, ExportSection, TrainingConfig
from fusioninit.training.data import (
    BENCHMARK_SEED,
    CALIBRATION_SEED,
    TRAINING_SEED,
    Draw,
    phantom_source,
)
from fusioninit.training.datasets.source import MixedSource
from fusioninit.training.measure import CHI2_68, CHI2_95, Measurements, mahalanobis2, measure

_log = logging.getLogger(__name__)

NOT_ON_A_CARD: Any = {
    "output": True,
    "warm_start": True,
    "evaluation": True,
    "export": True,
    "datasets": {"sets", "cache"},
}
"""Parts of a configuration that name files of the machine it ran on."""


OWN_LIMITS = (
    "Trained on cases from files by whoever made these weights. Research use only: not a medical "
    "device, not for clinical decisions."
)
"""What a card says of weights that saw more than the phantom."""


def averaged_network(config: TrainingConfig) -> tuple[LandmarkNetwork, dict]:
    """The running average of the last checkpoint's weights, and its steps and minutes.

    Where the configuration names other weights or steps to average with, the mean of all; steps
    that were not reached are left out.

    Raises
    ------
    InputError
        No checkpoint there, or other weights are of another network or missing.
    """
    checkpoint = config.output / CHECKPOINTS / LAST
    if not checkpoint.is_file():
        raise InputError(f"{checkpoint}: no checkpoint; train first")
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    prefix = "average."
    weights = {
        key.removeprefix(prefix): value
        for key, value in state["state_dict"].items()
        if key.startswith(prefix)
    }
    section = config.export or ExportSection()
    steps = int(state["global_step"])
    kept = {step: config.average_path(step) for step in section.average_at if step <= steps}
    missing = [step for step in section.average_at if step not in kept]
    if missing:
        _log.warning("export.average_at: training ended at step %d, before %s", steps, missing)
    weights = mean_weights(weights, [*kept.values(), *section.average_with])
    network = LandmarkNetwork(config.unet)
    network.load_state_dict(weights)
    minutes = float(state["state_dict"]["trained_seconds"]) / 60
    made: dict[str, Any] = {
        "steps": steps,
        "minutes": round(minutes, 1),
    }
    if kept:
        made["mean_with_steps"] = list(kept)
    if section.average_with:
        made["mean_with"] = [
            hashlib.sha256(path.read_bytes()).hexdigest() for path in section.average_with
        ]
    return network.eval(), made


def mean_weights(weights: dict[str, Tensor], others: Sequence[Path]) -> dict[str, Tensor]:
    """The mean of `weights` and those of other safetensors files, tensor by tensor.

    Raises
    ------
    InputError
        A file cannot be read or holds another network.
    """
    count = 1 + len(others)
    total = {name: tensor / count for name, tensor in weights.items()}
    for path in others:
        more = load_tensors(path)
        if {k: t.shape for k, t in more.items()} != {k: t.shape for k, t in weights.items()}:
            raise InputError(
                f"{path.name}: weights of another network; only equal networks can be averaged"
            )
        for name, tensor in more.items():
            total[name] = total[name] + tensor / count
    return total


def deliver(config: TrainingConfig, draw: Draw) -> Path:
    """Leave the trained weights in the output folder, ready for `--weights`, with their card.

    Covariances are fitted on cases that were not trained on: half of the user's validation cases
    where there are enough (the other half gives the card's figures), else synthetic ones.
    """
    section = config.export or ExportSection()
    weights = config.output / f"landmarks-{config.space}.safetensors"
    if isinstance(draw, MixedSource) and len(draw.validation) // 2 >= MIN_CASES:
        half = len(draw.validation) // 2
        notes = {
            "measured_on": "validation cases from files, one half after calibrating on the other"
        }
        try:
            export(
                config,
                weights,
                calibration_count=half,
                benchmark_count=half,
                draw=draw.held_out,
                notes=notes,
            )
            return weights
        except TooFewCasesError as error:
            _log.warning("%s; calibrating on synthetic cases instead", error)
    export(
        config,
        weights,
        calibration_count=section.calibration_count,
        benchmark_count=section.benchmark_count,
        notes={"measured_on": "synthetic cases"},
    )
    return weights


def export(
    config: TrainingConfig,
    weights: Path,
    *,
    calibration_count: int = 300,
    benchmark_count: int = 100,
    draw: Draw | None = None,
    notes: dict[str, Any] | None = None,
) -> ModelCard:
    """Write `weights` and the card beside it; calibrate and measure on cases never trained on."""
    draw = draw or phantom_source(config)
    network, made = averaged_network(config)
    sha256 = save_weights(network, weights)
    card = ModelCard(
        name=f"{weights.stem} ({made['steps']} steps)",
        space=config.modality,
        sha256=sha256,
        network=config.unet,
        input_grid=config.input_grid,
        method=config.method,
        limits=OWN_LIMITS if config.datasets.sets else LIMITS,
        training={
            **made,
            "data": data_statement(config),
            "command": "fusioninit train CONFIG.toml, with the configuration below",
            "configuration": json.loads(config.model_dump_json(exclude=NOT_ON_A_CARD)),
            "first_training_seed": TRAINING_SEED + config.data.first_seed,
            **(notes or {}),
        },
    )
    predictor = LandmarkPredictor(network, card, device="cpu")
    fitted = measure(predictor, draw, first_seed=CALIBRATION_SEED, count=calibration_count)
    card = replace(card, calibration=fit_calibration(fitted))
    benchmark = measure(predictor, draw, first_seed=BENCHMARK_SEED, count=benchmark_count)
    results = {
        "command": "fusioninit evaluate CONFIG.toml",
        "calibration_cases": calibration_count,
        "phantom_benchmark": summary(benchmark, card),
    }
    card = replace(card, results=results)
    card_path(weights).write_text(card.to_json(), encoding="utf-8")
    return card


def data_statement(config: TrainingConfig) -> str:
    """What the weights were trained on, for the card."""
    synthetic = "synthetic pelvises drawn during training (fusioninit.phantom)"
    section = config.datasets
    if not section.sets:
        return synthetic
    kinds = ", ".join(one.kind for one in section.sets)
    share = f"{section.phantom_fraction:.0%}"
    return f"cases from files ({kinds}); {share} of new cases {synthetic}"


def summary(measured: Measurements, card: ModelCard) -> dict[str, Any]:
    """MRE per landmark and over the paper's three, gland Dice, coverage of the covariances."""
    error = measured.error_mm
    covariances = calibrated_all(measured, card)
    distance2 = mahalanobis2(measured.difference_mm, covariances)[measured.inside]
    three = error[:, :3]
    return {
        "cases": len(error),
        "mre_mm": _mean_sd(three),
        "median_mm": round(float(np.nanmedian(three)), 2),
        "visible_mre_mm": _mean_sd(np.where(measured.visible[:, :3], three, np.nan)),
        "mre_mm_by_landmark": {n: _mean_sd(error[:, k]) for k, n in enumerate(card.landmark_names)},
        "gland_dice": _mean_sd(measured.dice),
        "coverage_68": round(float((distance2 <= CHI2_68).mean()), 3),
        "coverage_95": round(float((distance2 <= CHI2_95).mean()), 3),
    }


def calibrated_all(measured: Measurements, card: ModelCard) -> np.ndarray:
    """(N, L, 3, 3) covariances of the errors as the card's calibration claims them."""
    return np.stack([calibrated(spread, card.calibration) for spread in measured.spread_mm2])


def _mean_sd(values: np.ndarray) -> list[float]:
    return [round(float(np.nanmean(values)), 2), round(float(np.nanstd(values)), 2)]
