"""Table 1 of the paper, and beside it gland overlap and coverage, from landmark rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fusioninit.landmarks import ALL_NAMES, LABELS, REQUIRED_NAMES
from fusioninit.training.evaluation import paper
from fusioninit.training.evaluation.records import (
    GlandOverlap,
    LandmarkError,
    TwoAnswers,
    by_case,
    column,
    unique,
    where,
)
from fusioninit.training.evaluation.statistics import coverage, marks, mean_sd
from fusioninit.training.evaluation.tables import Table, mean_and_sd, number, percent
from fusioninit.training.evaluation.two_answer_tables import two_answer_tables

SPACES = ("mr", "us")


def detection_tables(
    landmarks: Sequence[LandmarkError],
    glands: Sequence[GlandOverlap],
    two_answers: Sequence[TwoAnswers],
    *,
    baseline: str | None,
    variance: str | None,
) -> list[Table]:
    """Tables on the detection of one source; none where nothing was detected."""
    if not landmarks:
        return []
    return [
        radial_error_table(landmarks, baseline=baseline, variance=variance),
        landmark_table(landmarks),
        shift_table(landmarks),
        gland_table(glands),
        coverage_table(landmarks),
        *two_answer_tables(two_answers),
    ]


def radial_error_table(
    rows: Sequence[LandmarkError], *, baseline: str | None, variance: str | None
) -> Table:
    """Table 1: mean radial error over the paper's three landmarks, with significance marks."""
    three = [row for row in rows if row.landmark in REQUIRED_NAMES]
    lines = [
        [
            method,
            *(
                _radial_error(three, method, space, {"baseline": baseline, "variance": variance})
                for space in SPACES
            ),
        ]
        for method in unique(row.method for row in rows)
    ]
    lines += [[name, *(mre[space] for space in SPACES)] for name, mre in paper.MRE_MM.items()]
    compared = [f"* differs from '{baseline}'"] if baseline else []
    compared += [f"† differs from '{variance}'"] if variance else []
    signs = f" {', '.join(compared)}: Wilcoxon signed-rank on case means, p < 0.05." * any(compared)
    return Table(
        "table1",
        "Table 1: mean radial error (MRE)",
        "Mean ± SD in mm over cases and the three landmarks apex, bladder neck and posterior "
        f"median, those outside the image included.{signs} {paper.NOTE}",
        ("Method", "MR", "US"),
        lines,
    )


def landmark_table(rows: Sequence[LandmarkError]) -> Table:
    """Radial errors by landmark; for the required three also without points outside the image."""
    lines = []
    for method in unique(row.method for row in rows):
        for space in SPACES:
            own = where(rows, method=method, space=space)
            if not own:
                continue
            inside = [row for row in own if row.inside and row.landmark in REQUIRED_NAMES]
            lines.append(
                [
                    method,
                    space.upper(),
                    *(mean_and_sd(mean_sd(_errors(own, name))) for name in ALL_NAMES),
                    number(_median(own)),
                    mean_and_sd(mean_sd(column(inside, "error_mm"))),
                ]
            )
    return Table(
        "landmarks",
        "Radial error by landmark",
        "Mean ± SD in mm; the last two columns are over the paper's three landmarks.",
        (
            "Method",
            "Image",
            *(LABELS[name] for name in ALL_NAMES),
            "Median of three",
            "Three, inside the image",
        ),
        lines,
    )


def shift_table(rows: Sequence[LandmarkError]) -> Table:
    """Mean of found minus true position: what a network does wrong every time."""
    lines = []
    for method in unique(row.method for row in rows):
        for space in SPACES:
            own = where(rows, method=method, space=space)
            if own:
                shifts = [_shift(where(own, landmark=name)) for name in ALL_NAMES]
                lines.append([method, space.upper(), *shifts])
    return Table(
        "shifts",
        "Systematic shift by landmark",
        "Mean of found minus true position in mm: left, posterior, superior.",
        ("Method", "Image", *(LABELS[name] for name in ALL_NAMES)),
        lines,
    )


def gland_table(rows: Sequence[GlandOverlap]) -> Table:
    """Dice of found and true gland."""
    lines = []
    for method in unique(row.method for row in rows):
        for space in SPACES:
            dice = column(where(rows, method=method, space=space), "dice")
            if len(dice):
                low = f"{np.quantile(dice, 0.1):.2f}"
                lines.append([method, space.upper(), mean_and_sd(mean_sd(dice), 3), low])
    return Table(
        "glands",
        "Gland Dice",
        "On the network's grid; 0 where no gland was found.",
        ("Method", "Image", "Dice", "10th percentile"),
        lines,
    )


def coverage_table(rows: Sequence[LandmarkError]) -> Table:
    """How many errors the claimed 68 and 95 % regions hold; points outside the image left out."""
    lines = []
    for method in unique(row.method for row in rows):
        for space in SPACES:
            own = [row for row in where(rows, method=method, space=space) if row.inside]
            if not own:
                continue
            by_landmark = [
                percent(coverage(column(where(own, landmark=name), "distance2"), 95))
                for name in ALL_NAMES
            ]
            both = [percent(coverage(column(own, "distance2"), level)) for level in (68, 95)]
            lines.append([method, space.upper(), *both, *by_landmark])
    return Table(
        "coverage",
        "Coverage of the claimed uncertainty",
        "Share of errors inside the landmark's 68 and 95 % region (3D normal, its covariance).",
        (
            "Method",
            "Image",
            "68 %, all",
            "95 %, all",
            *(f"95 %, {LABELS[name].lower()}" for name in ALL_NAMES),
        ),
        lines,
    )


def _radial_error(
    rows: Sequence[LandmarkError], method: str, space: str, others: dict[str, str | None]
) -> str:
    own = where(rows, method=method, space=space)
    if not own:
        return "-"
    mean = by_case(own, "error_mm")
    compared: dict[str, list[float] | None] = {}
    for role, name in others.items():
        other = by_case(where(rows, method=name, space=space), "error_mm") if name else {}
        # paired: the same cases in the same order, NaN where the other has no answer
        paired = [other.get(case, float("nan")) for case in mean]
        # as in the paper: the baseline itself carries no marks
        bare = name is None or method in (name, others["baseline"])
        compared[role] = None if bare else paired
    signs = marks(list(mean.values()), **compared)
    return mean_and_sd(mean_sd(column(own, "error_mm"))) + signs


def _errors(rows: Sequence[LandmarkError], name: str) -> np.ndarray:
    return column(where(rows, landmark=name), "error_mm")


def _shift(rows: Sequence[LandmarkError]) -> str:
    means = [mean_sd(column(rows, axis))[0] for axis in ("x_mm", "y_mm", "z_mm")]
    return ", ".join("-" if mean != mean else f"{mean:+.1f}" for mean in means)


def _median(rows: Sequence[LandmarkError]) -> float:
    three = [row.error_mm for row in rows if row.landmark in REQUIRED_NAMES]
    return float(np.median(three)) if three else float("nan")
