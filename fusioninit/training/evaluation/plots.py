"""The tables as pictures: error by landmark, both histograms, predicted against actual error."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fusioninit.landmarks import ALL_NAMES, LABELS
from fusioninit.training.evaluation.records import (
    Attempt,
    LandmarkError,
    TargetError,
    Way,
    column,
    unique,
    where,
)
from fusioninit.training.evaluation.registration_tables import Histogram
from fusioninit.training.evaluation.statistics import binned, bound_coverage, reliability

DPI = 120
SHOWN_MM = 30.0
"""Axis end of the calibration plot; larger errors are drawn on its rim."""


def plot_landmarks(rows: Sequence[LandmarkError], path: Path, *, caption: str) -> None:
    """Box plots of the radial error, a panel per image and a box per landmark and method."""
    methods = unique(row.method for row in rows)
    figure, axes = _figure(2, caption)
    for axis, space in zip(axes, ("mr", "us"), strict=True):
        for order, method in enumerate(methods):
            own = where(rows, space=space, method=method)
            values = [column(where(own, landmark=name), "error_mm") for name in ALL_NAMES]
            width = 0.8 / len(methods)
            place = np.arange(len(ALL_NAMES)) + (order - (len(methods) - 1) / 2) * width
            drawn = axis.boxplot(
                values, positions=place, widths=0.9 * width, showfliers=False, patch_artist=True
            )
            for box in drawn["boxes"]:
                box.set(facecolor=f"C{order}", label=method)
        axis.set_xticks(range(len(ALL_NAMES)), [LABELS[name] for name in ALL_NAMES], rotation=20)
        axis.set(title=space.upper(), ylabel="radial error mm", ylim=(0, None))
        axis.grid(axis="y", alpha=0.3)
    _legend_once(axes[0])
    _save(figure, path)


def plot_histogram(
    attempts: Sequence[Attempt], histogram: Histogram, path: Path, *, caption: str
) -> None:
    """Share of cases per bin for each way, and the paper's shares hatched beside them."""
    shares = {
        way.label: binned(
            column([row for row in attempts if row.way == way], histogram.value), histogram.edges
        )
        for way in unique(row.way for row in attempts)
    }
    shares |= {name: [*counts, 0] for name, counts in histogram.published.items()}
    figure, (axis,) = _figure(1, caption)
    width = 0.85 / len(shares)
    for order, (label, counts) in enumerate(shares.items()):
        place = np.arange(len(counts)) + (order - (len(shares) - 1) / 2) * width
        heights = 100 * np.array(counts) / max(1, sum(counts))
        published = label in histogram.published
        axis.bar(
            place,
            heights,
            width,
            label=label + " (private data set)" * published,
            color="0.8" if published else f"C{order % 10}",
            hatch="//" if published else None,
            edgecolor="0.3",
            linewidth=0.3,
        )
    names = [f"≤ {edge}" for edge in histogram.edges] + ["above"]
    axis.set_xticks(range(len(names)), names)
    axis.set(title=histogram.title, xlabel=histogram.unit, ylabel="share of cases %")
    axis.legend(fontsize=7)
    _save(figure, path)


def plot_reliability(
    targets: Sequence[TargetError], ways: Sequence[Way], path: Path, *, caption: str
) -> None:
    """Actual against predicted TRE at every target, with the means and bounds of bins."""
    figure, axes = _figure(len(ways), caption)
    for axis, way in zip(axes, ways, strict=True):
        own = [row for row in targets if row.way == way]
        predicted, actual = column(own, "predicted_mm"), column(own, "actual_mm")
        bound = column(own, "predicted_95_mm")
        axis.plot(
            predicted.clip(max=SHOWN_MM), actual.clip(max=SHOWN_MM), ".", ms=2, alpha=0.25, c="0.5"
        )
        bins = reliability(predicted, bound, actual)
        x = [part.predicted for part in bins]
        axis.plot(x, [part.actual for part in bins], "o-", c="C0", label="actual mean")
        axis.plot(x, [part.actual_95 for part in bins], "^-", c="C3", label="actual 95 %")
        axis.plot(x, [part.upper for part in bins], "--", c="C2", label="predicted 95 %")
        axis.plot([0, SHOWN_MM], [0, SHOWN_MM], c="k", lw=0.7)
        held = bound_coverage(actual, bound)
        axis.set(
            title=f"{way.label}\n{100 * held:.1f} % within predicted 95 %",
            xlabel="predicted mean TRE mm",
            ylabel="actual TRE mm",
            xlim=(0, max(10.0, 1.1 * max(x))),
            ylim=(0, SHOWN_MM),
        )
        axis.legend(fontsize=7)
    _save(figure, path)


def _figure(panels: int, caption: str) -> tuple[Figure, Sequence[Axes]]:
    figure = Figure(figsize=(max(8.0, 4.6 * panels), 5.0), layout="constrained")
    figure.suptitle(caption, fontsize=8, wrap=True)
    return figure, figure.subplots(1, panels, squeeze=False)[0]


def _legend_once(axis: Axes) -> None:
    handles, labels = axis.get_legend_handles_labels()
    first = dict(zip(labels, handles, strict=True))
    axis.legend(list(first.values()), list(first), fontsize=7)


def _save(figure: Figure, path: Path) -> None:
    # a Figure without pyplot draws with Agg: no window system is needed
    figure.savefig(path, dpi=DPI)
