"""What a second network is good for: its distance from the first against the first one's error."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from fusioninit.geometry import Space
from fusioninit.landmarks import REQUIRED_NAMES
from fusioninit.registration.disagreement import FAR_APART_MM
from fusioninit.training.evaluation.records import TwoAnswers, by_case, column, unique, where
from fusioninit.training.evaluation.statistics import (
    differs_significantly,
    mean_sd,
    rank_correlation,
)
from fusioninit.training.evaluation.tables import Table, mean_and_sd, number, percent

GOOD_MM = 5.0
"""A warning about a landmark whose error is smaller is a false alarm."""

FALSE_ALARMS = 0.05
"""Share of good landmarks that the suggested threshold warns of."""


def two_answer_tables(rows: Sequence[TwoAnswers]) -> list[Table]:
    """Both tables over the paper's three landmarks; none where only one network looked."""
    three = [row for row in rows if row.landmark in REQUIRED_NAMES]
    return [disagreement_table(three), mean_answer_table(three)] if three else []


def disagreement_table(rows: Sequence[TwoAnswers]) -> Table:
    """How the distance of two answers goes with the error, and what a warning is worth."""
    return Table(
        "models-apart",
        "Two models apart, and the error",
        "Over the three landmarks, those outside the image included. Apart: distance of the second "
        "network's answer from the first one's; the error is the first one's, mean in mm. A "
        f"landmark is warned of above the limit in use; with {percent(FALSE_ALARMS)} false alarms "
        f"(warnings among errors below {GOOD_MM:g} mm) these cases would set it where the last "
        f"column says (not below {GOOD_MM:g} mm). In a good image all three errors are below "
        f"{GOOD_MM:g} mm.",
        (
            "Method",
            "Image",
            "Two models apart, mm",
            "Rank correlation with the error",
            "Error, most apart tenth",
            "Error, other nine tenths",
            "Limit, mm",
            "Error where they agree",
            "Error where they disagree",
            "Disagree",
            "False alarms",
            f"Errors of {GOOD_MM:g} mm and more warned of",
            "Images warned of",
            "Good images warned of",
            "Limit by these cases, mm",
        ),
        [_apart(method, space, own) for method, space, own in _groups(rows)],
    )


def mean_answer_table(rows: Sequence[TwoAnswers]) -> Table:
    """Whether the mean of two answers is better than the first alone."""
    return Table(
        "models-mean",
        "The first model, the second, and the mean of both",
        "Radial error in mm over the three landmarks. * differs from the first: Wilcoxon "
        "signed-rank on case means, p < 0.05.",
        ("Method", "Image", "First", "Second", "Mean of both"),
        [
            [
                method,
                space.upper(),
                *(_marked(own, key) for key in ("error_mm", "second_error_mm", "mean_error_mm")),
            ]
            for method, space, own in _groups(rows)
        ],
    )


def suggested_limit_mm(rows: Sequence[TwoAnswers]) -> float:
    """The distance that only `FALSE_ALARMS` of the good landmarks exceed; NaN without any.

    Not less than `GOOD_MM`: two good answers may lie that far apart.
    """
    good = column([row for row in rows if row.error_mm < GOOD_MM], "apart_mm")
    return max(GOOD_MM, float(np.quantile(good, 1 - FALSE_ALARMS))) if len(good) else float("nan")


def _groups(rows: Sequence[TwoAnswers]) -> Iterator[tuple[str, Space, Sequence[TwoAnswers]]]:
    for method in unique(row.method for row in rows):
        for space in (Space.MR, Space.US):
            own = where(rows, method=method, space=str(space))
            if own:
                yield method, space, own


def _apart(method: str, space: Space, rows: Sequence[TwoAnswers]) -> list[str]:
    apart, error = column(rows, "apart_mm"), column(rows, "error_mm")
    far = apart > FAR_APART_MM[space]
    top = apart >= np.quantile(apart, 0.9)
    bad = error >= GOOD_MM
    warned = {row.case for row in rows if row.apart_mm > FAR_APART_MM[space]}
    good = {row.case for row in rows} - {row.case for row in rows if row.error_mm >= GOOD_MM}
    images = [
        np.array([case in warned for case in some]) for some in (by_case(rows, "error_mm"), good)
    ]
    return [
        method,
        space.upper(),
        mean_and_sd(mean_sd(apart)),
        number(rank_correlation(apart, error)),
        *(number(mean_sd(error[chosen])[0]) for chosen in (top, ~top)),
        number(FAR_APART_MM[space], 1),
        *(number(mean_sd(error[chosen])[0]) for chosen in (~far, far)),
        *(percent(_share(far[chosen])) for chosen in (np.full(len(far), True), ~bad, bad)),
        *(percent(_share(flags)) for flags in images),
        number(suggested_limit_mm(rows), 1),
    ]


def _share(flags: np.ndarray) -> float:
    return float(flags.mean()) if len(flags) else float("nan")


def _marked(rows: Sequence[TwoAnswers], key: str) -> str:
    first, this = by_case(rows, "error_mm"), by_case(rows, key)
    differs = differs_significantly(list(first.values()), list(this.values()))
    return mean_and_sd(mean_sd(column(rows, key))) + "*" * differs
