"""`evaluate`: the one entry for both kinds of configuration."""

from __future__ import annotations

import tomllib
from pathlib import Path

from fusioninit.training.config import read_config
from fusioninit.training.evaluation.comparison import Comparison
from fusioninit.training.evaluation.config import read_comparison
from fusioninit.training.evaluation.one_network import evaluate_config
from fusioninit.training.evaluation.report import write_report


def evaluate(config_path: str | Path) -> Path:
    """Measure as the TOML file says; return the folder with the tables.

    A training's configuration (it has the key `space`) measures that training's network on the
    benchmark of its modality; any other file is a comparison, see `evaluation.config`.

    Raises
    ------
    InputError
        The configuration is wrong, or weights or data are missing.
    """
    path = Path(config_path)
    command = f"fusioninit evaluate {config_path}"
    if _is_training(path):
        return evaluate_config(read_config(path), command=command)
    comparison = Comparison(read_comparison(path))
    comparison.run()
    return write_report(comparison, command=command).parent


def _is_training(path: Path) -> bool:
    """Whether the file configures a training; a file that cannot be read is reported later."""
    try:
        return "space" in tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return False
