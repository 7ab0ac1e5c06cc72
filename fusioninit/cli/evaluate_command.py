"""`fusioninit evaluate CONFIG.toml`: measure weights and write tables, CSV and plots."""

from __future__ import annotations

import logging
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
    # minutes pass between start and tables: say how far it is, also without --verbose
    logging.getLogger("fusioninit.training.evaluation").setLevel(logging.INFO)
    evaluate(options.config)
    return Status.DONE
