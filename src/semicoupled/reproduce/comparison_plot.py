"""The paper's figures and ours side by side, one panel for each of our scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from semicoupled.paper_table import Line, Size
from semicoupled.reproduce.comparison import Measure, find
from semicoupled.rows import Row
from semicoupled.studies.trials import COLORS

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_comparison(rows: Sequence[Row], lines: Sequence[Line], size: Size, measures: Sequence[Measure]) -> Figure:
    """Draw a line of dots a row of the table: ours with seeds and interval to the left, the paper's to the right.

    Args:
        rows: of the study.
        lines: of the table.
        size: of their variants.
        measures: our scores, a pair of panels each.
    """
    from matplotlib.figure import Figure

    panels = max(1, len(measures))
    figure = Figure(figsize=(2.2 + 3.4 * panels, 1.4 + 0.34 * len(lines)), layout="constrained")
    axes = figure.subplots(1, 2 * panels, squeeze=False, sharey=True)[0]
    heights = range(len(lines), 0, -1)
    for index, measure in enumerate(measures):
        ours, printed = axes[2 * index], axes[2 * index + 1]
        for height, line in zip(heights, lines, strict=True):
            found = find(rows, line, size, measure)
            if found is not None:
                ours.plot([found.spread.low, found.spread.high], [height] * 2, color=COLORS[0], linewidth=5, alpha=0.35)
                if found.interval is not None:
                    ours.plot(found.interval, [height] * 2, color=COLORS[0], linewidth=1.5)
                ours.plot(found.spread.mean, height, "o", color=COLORS[0], markersize=6)
            for number, column in enumerate(measure.columns, start=1):
                value = line.figures.get(column)
                if value is not None:
                    printed.plot(value, height, "s", color=COLORS[number], markersize=5)
        for number, column in enumerate(measure.columns, start=1):
            printed.plot([], [], "s", color=COLORS[number], label=column)
        printed.legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.05))
        ours.set_title(f"here: {measure.head}", fontsize=9)
        printed.set_title("paper", fontsize=9)
        for panel in (ours, printed):
            panel.grid(alpha=0.3)
            panel.tick_params(labelsize=7)
    axes[0].set_yticks(list(heights), [line.label for line in lines], fontsize=8)
    axes[0].set_ylim(0.3, len(lines) + 0.7)
    return figure
