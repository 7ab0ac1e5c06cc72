"""Writes what a comparison measured: Markdown, CSV and plots, each saying how it was made."""

from __future__ import annotations

from pathlib import Path

from fusioninit.training.evaluation.comparison import Comparison
from fusioninit.training.evaluation.detection_tables import detection_tables
from fusioninit.training.evaluation.pair_cases import Source
from fusioninit.training.evaluation.plots import plot_histogram, plot_landmarks, plot_reliability
from fusioninit.training.evaluation.records import Attempt, TargetError, Way, unique, where
from fusioninit.training.evaluation.registration_tables import (
    ROTATION,
    SRE,
    registration_tables,
)
from fusioninit.training.evaluation.tables import Heading, Table

REPORT = "tables.md"
ROWS = "rows"

MOST_PANELS = 4
"""Ways drawn beside each other in the calibration plot."""


def write_report(comparison: Comparison, *, command: str) -> Path:
    """Write everything into the configured folder; return the Markdown file."""
    output = comparison.config.output
    (output / ROWS).mkdir(parents=True, exist_ok=True)
    comparison.records.write_csv(output / ROWS)
    sections = ["# Evaluation", "", "Research use only: not a medical device.", ""]
    for source in comparison.sources:
        heading = heading_of(comparison, source, command=command)
        for table in tables_of(comparison, source):
            sections.append(table.to_markdown(heading))
            (output / f"{source.name}-{table.slug}.csv").write_text(
                table.to_csv(heading), encoding="utf-8"
            )
        _plot(comparison, source, output)
    report = output / REPORT
    report.write_text("\n".join(sections), encoding="utf-8")
    return report


def heading_of(comparison: Comparison, source: Source, *, command: str) -> Heading:
    """How the tables of one source were made."""
    failed = len(where(comparison.records.failures, source=source.name))
    count = comparison.records.counts[source.name]
    measured = f"Measured: {count} of {len(source)} cases"
    measured += f", {failed} could not be used (rows/failures.csv)" if failed else ""
    weights = [method.weights_line for method in comparison.methods if source.detects]
    return Heading(command, weights or ["none used"], source.description, measured)


def tables_of(comparison: Comparison, source: Source) -> list[Table]:
    """Every table that the rows of one source give."""
    config, records = comparison.config, comparison.records
    return [
        *detection_tables(
            where(records.landmarks, source=source.name),
            where(records.glands, source=source.name),
            where(records.two_answers, source=source.name),
            baseline=config.baseline,
            variance=config.variance,
        ),
        *registration_tables(
            where(records.attempts, source=source.name),
            where(records.targets, source=source.name),
            where(records.manual, source=source.name),
            observer=_observer(comparison, source),
        ),
    ]


def _observer(comparison: Comparison, source: Source) -> str:
    if not source.detects:
        return "Points and glands are given with the data set."
    registering = comparison.registering
    name = f"Automatic landmarks by '{registering.name}'. " if registering else ""
    difference = comparison.config.observer_difference_mm
    return (
        f"{name}Manual: the true points plus the error of one of two observers who differ by "
        f"{difference:g} mm on average (1.7 mm: two readers on real MR), the same in US."
    )


def _plot(comparison: Comparison, source: Source, output: Path) -> None:
    caption = f"{source.description} n = {comparison.records.counts[source.name]}"
    landmarks = where(comparison.records.landmarks, source=source.name)
    attempts = where(comparison.records.attempts, source=source.name)
    targets = where(comparison.records.targets, source=source.name)
    if landmarks:
        plot_landmarks(landmarks, output / f"{source.name}-landmarks.png", caption=caption)
    for histogram in (SRE, ROTATION) if attempts else ():
        shown = [row for row in attempts if _is_drawn(row)]
        path = output / f"{source.name}-{histogram.slug}.png"
        plot_histogram(shown, histogram, path, caption=caption)
    ways = _calibrated_ways(targets)
    if ways:
        plot_reliability(targets, ways, output / f"{source.name}-tre.png", caption=caption)


def _is_drawn(row: Attempt) -> bool:
    """All ways are in the table; the picture shows least squares and what is chosen."""
    return row.estimator in ("svd", "auto")


def _calibrated_ways(targets: list[TargetError]) -> list[Way]:
    ways = unique(row.way for row in targets if row.points != "manual")
    wanted = [way for way in ways if way.estimator in ("svd", "auto")]
    return (wanted or ways)[:MOST_PANELS]
