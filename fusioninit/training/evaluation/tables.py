"""A table as a value, written as Markdown and CSV under a heading that says how it was made."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO


@dataclass(frozen=True)
class Heading:
    """What must be known to repeat a table: command, weights with hashes, cases and seeds."""

    command: str
    weights: Sequence[str]
    data: str
    measured: str

    @property
    def lines(self) -> list[str]:
        """One line each."""
        weights = [f"Weights: {line}" for line in self.weights]
        return [f"Command: {self.command}", *weights, f"Data: {self.data}", self.measured]


@dataclass(frozen=True)
class Table:
    """Rows of text under a title; `slug` names its file, `note` explains what is counted."""

    slug: str
    title: str
    note: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]

    def to_markdown(self, heading: Heading) -> str:
        """With its heading, as a section."""
        lines = [f"## {self.title}", "", *(f"- {line}" for line in heading.lines), ""]
        if self.note:
            lines += [self.note, ""]
        lines += [_line(self.columns), _line(["---"] * len(self.columns))]
        return "\n".join([*lines, *(_line(row) for row in self.rows), ""])

    def to_csv(self, heading: Heading) -> str:
        """With its heading as lines that start with "#"."""
        text = StringIO()
        text.writelines(f"# {line}\n" for line in (self.title, *heading.lines))
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows(self.rows)
        return text.getvalue()


def number(value: float, digits: int = 2) -> str:
    """Rounded; a dash where there is no value."""
    return "-" if value != value else f"{value:.{digits}f}"


def mean_and_sd(mean_sd: tuple[float, float], digits: int = 2) -> str:
    """As the paper writes it: 5.55 ± 2.63."""
    mean, sd = mean_sd
    return "-" if mean != mean else f"{mean:.{digits}f} ± {sd:.{digits}f}"


def percent(share: float) -> str:
    """With one digit; a dash where there is no value."""
    return "-" if share != share else f"{100 * share:.1f} %"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
