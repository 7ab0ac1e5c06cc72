"""Weights as they are shipped: safetensors, and a JSON card that says what they are.

The card names the file's SHA-256; weights that do not match it are refused.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_bytes
from safetensors.torch import save_file
from torch import Tensor

from fusioninit.detection.normalise import InputGrid
from fusioninit.detection.unet import LandmarkNetwork, UNetConfig
from fusioninit.errors import InputError
from fusioninit.geometry import Space
from fusioninit.landmarks import ALL_NAMES, ErrorCorrelation, LandmarkName

LIMITS = (
    "Trained on synthetic images only. Research use only: not a medical device, "
    "not for clinical decisions."
)


@dataclass(frozen=True)
class Calibration:
    """From a heatmap's spread to the covariance of the error, fitted on synthetic cases.

    covariance = scale * spread + floor_mm2 * I, one pair per landmark. `correlation` holds the rows
    of an `ErrorCorrelation`; none where the card does not say how errors hang together.
    """

    scale: tuple[float, ...] = (1.0,) * len(ALL_NAMES)
    floor_mm2: tuple[float, ...] = (4.0,) * len(ALL_NAMES)
    correlation: tuple[str, ...] = ()


@dataclass(frozen=True)
class ModelCard:
    """What a weights file is, how it was made and what it is worth.

    Parameters
    ----------
    training : dict
        Seeds, steps, minutes, command, phantom: whatever is needed to repeat it.
    results : dict
        Measured figures, each beside the command that makes it.
    """

    name: str
    space: Space
    sha256: str
    network: UNetConfig
    input_grid: InputGrid
    method: str = "expected-distance"
    calibration: Calibration = field(default_factory=Calibration)
    training: dict[str, Any] = field(default_factory=dict)
    results: dict[str, Any] = field(default_factory=dict)
    limits: str = LIMITS

    @property
    def landmark_names(self) -> tuple[LandmarkName, ...]:
        """What the network finds, in the order of its outputs."""
        return ALL_NAMES[: self.network.landmarks]

    @property
    def error_correlation(self) -> ErrorCorrelation | None:
        """How the landmarks' errors hang together; ValueError where the card's rows are wrong."""
        rows = self.calibration.correlation
        return ErrorCorrelation.from_rows(self.landmark_names, rows) if rows else None

    @property
    def identity(self) -> dict[str, str]:
        """Name and hash, as answers state them."""
        return {"name": self.name, "sha256": self.sha256}

    def to_json(self) -> str:
        """The card's text."""
        return json.dumps(asdict(self), indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str, source: str) -> ModelCard:
        """Read a card's text; `source` names it in errors."""
        try:
            table = json.loads(text)
            table["space"] = Space(table["space"])
            network = {**table["network"]}
            for key in ("channels", "grid"):
                network[key] = tuple(network[key])
            table["network"] = UNetConfig(**network)
            grid = table["input_grid"]
            table["input_grid"] = InputGrid(tuple(grid["shape"]), float(grid["spacing_mm"]))
            calibration = {key: tuple(v) for key, v in table.get("calibration", {}).items()}
            table["calibration"] = Calibration(**calibration)
            card = cls(**table)
            _ = card.error_correlation
            return card
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"{source}: not a model card ({error}); use the card written beside the weights"
            ) from error


def card_path(weights: Path) -> Path:
    """The card of a weights file: the same name, ending in .json."""
    return weights.with_suffix(".json")


def load_tensors(path: Path) -> dict[str, Tensor]:
    """Tensors of a safetensors file as float32; InputError where it is none."""
    try:
        tensors = load_bytes(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: the weights cannot be read ({error.strerror})") from error
    except (SafetensorError, ValueError, KeyError) as error:
        raise InputError(f"{path.name}: not a safetensors file ({error})") from error
    return {name: tensor.float() for name, tensor in tensors.items()}


def load_model(weights: Path, card_file: Path | None = None) -> tuple[LandmarkNetwork, ModelCard]:
    """The network of a weights file, ready for use, and its card.

    Raises
    ------
    InputError
        A file is missing, damaged, or does not belong to the other.
    """
    card_file = card_file or card_path(weights)
    try:
        text = card_file.read_text(encoding="utf-8")
        found = hashlib.sha256(weights.read_bytes()).hexdigest()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{weights.name}: weights or card cannot be read ({error})") from error
    card = ModelCard.from_json(text, card_file.name)
    if found != card.sha256:
        raise InputError(
            f"{weights.name}: SHA-256 {found[:12]} differs from the card's {card.sha256[:12]}; "
            "the weights are damaged or belong to another card"
        )
    network = LandmarkNetwork(card.network)
    try:
        network.load_state_dict(load_tensors(weights))
    except RuntimeError as error:
        raise InputError(f"{weights.name}: the weights do not fit the card's network") from error
    return network.eval(), card


def save_weights(network: LandmarkNetwork, path: Path) -> str:
    """Write the weights in half precision; return the file's SHA-256."""
    tensors = {
        name: tensor.detach().to("cpu", torch.float16).contiguous()
        for name, tensor in network.state_dict().items()
    }
    temporary = path.with_suffix(".part")
    save_file(tensors, temporary)
    temporary.replace(path)
    return hashlib.sha256(path.read_bytes()).hexdigest()
