"""`fusioninit train CONFIG.toml`: train a network; Ctrl+C leaves a checkpoint to resume from."""

from __future__ import annotations

from argparse import Namespace

from fusioninit.cli.output import Status
from fusioninit.errors import InputError


def run(options: Namespace) -> int:
    """Train as the configuration says."""
    try:
        from fusioninit.training.run import train
    except ImportError as error:
        raise InputError(
            f"training needs the extra packages ({error.name} is missing); "
            "install them with: pip install 'fusioninit[train]'"
        ) from error
    train(options.config, resume=options.resume)
    return Status.DONE
