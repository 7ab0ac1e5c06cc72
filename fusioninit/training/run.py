"""`train`, readable from top to bottom; `evaluate` lies in `evaluation` and is offered here too."""

from __future__ import annotations

import logging
from pathlib import Path

import lightning
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from torch.utils.data import DataLoader

from fusioninit.detection.looks import reduced_precision
from fusioninit.detection.weights import load_tensors
from fusioninit.errors import InputError
from fusioninit.geometry import Space
from fusioninit.training.config import CHECKPOINTS, LAST, TrainingConfig, read_config
from fusioninit.training.data import (
    VALIDATION_SEED,
    Draw,
    FixedCases,
    ReplayedBatches,
    StepSampler,
)
from fusioninit.training.datasets.source import case_source, validation_count
from fusioninit.training.evaluation import evaluate
from fusioninit.training.export import deliver
from fusioninit.training.module import DetectorModule

_log = logging.getLogger(__name__)

__all__ = ["evaluate", "train", "train_config"]


def train(config_path: str | Path, *, resume: bool = False) -> Path:
    """Train as the TOML file says; return the last checkpoint.

    At the end the output folder also holds the weights, calibrated, with their card.

    Raises
    ------
    InputError
        The configuration or a data set is wrong, there is nothing to resume, or the loss became
        NaN.
    """
    config = read_config(config_path)
    draw = case_source(config)
    last = train_config(config, resume=resume, draw=draw)
    if config.export is not None and _is_first_process():
        _log.info("fitting covariances and measuring")
        deliver(config, draw)
    return last


def train_config(config: TrainingConfig, *, resume: bool = False, draw: Draw | None = None) -> Path:
    """Train; `draw` replaces the configured source of cases."""
    last = config.output / CHECKPOINTS / LAST
    if resume and not last.is_file():
        raise InputError(f"{last}: there is no checkpoint to resume from; train without resuming")
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    lightning.seed_everything(config.seed, workers=True, verbose=False)
    config.output.mkdir(parents=True, exist_ok=True)
    config.save(config.output / "config.json")
    module = DetectorModule(config).to(memory_format=torch.channels_last_3d)
    if config.warm_start is not None and not resume:
        module.load_start(load_tensors(config.warm_start))
    trainer = _trainer(config)
    trainer.fit(
        module,
        *_loaders(config, draw or case_source(config), trainer),
        ckpt_path=last if resume else None,
        weights_only=True if resume else None,
    )
    return last


def _is_first_process() -> bool:
    """Whether this process speaks for all of a distributed training."""
    distributed = torch.distributed.is_available() and torch.distributed.is_initialized()
    return not distributed or torch.distributed.get_rank() == 0


def precision(config: TrainingConfig) -> str:
    """Lightning's precision: bfloat16 where the processor or GPU is fast at it, else float32."""
    on_gpu = config.accelerator != "cpu" and torch.cuda.is_available()
    fast = reduced_precision("cuda" if on_gpu else "cpu")
    return "bf16-mixed" if config.precision == "auto" and fast else "32-true"


def _trainer(config: TrainingConfig) -> lightning.Trainer:
    several = config.devices * config.nodes > 1
    epochs = -(-config.stopping.max_steps // config.validate_every)
    return lightning.Trainer(
        accelerator=config.accelerator,
        devices=config.devices,
        num_nodes=config.nodes,
        # some methods leave a head unused, which plain DDP refuses
        strategy="ddp_find_unused_parameters_true" if several else "auto",
        precision=precision(config),  # type: ignore[arg-type]
        # the module stops at max_steps: told of it, Lightning resumes into an epoch without batches
        max_epochs=epochs,
        callbacks=_callbacks(config),
        logger=[
            CSVLogger(config.output, name="csv"),
            TensorBoardLogger(config.output, name="tensorboard"),
        ],
        log_every_n_steps=config.validate_every,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
        enable_model_summary=False,
    )


def _callbacks(config: TrainingConfig) -> list[Callback]:
    callbacks: list[Callback] = [
        ModelCheckpoint(
            config.output / CHECKPOINTS,
            filename="best",
            monitor="validation_mre_mm",
            save_on_train_epoch_end=True,
            enable_version_counter=False,
        ),
        # not the other's `save_last`, which is written only when a new best is
        ModelCheckpoint(
            config.output / CHECKPOINTS,
            filename=Path(LAST).stem,
            save_on_train_epoch_end=True,
            enable_version_counter=False,
        ),
    ]
    if config.stopping.patience is not None:
        callbacks.append(EarlyStopping("validation_mre_mm", patience=config.stopping.patience))
    return callbacks


def _loaders(
    config: TrainingConfig, draw: Draw, trainer: lightning.Trainer
) -> tuple[DataLoader, DataLoader]:
    half_extent_mm = config.input_grid.half_extent_mm
    training = ReplayedBatches(
        draw,
        config.data,
        half_extent_mm=half_extent_mm,
        seed=config.seed,
        inverting=config.modality is Space.MR,
    )
    sampler = StepSampler(
        config.validate_every, rank=trainer.global_rank, world_size=trainer.world_size
    )
    validation = FixedCases(
        draw,
        first_seed=VALIDATION_SEED,
        count=validation_count(config, draw),
        half_extent_mm=half_extent_mm,
    )
    workers = config.data.workers
    return (
        DataLoader(
            training,
            batch_size=None,
            sampler=sampler,
            num_workers=workers,
            persistent_workers=workers > 0,
        ),
        DataLoader(validation, batch_size=None),
    )
