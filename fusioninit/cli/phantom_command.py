"""`fusioninit phantom`: write synthetic pairs in the mu-RegPro folder layout, with their truth."""

from __future__ import annotations

from argparse import Namespace

from fusioninit.cli.output import Status, tell
from fusioninit.errors import InputError
from fusioninit.phantom import write_pairs


def run(options: Namespace) -> int:
    """Write `--count` pairs from `--seed` on."""
    if options.count < 1:
        raise InputError(f"--count {options.count}: ask for at least one pair")
    write_pairs(count=options.count, seed=options.seed, out=options.out)
    tell(f"{options.count} pairs from seed {options.seed} are in {options.out}")
    return Status.DONE
