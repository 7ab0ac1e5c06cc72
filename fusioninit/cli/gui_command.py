"""`fusioninit [gui] [CASE]`: open the window."""

from __future__ import annotations

from argparse import Namespace

from fusioninit.errors import ReadError


def run(options: Namespace) -> int:
    """Open the window on a case, on two volumes, or empty."""
    for path in (options.case, options.mr, options.us):
        if path is not None and not path.exists():
            raise ReadError(f"{path.name}: no such file or folder; check the path")
    from fusioninit.app import run_window

    return run_window(mr=options.mr, us=options.us, case=options.case)
