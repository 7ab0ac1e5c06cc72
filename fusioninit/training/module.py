"""The training as Lightning sees it: losses of the five methods, running average, validation."""

from __future__ import annotations

import copy
import math
import time
from typing import Any

import lightning
import torch
from safetensors.torch import save_file
from torch import Tensor

from fusioninit.detection.dsnt import expectation, flat_softmax, mode
from fusioninit.detection.losses import (
    euclidean_losses,
    expected_distance_losses,
    gland_losses,
    heatmap_matching_losses,
    masked_mean,
    spread_losses,
    variance_losses,
)
from fusioninit.detection.unet import LandmarkNetwork, NetworkOutput
from fusioninit.errors import InputError
from fusioninit.landmarks import ALL_NAMES
from fusioninit.training.config import LossSection, TrainingConfig
from fusioninit.training.data import Batch
from fusioninit.training.warm_start import with_more_landmarks

HEATMAP_MATCHING_SCALE = 0.02
"""Brings the summed squares of heatmap matching to the size of the other losses."""

PER_LANDMARK = frozenset({"landmarks_mm", "visible", "inside", "landmark_weight"})
"""Parts of a batch whose second axis are landmarks."""

MAX_SKIPPED = 10
"""Steps in a row with a gradient that is not finite before training stops."""


def position_mm(output: NetworkOutput, method: str, half_extent_mm: Tensor) -> Tensor:
    """(B, L, 3) x y z in mm from the grid's centre: where a method says the landmarks are."""
    if output.position_norm is not None:
        return output.position_norm * half_extent_mm
    assert output.heatmap_logits is not None
    if method == "heatmap":
        return mode(output.heatmap_logits) * half_extent_mm
    return expectation(flat_softmax(output.heatmap_logits)) * half_extent_mm


def landmark_losses(
    output: NetworkOutput,
    target_mm: Tensor,
    half_extent_mm: Tensor,
    *,
    method: str,
    section: LossSection,
    step: int,
) -> Tensor:
    """(B, L) losses of one of the methods of Table 1."""
    if method == "direct":
        return euclidean_losses(position_mm(output, method, half_extent_mm), target_mm)
    assert output.heatmap_logits is not None
    if method == "heatmap":
        raw = output.heatmap_logits
        matched = heatmap_matching_losses(raw, target_mm, half_extent_mm, section.sigma_mm)
        return HEATMAP_MATCHING_SCALE * matched
    probability = flat_softmax(output.heatmap_logits)
    losses = euclidean_losses(expectation(probability) * half_extent_mm, target_mm)
    if method == "variance" and section.variance_form == "spread":
        return losses + section.variance_weight * spread_losses(probability, half_extent_mm)
    if method == "variance":
        spread = variance_losses(probability, half_extent_mm, section.sigma_mm)
        return losses + section.variance_weight * spread
    if method in ("distance", "expected-distance"):
        weight = distance_weight(section, step) if method == "expected-distance" else None
        weight = section.distance_weight if weight is None else weight
        distances = expected_distance_losses(probability, target_mm, half_extent_mm)
        return losses + weight * distances
    return losses


def distance_weight(section: LossSection, step: int) -> float:
    """Weight of the expected distance, falling linearly to its final value."""
    left = max(0.0, 1 - step / section.anneal_steps)
    return section.distance_weight + left * (
        section.distance_weight_start - section.distance_weight
    )


def rate_factor(progress: float, step: int, *, warmup_steps: int, decay_fraction: float) -> float:
    """Learning rate relative to its peak: warm-up, plateau, cosine to zero at progress 1."""
    warm = min(1.0, (step + 1) / warmup_steps) if warmup_steps else 1.0
    if decay_fraction == 0:
        return warm
    decaying = (progress - (1 - decay_fraction)) / decay_fraction
    return warm * 0.5 * (1 + math.cos(math.pi * min(1.0, max(0.0, decaying))))


class DetectorModule(lightning.LightningModule):
    """A landmark network being trained. `average` is the running mean of its weights."""

    half_extent_mm: Tensor
    trained_seconds: Tensor

    def __init__(self, config: TrainingConfig) -> None:
        super().__init__()
        self.config = config
        self.network = LandmarkNetwork(config.unet)
        self.average = copy.deepcopy(self.network).requires_grad_(False)
        self.register_buffer("half_extent_mm", torch.tensor(config.input_grid.half_extent_mm))
        self.register_buffer("trained_seconds", torch.zeros((), dtype=torch.float64))
        self._last_time = time.monotonic()
        self._kept_steps = frozenset(config.export.average_at if config.export else ())
        self._skipped = 0
        self._errors: list[Tensor] = []
        self._dice: list[Tensor] = []

    @property
    def progress(self) -> float:
        """0 at the start, 1 when the budget of steps or minutes is used up."""
        stopping = self.config.stopping
        done = self.global_step / stopping.max_steps
        if stopping.max_minutes is not None:
            done = max(done, float(self.trained_seconds) / 60 / stopping.max_minutes)
        return min(1.0, done)

    def load_start(self, weights: dict[str, Tensor]) -> None:
        """Begin from these weights, also of a network that found fewer landmarks.

        Raises
        ------
        InputError
            They are of another network.
        """
        weights = with_more_landmarks(weights, self.network)
        wanted = {name: tensor.shape for name, tensor in self.network.state_dict().items()}
        if {name: tensor.shape for name, tensor in weights.items()} != wanted:
            channels = ", ".join(map(str, self.config.network.channels))
            raise InputError(
                f"warm_start: the weights are of another network than the configuration's "
                f"(channels {channels}); state network.channels and method as the card beside the "
                "weights does"
            )
        self.network.load_state_dict(weights)
        self.average.load_state_dict(weights)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        section = self.config.optimiser
        return torch.optim.AdamW(
            self.network.parameters(), lr=section.learning_rate, weight_decay=section.weight_decay
        )

    def on_train_start(self) -> None:
        self._last_time = time.monotonic()

    def training_step(self, batch: Batch, _: int) -> Tensor:
        section = self.config.loss
        batch = self._asked(batch)
        output = self.network(_image(batch))
        losses = landmark_losses(
            output,
            batch["landmarks_mm"],
            self.half_extent_mm,
            method=self.config.method,
            section=section,
            step=self.global_step,
        )
        visible = batch["visible"].float()
        weight = batch["inside"] * (visible + section.invisible_weight * (1 - visible))
        if "landmark_weight" in batch:
            # not in the mean's denominator: an uncertain case pulls less whatever its company
            losses = losses * batch["landmark_weight"]
        loss = masked_mean(losses, weight)
        self.log("train_landmarks", loss.detach(), on_step=False, on_epoch=True)
        if output.gland_logit is not None:
            gland = _mean_gland_loss(output.gland_logit, batch)
            self.log("train_gland", gland.detach(), on_step=False, on_epoch=True)
            loss = loss + section.gland_weight * gland
        if not torch.isfinite(loss):
            raise InputError(
                f"training stopped at step {self.global_step}: the loss is not a number; lower "
                f"optimiser.learning_rate (now {self.config.optimiser.learning_rate:g}) and "
                "resume from the last checkpoint"
            )
        return loss

    def configure_gradient_clipping(
        self,
        optimizer: torch.optim.Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clip the gradient's norm; a gradient that is not finite is skipped, many end training."""
        parameters = list(self.network.parameters())
        norm = torch.nn.utils.clip_grad_norm_(parameters, self.config.optimiser.gradient_clip)
        if torch.isfinite(norm):
            self._skipped = 0
            return
        self._skipped += 1
        if self._skipped > MAX_SKIPPED:
            raise InputError(
                f"training stopped at step {self.global_step}: the gradient is not finite in "
                f"{self._skipped} steps in a row; lower optimiser.learning_rate and resume"
            )
        for parameter in parameters:
            parameter.grad = None

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        section = self.config.optimiser
        factor = rate_factor(
            self.progress,
            self.global_step,
            warmup_steps=section.warmup_steps,
            decay_fraction=section.decay_fraction,
        )
        for group in optimizer.param_groups:
            group["lr"] = section.learning_rate * factor

    def on_train_batch_end(self, *_: Any) -> None:
        # a shorter memory at first: the average must forget the random start
        decay = min(
            self.config.optimiser.ema_decay, (1 + self.global_step) / (10 + self.global_step)
        )
        with torch.no_grad():
            pairs = zip(self.average.parameters(), self.network.parameters(), strict=True)
            for mean, value in pairs:
                mean.lerp_(value, 1 - decay)
        if self.global_step in self._kept_steps and self.trainer.is_global_zero:
            self._keep_average()
        now = time.monotonic()
        self.trained_seconds += now - self._last_time
        self._last_time = now
        done = self.progress >= 1
        if self.trainer.world_size > 1:
            # clocks differ between processes; all must stop after the same step
            done = self.trainer.strategy.reduce_boolean_decision(done, all=False)
        if done:
            self.trainer.should_stop = True

    def _keep_average(self) -> None:
        path = self.config.average_path(self.global_step)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".part")
        save_file(
            {k: v.cpu().contiguous() for k, v in self.average.state_dict().items()}, temporary
        )
        temporary.replace(path)

    def _asked(self, batch: Batch) -> Batch:
        """The batch with only the landmarks that this network learns."""
        count = self.config.network.landmarks
        return {k: v[:, :count] if k in PER_LANDMARK else v for k, v in batch.items()}

    def on_validation_start(self) -> None:
        self._errors, self._dice = [], []

    def validation_step(self, batch: Batch, _: int) -> None:
        batch = self._asked(batch)
        output = self.average(_image(batch))
        found = position_mm(output, self.config.method, self.half_extent_mm)
        error = (found - batch["landmarks_mm"]).norm(dim=-1)
        self._errors.append(torch.where(batch["inside"], error, torch.nan).float())
        outlined = "gland_weight" not in batch or bool((batch["gland_weight"] > 0).all())
        if output.gland_logit is not None and outlined:
            self._dice.append(dice(output.gland_logit > 0, batch["gland"] > 0.5))

    def on_validation_epoch_end(self) -> None:
        errors = torch.cat(self._errors)
        self.log("validation_mre_mm", errors[:, :3].nanmean(), prog_bar=True, sync_dist=True)
        for name, mean in zip(ALL_NAMES, errors.nanmean(0), strict=False):
            self.log(f"validation_{name}_mm", mean, sync_dist=True)
        if self._dice:
            self.log("validation_dice", torch.cat(self._dice).mean(), prog_bar=True, sync_dist=True)
        self.log("trained_minutes", (self.trained_seconds / 60).float())
        self.log("steps_done", float(self.global_step))
        # validation is not training: leave it out of the budget of minutes
        self._last_time = time.monotonic()


def dice(found: Tensor, truth: Tensor) -> Tensor:
    """Dice of each sample, (B, D, H, W) bool twice to (B,); 1 where both are empty."""
    both = (found & truth).sum((1, 2, 3)).float()
    total = found.sum((1, 2, 3)) + truth.sum((1, 2, 3))
    return torch.where(total > 0, 2 * both / total.clamp_min(1), torch.ones_like(both))


def _mean_gland_loss(logit: Tensor, batch: Batch) -> Tensor:
    """Mean over the samples whose gland somebody outlined."""
    losses = gland_losses(logit, batch["gland"])
    if "gland_weight" not in batch:
        return losses.mean()
    return masked_mean(losses, batch["gland_weight"])


def _image(batch: Batch) -> Tensor:
    return batch["image"].to(memory_format=torch.channels_last_3d)
