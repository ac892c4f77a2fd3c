"""The study of action as pictures: accuracy by variant, importance of time by class, what is called what."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from semicoupled.rows import Row
from semicoupled.studies.scores import select
from semicoupled.studies.trials import COLORS, Variant
from semicoupled.tasks.action.study.baselines import COMMONEST, LINEAR
from semicoupled.tasks.action.study.variants import RIVALS


def score_plot(rows: Sequence[Row], variants: Sequence[Variant], data: str) -> Figure:
    """Draw the accuracy by variant.

    Args:
        rows: of the study.
        variants: from top to bottom.
        data: the split.
    """
    figure = _figure(8.5, 0.32 * len(variants) + 1.6)
    axes = figure.subplots()
    heights = np.arange(len(variants))[::-1]
    rivals = {rival.name for rival in RIVALS}
    for height, variant in zip(heights, variants, strict=True):
        color = COLORS[1] if variant.name in rivals else COLORS[0]
        for row in select(rows, "top1", variant=variant.name, data=data):
            if "seed" in row.condition:
                axes.plot(row.value, height, "o", color=color, alpha=0.55, markersize=5)
            else:
                axes.plot(row.interval or (row.value, row.value), [height, height], color=color, linewidth=2)
                axes.plot(row.value, height, "|", color="#000000", markersize=11, markeredgewidth=1.6)
    for style, name in zip(("-", "--", "-.", ":"), (*LINEAR, COMMONEST), strict=True):
        for row in select(rows, "top1", model=name, data=data):
            axes.axvline(row.value, color="#666666", linestyle=style, linewidth=1, label=name)
    axes.set_yticks(heights, [variant.label for variant in variants], fontsize=8)
    axes.set_xlabel(f"top-1, {data} split")
    axes.grid(alpha=0.3)
    figure.legend(loc="outside lower center", ncols=2, fontsize=8)
    return figure


def time_plot(means: Sequence[Row], variant: Variant, data: str, classes: Sequence[str]) -> Figure:
    """Draw which classes need time: probabilities of the right class, and the difference between the streams.

    Args:
        means: rows of means over seeds.
        variant: whose streams.
        data: the split.
        classes: all of them.
    """
    found = {name: select(means, "importance", variant=variant.name, data=data, **{"class": name}) for name in classes}
    ordered = sorted((name for name in classes if found[name]), key=lambda name: found[name][0].value)
    figure = _figure(9.5, 0.27 * len(ordered) + 1.5)
    left, right = figure.subplots(1, 2, sharey=True)
    heights = np.arange(len(ordered))
    for stream, color in ((None, "#000000"), ("spatial", COLORS[1]), ("temporal", COLORS[0])):
        values = [
            select(means, "probability", variant=variant.name, data=data, stream=stream, **{"class": name})[0].value
            for name in ordered
        ]
        left.plot(values, heights, "o", color=color, label=stream or "main", markersize=5)
    for height, name in zip(heights, ordered, strict=True):
        row = found[name][0]
        right.plot(row.interval or (row.value, row.value), [height, height], color=COLORS[0], linewidth=2)
        right.plot(row.value, height, "|", color="#000000", markersize=10)
    right.axvline(0, color="#57606a", linewidth=0.8)
    left.set_yticks(heights, ordered, fontsize=8)
    left.set_xlabel("probability of the right class")
    right.set_xlabel("importance of time (temporal - spatial)")
    for axes in (left, right):
        axes.grid(alpha=0.3)
    figure.legend(loc="outside lower center", ncols=3, fontsize=8)
    return figure


def confusion_plot(rows: Sequence[Row], variant: Variant, classes: Sequence[str]) -> Figure:
    """Draw what is called what, in percent of each class.

    Args:
        rows: of the metric ``confusion``.
        variant: whose they are.
        classes: all of them.
    """
    shares = np.zeros((len(classes), len(classes)))
    for row in rows:
        shares[classes.index(str(row.condition["class"])), classes.index(str(row.condition["called"]))] = row.value
    side = 0.32 * len(classes) + 2.2
    figure = _figure(side, side)
    axes = figure.subplots()
    _ = axes.imshow(100 * shares, cmap="Blues", vmin=0, vmax=100)
    if len(classes) <= 30:
        for (truth, guess), share in np.ndenumerate(shares):
            if share >= 0.05:
                color = "white" if share > 0.5 else "black"
                axes.text(guess, truth, f"{100 * share:.0f}", ha="center", va="center", fontsize=6, color=color)
    axes.set_xticks(range(len(classes)), classes, rotation=90, fontsize=7)
    axes.set_yticks(range(len(classes)), classes, fontsize=7)
    axes.set_xlabel("called")
    axes.set_ylabel("said")
    axes.set_title(variant.label, fontsize=9)
    return figure


def _figure(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure
