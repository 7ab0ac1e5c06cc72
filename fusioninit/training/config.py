"""One experiment is one frozen configuration, read from TOML and saved beside its results."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator

from fusioninit.detection.normalise import InputGrid
from fusioninit.detection.unet import LANDMARK_COUNTS, UNetConfig
from fusioninit.errors import InputError
from fusioninit.geometry import Space
from fusioninit.landmarks import ALL_NAMES
from fusioninit.training.datasets.sections import DatasetsSection
from fusioninit.training.sections import Section

SPACING_MM = {Space.MR: 2.0, Space.US: 1.6}
"""Voxel size of the network's grid: 64 voxels span the paper's fields of view."""

CHECKPOINTS, LAST = "checkpoints", "last.ckpt"
"""Folder and file, in the output folder, that a training resumes from."""

Method = Literal["direct", "heatmap", "dsnt", "variance", "distance", "expected-distance"]
"""The five detectors of the paper's Table 1, and the expected distance as main loss."""


Kind = TypeVar("Kind", bound=BaseModel)


class NetworkSection(Section):
    """The network; see `UNetConfig`."""

    design: Literal["residual", "plain"] = "residual"
    channels: tuple[int, ...] = Field(default=(16, 48, 96, 128), min_length=2, max_length=6)
    landmarks: int = len(ALL_NAMES)
    """How many of `fusioninit.landmarks.ALL_NAMES` it learns: one of `LANDMARK_COUNTS`."""
    gland: bool = True

    @field_validator("landmarks")
    @classmethod
    def _both_sides(cls, count: int) -> int:
        if count not in LANDMARK_COUNTS:
            raise ValueError(f"choose one of {', '.join(map(str, LANDMARK_COUNTS))}")
        return count


class LossSection(Section):
    """Weights of the loss's terms. Lengths are mm, so the distance weight has no unit."""

    distance_weight_start: float = Field(default=0.6, ge=0)
    """Weight of the expected distance at the first step: large early values speed training up."""
    distance_weight: float = Field(default=0.05, ge=0)
    """Its weight after `anneal_steps`. The paper: 5e-3 (MR), 1e-2 (US)."""
    anneal_steps: int = Field(default=2000, ge=1)
    variance_weight: float = Field(default=5e-4, ge=0)
    """The paper: 5e-4 (MR), 2e-3 (US), for mm^2."""
    variance_form: Literal["spread", "target"] = "spread"
    """"spread": sum_j H_j ||v_j - P||^2; "target": sum_d (Var_d - sigma^2)^2."""
    sigma_mm: float = Field(default=4.0, gt=0)
    """Width of heatmap matching's blob and of the "target" variance."""
    gland_weight: float = Field(default=4.0, ge=0)
    invisible_weight: float = Field(default=0.3, ge=0, le=1)
    """Weight of a landmark that lies in the grid but is not seen (outside a sector, shadowed)."""


class OptimiserSection(Section):
    """AdamW, a linear warm-up, and a rate that is constant until it falls to zero at the end."""

    learning_rate: float = Field(default=2e-3, gt=0)
    weight_decay: float = Field(default=1e-2, ge=0)
    warmup_steps: int = Field(default=100, ge=0)
    decay_fraction: float = Field(default=0.4, ge=0, le=1)
    """Last part of the training over which the rate falls along a cosine to zero."""
    gradient_clip: float = Field(default=5.0, gt=0)
    ema_decay: float = Field(default=0.998, ge=0, lt=1)


class DataSection(Section):
    """Where samples come from and how often each is seen."""

    batch_size: int = Field(default=4, ge=1)
    fresh_per_batch: int = Field(default=2, ge=1)
    """New synthetic cases in each batch; the rest are earlier ones, augmented anew."""
    replay_window: int = Field(default=600, ge=1)
    """How many of the latest cases can be seen again."""
    first_seed: int = Field(default=0, ge=0)
    augment: bool = True
    workers: int = Field(default=0, ge=0)


class StoppingSection(Section):
    """When training ends. Progress for the learning rate is the larger of the two fractions."""

    max_steps: int = Field(default=10_000, ge=1)
    max_minutes: float | None = Field(default=None, gt=0)
    """Wall-clock budget over all sittings. Only step budgets are exactly repeatable."""
    patience: int | None = Field(default=None, ge=1)
    """Validations without improvement before an early stop; none: never."""


class ExportSection(Section):
    """What stands at the end of a training: weights ready for use, calibrated, with their card."""

    calibration_count: int = Field(default=300, ge=20)
    """Cases on which the claimed covariances are fitted; none of them is trained on."""
    benchmark_count: int = Field(default=60, ge=1)
    """Other cases whose figures go on the card."""
    average_with: tuple[Path, ...] = ()
    """safetensors weights of the same network; what is exported is the mean of these and the
    training's own."""
    average_at: tuple[Annotated[int, Field(ge=1)], ...] = ()
    """Steps after which the running average is kept, to be averaged with the end's likewise. Means
    of weights that lie on one training's way were measured to transfer better to real scans than
    its end."""


class EvaluationSection(Section):
    """What `fusioninit evaluate` measures."""

    weights: Path | None = None
    """safetensors with a card beside it; none: the last checkpoint's running average."""
    count: int = Field(default=263, ge=1)
    """Cases of the benchmark; 263, as many as the paper's test set."""
    calibration_count: int = Field(default=100, ge=20)
    """Other cases, on which the covariances of a checkpoint are calibrated."""


class TrainingConfig(Section):
    """One experiment."""

    space: Literal["mr", "us"]
    method: Method = "expected-distance"
    output: Path
    """Folder for logs, checkpoints and results."""
    seed: int = Field(default=0, ge=0)
    grid: tuple[int, int, int] = (64, 64, 64)
    warm_start: Path | None = None
    """safetensors weights of the same network to start from."""
    validation_count: int = Field(default=32, ge=1)
    validate_every: int = Field(default=250, ge=1)
    """Steps between validations, checkpoints and log lines; an epoch for Lightning."""
    accelerator: Literal["auto", "cpu", "gpu"] = "auto"
    precision: Literal["auto", "float32"] = "auto"
    """"auto": bfloat16 where the processor or GPU is fast at it; float32 repeats exactly."""
    devices: int = Field(default=1, ge=1)
    nodes: int = Field(default=1, ge=1)
    threads: int | None = Field(default=None, ge=1)
    network: NetworkSection = NetworkSection()
    loss: LossSection = LossSection()
    optimiser: OptimiserSection = OptimiserSection()
    data: DataSection = DataSection()
    datasets: DatasetsSection = DatasetsSection()
    stopping: StoppingSection = StoppingSection()
    export: ExportSection | None = ExportSection()
    """Only a training's own result folder holds what it writes; none: checkpoints alone."""
    evaluation: EvaluationSection = EvaluationSection()

    @model_validator(mode="after")
    def _consistent(self) -> TrainingConfig:
        if self.data.fresh_per_batch > self.data.batch_size:
            raise ValueError("data.fresh_per_batch cannot exceed data.batch_size")
        return self

    @property
    def modality(self) -> Space:
        """The space as a value."""
        return Space(self.space)

    @property
    def input_grid(self) -> InputGrid:
        """The network's grid."""
        return InputGrid(self.grid, SPACING_MM[self.modality])

    @property
    def unet(self) -> UNetConfig:
        """The network's shape."""
        return UNetConfig(
            design=self.network.design,
            head="direct" if self.method == "direct" else "heatmap",
            channels=self.network.channels,
            landmarks=self.network.landmarks,
            gland=self.network.gland,
            grid=self.grid,
        )

    def average_path(self, step: int) -> Path:
        """Where the running average after `step` steps is kept, if it is."""
        return self.output / CHECKPOINTS / f"average-{step:06d}.safetensors"

    def save(self, path: Path) -> None:
        """Write as JSON, all defaults spelt out."""
        path.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")


def read_config(path: str | Path) -> TrainingConfig:
    """Read and check a TOML file; relative paths in it are relative to its folder.

    Raises
    ------
    InputError
        One sentence: the file, the key, what is allowed, what was found.
    """
    path = Path(path)
    return _with_absolute_paths(read_toml(path, TrainingConfig), path.resolve().parent)


def read_toml(path: Path, kind: type[Kind]) -> Kind:
    """The table of a TOML file as a checked value of `kind`; InputError as in `read_config`."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: the configuration cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path.name}: not valid TOML: {error}") from error
    try:
        return kind.model_validate(table)
    except ValidationError as error:
        raise InputError(f"{path.name}: {_first_sentence(error, kind)}") from error


def _first_sentence(error: ValidationError, kind: type[BaseModel]) -> str:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"]) or "the file"
    if first["type"] == "extra_forbidden":
        return f"unknown key '{key}'; known ones: {', '.join(_siblings(first['loc'], kind))}"
    if first["type"] == "missing":
        return f"the key '{key}' is missing"
    message = first["msg"].removeprefix("Value error, ")
    if key == "the file":
        return message
    return f"{key}: {message[0].lower()}{message[1:]}, found {first['input']!r}"


def _siblings(location: tuple[Any, ...], kind: type[BaseModel]) -> list[str]:
    """Keys known where an unknown one was found; tables in a list count as the list's table."""
    section = kind
    for part in location[:-1]:
        if isinstance(part, int):
            continue
        annotation = section.model_fields[str(part)].annotation
        for inner in (annotation, *get_args(annotation)):
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                section = inner
    return list(section.model_fields)


def _with_absolute_paths(config: TrainingConfig, folder: Path) -> TrainingConfig:
    evaluation = config.evaluation
    if evaluation.weights is not None:
        evaluation = evaluation.model_copy(update={"weights": folder / evaluation.weights})
    changes: dict[str, Any] = {
        "output": folder / config.output,
        "evaluation": evaluation,
        "datasets": config.datasets.relative_to(folder),
    }
    if config.warm_start is not None:
        changes["warm_start"] = folder / config.warm_start
    if config.export is not None:
        others = tuple(folder / path for path in config.export.average_with)
        changes["export"] = config.export.model_copy(update={"average_with": others})
    return config.model_copy(update=changes)
