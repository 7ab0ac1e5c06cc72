"""What a comparison measures: which weights, on which pairs. Read from TOML."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from fusioninit.landmarks import ALL_NAMES
from fusioninit.registration import ESTIMATORS
from fusioninit.training.config import Section, read_toml

BUNDLED = "bundled"
"""Instead of a file: the weights that ship with the program."""

PAIRS_SEED = 40_000
"""Seed of the benchmark's first pair; far from the seeds of training, validation, calibration."""

READERS_DIFFERENCE_MM = 1.7
"""Mean distance between two readers' points on real MR: what "manual" is simulated with."""


class MethodSection(Section):
    """Weights to compare under one name, for one modality or both."""

    name: str = Field(min_length=1)
    mr: str | None = None
    us: str | None = None
    second_mr: str | None = None
    second_us: str | None = None
    """The network that is asked for a second opinion; "bundled" above brings its own."""

    @model_validator(mode="after")
    def _some_weights(self) -> MethodSection:
        if self.mr is None and self.us is None:
            raise ValueError(f"the method '{self.name}' needs weights: set mr, us or both")
        return self


class PhantomSection(Section):
    """The synthetic benchmark; its seeds are fixed."""

    count: int = Field(263, ge=1, le=10_000)
    """263 is the size of the paper's test set; fewer are a quick look and the tables say so."""
    coarsening: int = Field(2, ge=1, le=4)
    """Pixels and US voxels of 0.6 mm times this. The networks resample to 1.6 mm and more."""
    max_minutes: float | None = Field(None, gt=0)
    """Stop after the pair during which this passes; the tables then say how many were measured."""
    first_seed: int = Field(PAIRS_SEED, ge=0)
    """The benchmark's; another one for whatever must not be tuned on the benchmark."""


class PairsSection(Section):
    """A folder in the layout of the mu-RegPro data set, or as `fusioninit phantom` writes it."""

    name: str = Field(min_length=1)
    folder: Path
    """Holds `mr_labels` and `us_labels`, and `mr_images` and `us_images` where detection is on."""
    detect: bool = False
    """Run the networks on the images. The published images are blurred: figures from them say
    nothing about clinical images."""
    count: int | None = Field(None, ge=1)


class ImagesSection(Section):
    """Single images on which to detect; see `datasets.manifest` for the columns."""

    name: str = Field(min_length=1)
    manifest: Path
    landmarks: tuple[str, ...] = ALL_NAMES
    """Which landmarks are scored: leave out those that a mask's rule says nothing useful about."""
    note: str = ""
    """Stands above the tables: where the images come from, what is inferred about them."""

    @field_validator("landmarks")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if not names or set(names) - set(ALL_NAMES):
            raise ValueError(f"choose among {', '.join(ALL_NAMES)}")
        return names


class ComparisonConfig(Section):
    """One comparison, and where its tables go."""

    output: Path
    methods: tuple[MethodSection, ...] = (MethodSection(name="bundled", mr=BUNDLED, us=BUNDLED),)
    baseline: str | None = None
    """Method that * compares with in Table 1: the paper's DSNT without regularisation."""
    variance: str | None = None
    """Method that the dagger compares with: the paper's variance regularisation."""
    register_with: str | None = None
    """Method whose landmarks Tables 2 to 4 use; none: the first that has both modalities."""
    estimators: tuple[str, ...] = ("svd", "translation", "map", "auto")
    observer_difference_mm: float = Field(READERS_DIFFERENCE_MM, ge=0)
    """Mean distance between two observers' points, from which "manual" landmarks are drawn."""
    phantom: PhantomSection | None = None
    pairs: tuple[PairsSection, ...] = ()
    images: tuple[ImagesSection, ...] = ()
    device: Literal["auto", "cpu"] = "auto"
    threads: int | None = Field(None, ge=1)
    workers: int = Field(1, ge=1)
    """Processes that measure cases side by side, each with one thread; the tables are the same."""

    @field_validator("estimators")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [name for name in names if name not in ESTIMATORS]
        if unknown or not names:
            raise ValueError(f"choose among {', '.join(ESTIMATORS)}")
        return names

    @model_validator(mode="after")
    def _consistent(self) -> ComparisonConfig:
        if self.phantom is None and not self.pairs and not self.images:
            raise ValueError(
                "there is nothing to measure on: add a [phantom], [[pairs]] or [[images]] table"
            )
        _refuse_repeats("methods", (method.name for method in self.methods))
        names = [pairs.name for pairs in self.pairs] + [images.name for images in self.images]
        _refuse_repeats("pairs and images", names)
        known = [method.name for method in self.methods]
        for key in ("baseline", "variance", "register_with"):
            name = getattr(self, key)
            if name is not None and name not in known:
                raise ValueError(f"{key} = '{name}' is no method; known ones: {', '.join(known)}")
        return self


def read_comparison(path: Path) -> ComparisonConfig:
    """Read and check a TOML file; relative paths in it are relative to its folder.

    Raises
    ------
    InputError
        One sentence: the file, the key, what is allowed, what was found.
    """
    config = read_toml(path, ComparisonConfig)
    folder = path.resolve().parent
    methods = tuple(
        method.model_copy(update={key: _absolute(getattr(method, key), folder) for key in _WEIGHTS})
        for method in config.methods
    )
    pairs = tuple(
        section.model_copy(update={"folder": folder / section.folder}) for section in config.pairs
    )
    images = tuple(
        section.model_copy(update={"manifest": folder / section.manifest})
        for section in config.images
    )
    found = {"methods": methods, "pairs": pairs, "images": images}
    return config.model_copy(update={"output": folder / config.output, **found})


_WEIGHTS = ("mr", "us", "second_mr", "second_us")


def _absolute(weights: str | None, folder: Path) -> str | None:
    return weights if weights in (None, BUNDLED) else str(folder / str(weights))


def _refuse_repeats(key: str, names: Iterable[str]) -> None:
    seen = list(names)
    if len(set(seen)) < len(seen):
        raise ValueError(f"{key}: each needs its own name, found {', '.join(seen)}")
