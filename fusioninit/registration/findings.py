"""A finding: something doubtful about landmarks or a fit, as a value a person can act on."""

from __future__ import annotations

from dataclasses import dataclass

from fusioninit.landmarks import LandmarkName


@dataclass(frozen=True)
class Finding:
    """What is doubtful, in a clinician's words, and what to do next.

    Parameters
    ----------
    code : str
        Stable, for programs and tests: "edge-length", "collinear", "mirrored", ...
    sentence, next_step : str
        One sentence each.
    landmark : str or None
        The likely culprit, where one can be named.
    """

    code: str
    sentence: str
    next_step: str
    landmark: LandmarkName | None = None

    def __str__(self) -> str:
        return f"{self.sentence} {self.next_step}"
