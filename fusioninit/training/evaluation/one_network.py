"""What one training's network is worth on the seeded synthetic benchmark, as tables and CSV.

Table 1 of the paper is the radial error per landmark; beside it stand the gland's overlap and how
many errors the claimed covariances cover. Files land in `evaluation/` of the output folder.
"""

from __future__ import annotations

import csv
import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from fusioninit.detection.predict import LandmarkPredictor
from fusioninit.detection.weights import ModelCard, load_model
from fusioninit.landmarks import LABELS
from fusioninit.training.calibrate import fit_calibration
from fusioninit.training.config import TrainingConfig
from fusioninit.training.data import BENCHMARK_SEED, CALIBRATION_SEED, Draw, phantom_source
from fusioninit.training.export import averaged_network, calibrated_all, summary
from fusioninit.training.measure import Measurements, mahalanobis2, measure

FOLDER = "evaluation"

_log = logging.getLogger(__name__)


def evaluate_config(config: TrainingConfig, *, command: str, draw: Draw | None = None) -> Path:
    """Measure; `draw` replaces the phantom as the source of cases."""
    draw = draw or phantom_source(config)
    predictor = _predictor(config, draw)
    count = config.evaluation.count
    _log.info("measuring %d cases of the benchmark", count)
    measured = measure(predictor, draw, first_seed=BENCHMARK_SEED, count=count)
    folder = config.output / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    figures = summary(measured, predictor.card)
    figures["command"] = command
    (folder / "summary.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    (folder / "landmarks.md").write_text(landmark_table(figures, predictor.card), encoding="utf-8")
    write_cases(folder / "landmarks.csv", measured, predictor.card)
    return folder


def landmark_table(figures: dict[str, Any], card: ModelCard) -> str:
    """The radial errors, overlap and coverage as Markdown."""
    rows = [
        f"# {card.name} on the synthetic benchmark",
        "",
        f"{figures['cases']} cases, seeds from {BENCHMARK_SEED}. `{figures['command']}`",
        "",
        "| landmark | mean radial error mm | SD mm |",
        "|---|---|---|",
        _row("The paper's three", figures["mre_mm"]),
        _row("the same, those visible", figures["visible_mre_mm"]),
        *(_row(LABELS[name], figures["mre_mm_by_landmark"][name]) for name in card.landmark_names),
        "",
        "| measure | value |",
        "|---|---|",
        f"| median radial error mm | {figures['median_mm']:.2f} |",
        f"| gland Dice | {figures['gland_dice'][0]:.3f} (SD {figures['gland_dice'][1]:.3f}) |",
        f"| errors within the claimed 68 % region | {figures['coverage_68']:.1%} |",
        f"| errors within the claimed 95 % region | {figures['coverage_95']:.1%} |",
        "",
        "Synthetic cases only: says nothing about clinical images.",
        "",
    ]
    return "\n".join(rows)


def write_cases(path: Path, measured: Measurements, card: ModelCard) -> None:
    """One line per case and landmark: error, its parts, and how many SDs it lies off."""
    distance = np.sqrt(mahalanobis2(measured.difference_mm, calibrated_all(measured, card)))
    error = measured.error_mm
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(
            [
                "seed",
                "landmark",
                "error_mm",
                "x_mm",
                "y_mm",
                "z_mm",
                "mahalanobis",
                "visible",
                "gland_dice",
            ]
        )
        for case, number in np.ndindex(error.shape):
            x, y, z = (round(float(v), 3) for v in measured.difference_mm[case, number])
            table.writerow(
                [
                    BENCHMARK_SEED + case,
                    card.landmark_names[number],
                    round(float(error[case, number]), 3),
                    x,
                    y,
                    z,
                    round(float(distance[case, number]), 3),
                    int(measured.visible[case, number]),
                    round(float(measured.dice[case]), 4),
                ]
            )


def _predictor(config: TrainingConfig, draw: Draw) -> LandmarkPredictor:
    """The weights the configuration names, or its own last checkpoint, calibrated on the way."""
    if config.evaluation.weights is not None:
        network, card = load_model(config.evaluation.weights)
        return LandmarkPredictor(network, card)
    network, made = averaged_network(config)
    card = ModelCard(
        name=f"{config.output.name} ({made['steps']} steps)",
        space=config.modality,
        sha256="",
        network=config.unet,
        input_grid=config.input_grid,
        method=config.method,
    )
    predictor = LandmarkPredictor(network, card)
    fitted = measure(
        predictor, draw, first_seed=CALIBRATION_SEED, count=config.evaluation.calibration_count
    )
    return LandmarkPredictor(network, replace(card, calibration=fit_calibration(fitted)))


def _row(label: str, mean_sd: list[float]) -> str:
    return f"| {label} | {mean_sd[0]:.2f} | {mean_sd[1]:.2f} |"
