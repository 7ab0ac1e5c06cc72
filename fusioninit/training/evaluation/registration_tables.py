"""Tables 2 to 4 of the paper, and predicted against actual registration error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fusioninit.training.evaluation import paper
from fusioninit.training.evaluation.records import (
    Attempt,
    ManualErrors,
    TargetError,
    Way,
    column,
    unique,
    where,
)
from fusioninit.training.evaluation.statistics import (
    ROTATION_EDGES_DEG,
    SRE_EDGES_MM,
    binned,
    bound_coverage,
    mean_sd,
)
from fusioninit.training.evaluation.tables import Table, mean_and_sd, number, percent


@dataclass(frozen=True)
class Histogram:
    """A measure binned at the paper's thresholds.

    `value` is the attribute of an `Attempt`, `published` the paper's counts by name.
    """

    slug: str
    title: str
    value: str
    unit: str
    edges: tuple[int, ...]
    published: Mapping[str, tuple[int, ...]]


SRE = Histogram(
    "table3",
    "Table 3: surface registration error",
    "sre_mm",
    "mm",
    SRE_EDGES_MM,
    paper.SRE_COUNTS,
)
ROTATION = Histogram(
    "table4",
    "Table 4: residual rotation",
    "rotation_deg",
    "°",
    ROTATION_EDGES_DEG,
    paper.ROTATION_COUNTS,
)


def registration_tables(
    attempts: Sequence[Attempt],
    targets: Sequence[TargetError],
    manual: Sequence[ManualErrors] = (),
    *,
    observer: str,
) -> list[Table]:
    """Tables on the registrations of one source; `observer` says how "manual" was made."""
    if not attempts:
        return []
    answers = [row for row in attempts if row.points != "reference"]
    tables = [
        registration_table(attempts, observer=observer),
        gain_table(answers),
        *([manual_table(answers, manual)] if manual else []),
        histogram_table(answers, SRE),
        histogram_table(answers, ROTATION),
    ]
    return [*tables, target_table(targets)] if targets else tables


def registration_table(attempts: Sequence[Attempt], *, observer: str) -> Table:
    """Table 2: SRE and Dice of every way, against ICP and where known against the truth."""
    lines = []
    for way in unique(row.way for row in attempts):
        own = [row for row in attempts if row.way == way]
        solved = [row for row in own if not row.unsolved]
        sre = column(solved, "sre_mm")
        lines.append(
            [
                way.label,
                f"{len(solved)} of {len(own)}",
                mean_and_sd(mean_sd(sre)),
                number(float(np.median(sre)) if len(sre) else float("nan")),
                mean_and_sd(mean_sd(column(solved, "sre_truth_mm"))),
                mean_and_sd(mean_sd(column(solved, "dice"))),
                mean_and_sd(mean_sd(column(solved, "rotation_deg")), 1),
            ]
        )
    lines += [
        [name, "263 of 263", sre, "-", "-", dice, "-"]
        for name, (sre, dice) in paper.REGISTRATION.items()
    ]
    return Table(
        "table2",
        "Table 2: registration from landmarks",
        "SRE (the paper's equation 6) against rigid ICP between the true glands, started from the "
        "true transform where there is one; against the true rigid transform in its own column. "
        f"{observer} {paper.NOTE}",
        ("Way", "Solved", "SRE mm", "Median SRE", "SRE to truth mm", "Dice", "Residual rotation °"),
        lines,
    )


def gain_table(attempts: Sequence[Attempt]) -> Table:
    """How much smaller each way's mean SRE is than least squares' on the same cases."""
    lines = []
    bases = [Way(points, "none", "svd") for points in ("automatic", "manual", "given")]
    present = unique(row.way for row in attempts)
    for way in present:
        for base in bases:
            if base in present and base != way:
                lines.append([way.label, base.label, *_gains(attempts, way, base)])
    return Table(
        "gains",
        "Gain over least squares",
        "Change of the mean SRE, negative is better, on cases that both ways solved.",
        ("Way", "Against", "Cases", "SRE", "SRE to truth"),
        lines,
    )


def manual_table(attempts: Sequence[Attempt], manual: Sequence[ManualErrors]) -> Table:
    """What a person's points give on average, and what the detected ones give beside it."""
    lines = []
    for estimator in unique(row.estimator for row in manual):
        own = where(manual, estimator=estimator)
        name = f"manual, {estimator}, {own[0].draws} observers a case"
        lines.append([name, str(len(own)), *_both_sre(own)])
    for estimator in unique(row.estimator for row in manual):
        found = _of(attempts, Way("automatic", "none", estimator))
        if found:
            lines.append([found[0].way.label, str(len(found)), *_both_sre(found)])
    return Table(
        "manual",
        "Detected landmarks beside many observers' points",
        "Mean SRE and its SD over cases. One observer's points a case, as in table 2, leave the "
        "mean uncertain by what that observer happened to do; here each case is the mean of many.",
        ("Way", "Cases", "SRE mm", "SRE to truth mm"),
        lines,
    )


def _both_sre(rows: Sequence[Attempt | ManualErrors]) -> list[str]:
    return [mean_and_sd(mean_sd(column(rows, value))) for value in ("sre_mm", "sre_truth_mm")]


def histogram_table(attempts: Sequence[Attempt], histogram: Histogram) -> Table:
    """Cases up to each threshold and above the one before, and the paper's counts."""
    lines = []
    for way in unique(row.way for row in attempts):
        own = [row for row in attempts if row.way == way]
        counts = binned(column(own, histogram.value), histogram.edges)
        lines.append([way.label, *map(str, counts)])
    lines += [[name, *map(str, counts), "0"] for name, counts in histogram.published.items()]
    return Table(
        histogram.slug,
        f"{histogram.title}, cases up to each threshold",
        f"Against ICP between the true glands. {paper.NOTE}",
        ("Way", *(f"≤ {edge} {histogram.unit}" for edge in histogram.edges), "above"),
        lines,
    )


def target_table(targets: Sequence[TargetError]) -> Table:
    """Predicted against actual target registration error (TRE)."""
    lines = []
    for way in unique(row.way for row in targets):
        own = [row for row in targets if row.way == way]
        actual, predicted = column(own, "actual_mm"), column(own, "predicted_mm")
        bound = column(own, "predicted_95_mm")
        lines.append(
            [
                way.label,
                f"{len(own)} in {len(unique(row.case for row in own))}",
                mean_and_sd(mean_sd(actual)),
                number(float(np.median(actual))),
                number(float(np.quantile(actual, 0.9))),
                number(float(predicted.mean())),
                number(float(bound.mean())),
                percent(bound_coverage(actual, bound)),
            ]
        )
    return Table(
        "tre",
        "Predicted and actual target registration error (TRE)",
        "At places that took no part in the fit. Aim: the predicted 95 % bound holds 90 to 99 % "
        "of the actual errors. Targets of one case are not independent.",
        (
            "Way",
            "Targets in cases",
            "Actual mm",
            "Median",
            "90th percentile",
            "Predicted mean",
            "Predicted 95 %",
            "Within 95 %",
        ),
        lines,
    )


def _gains(attempts: Sequence[Attempt], way: Way, base: Way) -> list[str]:
    own = {row.case: row for row in _of(attempts, way)}
    other = {row.case: row for row in _of(attempts, base)}
    common = [case for case in own if case in other]
    cells = [str(len(common))]
    for value in ("sre_mm", "sre_truth_mm"):
        ours = mean_sd([getattr(own[case], value) for case in common])[0]
        theirs = mean_sd([getattr(other[case], value) for case in common])[0]
        change = ours / theirs - 1 if theirs > 0 else float("nan")
        cells.append("-" if change != change else f"{100 * change:+.0f} %")
    return cells


def _of(attempts: Sequence[Attempt], way: Way) -> list[Attempt]:
    return [row for row in where(attempts, unsolved="") if row.way == way]
