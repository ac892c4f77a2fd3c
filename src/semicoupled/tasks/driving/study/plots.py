"""The study of driving as pictures: scores by variant, and the importance of time by kind of road."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from semicoupled.rows import Condition, Row
from semicoupled.studies.answers import VALIDATION
from semicoupled.studies.scores import select
from semicoupled.studies.trials import COLORS, Variant
from semicoupled.tasks.driving.scores.conditions import in_order
from semicoupled.tasks.driving.scores.pictures import bars
from semicoupled.tasks.driving.scores.run_scores import MEAN

MOST = 6
"""Variants whose importance is drawn; more cannot be told apart."""


def score_plot(
    rows: Sequence[Row], variants: Sequence[Variant], places: Sequence[str], thresholds: Sequence[Condition]
) -> Figure:
    """Draw three scores by variant, a line of panels for each set of drives.

    Args:
        rows: of the study.
        variants: from top to bottom.
        places: what was scored on.
        thresholds: lambdas of Eq. 24; the first is drawn.
    """
    asked: list[tuple[str, str, dict[str, Condition | None]]] = [
        ("MSE of the normalized angle (less is better)", "mse", {"label": "raw"}),
        ("R$^2$ of the smoothed angle", "r2", {"label": "smoothed"}),
    ]
    for threshold in thresholds[:1]:
        about: dict[str, Condition | None] = {"label": "raw", "angle_threshold": threshold}
        asked.insert(1, (f"soft accuracy at {threshold} (Eq. 24)", "acc_soft", about))
    figure = _figure(11.5, (0.32 * len(variants) + 1.3) * len(places) + 0.3)
    panels = figure.subplots(len(places), len(asked), squeeze=False, sharey=True)
    heights = np.arange(len(variants))[::-1]
    for line, data in enumerate(places):
        for column, (label, metric, about) in enumerate(asked):
            axes = panels[line, column]
            for height, variant in zip(heights, variants, strict=True):
                found = select(rows, metric, variant=variant.name, data=data, **about)
                color = COLORS[0] if variant.name.startswith("semicoupled") else COLORS[1]
                for row in found:
                    if "seed" in row.condition:
                        axes.plot(row.value, height, "o", color=color, alpha=0.55, markersize=5)
                    else:
                        low, high = row.interval or (row.value, row.value)
                        axes.plot([low, high], [height, height], color=color, linewidth=2)
                        axes.plot(row.value, height, "|", color="#000000", markersize=11, markeredgewidth=1.6)
            for row in select(rows, metric, model=MEAN, data=data, **about):
                axes.axvline(row.value, color="#666666", linestyle="--", linewidth=1, label="always the mean angle")
            axes.set_yticks(heights, [variant.label for variant in variants], fontsize=8)
            axes.grid(alpha=0.3)
            axes.set_xlabel(label, fontsize=9)
        panels[line, 0].set_title("the runs held back" if data == VALIDATION else data, fontsize=9, loc="left")
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower right", fontsize=8)
    return figure


def importance_plot(
    rows: Sequence[Row], variants: Sequence[Variant], places: Sequence[str], thresholds: Sequence[Condition]
) -> Figure:
    """Draw the importance of time by kind of road, a panel for each set of drives.

    Args:
        rows: of the study.
        variants: those without streams are left out.
        places: what was scored on.
        thresholds: lambdas of Eq. 24; the first is drawn.
    """
    means = [row for row in rows if row.metric == "importance" and "seed" not in row.condition]
    told = [variant for variant in variants if any(row.condition["variant"] == variant.name for row in means)][:MOST]
    roads = ["all", *in_order([str(row.condition["road"]) for row in means if "road" in row.condition])]
    figure = _figure(max(4.6 * len(places), 6.4), 4.0 + 0.16 * len(told))
    panels = figure.subplots(1, len(places), squeeze=False, sharey=True)[0]
    width = 0.8 / max(len(told), 1)
    for axes, data in zip(panels, places, strict=True):
        counts: dict[str, int] = {}
        for index, variant in enumerate(told):
            shown: list[tuple[int, Row]] = []
            for place, road in enumerate(roads):
                found = select(
                    means,
                    "importance",
                    variant=variant.name,
                    data=data,
                    score="acc_soft",
                    label="raw",
                    angle_threshold=thresholds[0],
                    road=None if road == "all" else road,
                )
                shown += [(place, row) for row in found]
                counts[road] = found[0].count if found else counts.get(road, 0)
            across = [place + (index - (len(told) - 1) / 2) * width for place, _ in shown]
            bars(axes, across, [row for _, row in shown], variant.label, COLORS[index % len(COLORS)], 0.92 * width)
        axes.axhline(0, color="#57606a", linewidth=0.8)
        axes.set_xticks(range(len(roads)), [f"{road}\n{counts.get(road, 0)} frames" for road in roads], fontsize=8)
        axes.set_title("the runs held back" if data == VALIDATION else data, fontsize=9)
        axes.grid(alpha=0.3, axis="y")
    panels[0].set_ylabel(f"importance of time:\ntemporal - spatial accuracy at {thresholds[0]}")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, fontsize=8)
    return figure


def _figure(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure
