"""The coordinate spaces a point can live in. All are LPS millimetres; they differ by pose."""

from __future__ import annotations

from enum import StrEnum


class Space(StrEnum):
    """A patient frame tied to one acquisition.

    US is the fixed space of a registration and MR the moving one; that role is stated once,
    in `fusioninit.state.case`.
    """

    US = "us"
    MR = "mr"
    PROBE = "probe"
