"""`fusioninit evaluate CONFIG.toml`: measure weights and write tables, CSV and plots."""

from __future__ import annotations

from argparse import Namespace

from fusioninit.cli.output import Status
from fusioninit.errors import InputError


def run(options: Namespace) -> int:
    """Evaluate as the configuration says."""
    try:
        from fusioninit.training.run import evaluate
    except ImportError as error:
        raise InputError(
            f"evaluation needs the extra packages ({error.name} is missing); "
            "install them with: pip install 'fusioninit[train]'"
        ) from error
    evaluate(options.config)
    return Status.DONE
