"""Scores as pictures and tables: curves by lead, what fading costs, and whether probabilities keep what they say.

Colors are those of Okabe and Ito, which color-blind people can tell apart; every model has a marker of its own as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from semicoupled.report import Cell, Table
from semicoupled.rows import Row, plain
from semicoupled.tasks.nowcasting.scores.reliability import BINS

COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
MARKERS = "os^Dvx"
BASELINES = ("advection", "advection_blur", "persistence", "sprog")
"""They look the same in every picture; a model that is none of them comes before."""
_LIMITS = {"lead_minutes", "event", "pooling", "against"}


def over_all(rows: Iterable[Row], *metrics: str) -> list[Row]:
    """Pick pooled rows that are limited to no lead and no event.

    Args:
        rows: as `scoring.score_rows` makes them.
        metrics: that are wanted.
    """
    return [row for row in rows if row.metric in metrics and not _LIMITS & set(row.condition)]


def score_curves(rows: Sequence[Row], metric: str, threshold: float | None = None) -> Figure:
    """Draw a pooled score against the lead, a line a model.

    Args:
        rows: as `scoring.score_rows` makes them; those of single events are left out.
        metric: the score.
        threshold: dBZ, for categorical scores.
    """
    figure = _figure(5.2, 3.4)
    axes = figure.add_subplot()
    chosen = [
        row
        for row in rows
        if row.metric == metric
        and _LIMITS & set(row.condition) == {"lead_minutes"}
        and row.condition.get("threshold_dbz") == threshold
    ]
    for model in _models(chosen):
        own = [row for row in chosen if row.model == model]
        minutes = [float(row.condition["lead_minutes"]) for row in own]
        axes.plot(minutes, [row.value for row in own], label=model, **_style(model))
        spans = [row.interval or (row.value, row.value) for row in own]
        lows, highs = zip(*spans, strict=True)
        axes.fill_between(minutes, lows, highs, alpha=0.12, color=_style(model)["color"])
    axes.set_xlabel("minutes ahead")
    unit = chosen[0].unit if chosen and chosen[0].unit != "1" else ""
    axes.set_ylabel(f"{metric.upper()} {unit}".strip() + (f" at {threshold:g} dBZ" if threshold is not None else ""))
    _finish(axes, bool(chosen))
    return figure


def blur_audit(rows: Sequence[Row]) -> Table:
    """Lay out what fading costs: power by wavelength, area of rain by threshold, highest value; forecast over observed.

    Args:
        rows: as `scoring.score_rows` makes them.
    """
    chosen = over_all(rows, "spectrum_ratio", "frequency_bias", "maximum_ratio")
    columns: dict[str, dict[str, float]] = {}
    for row in chosen:
        if row.metric == "spectrum_ratio":
            head = f"power {row.condition['band_km']} km"
        elif row.metric == "frequency_bias":
            head = f"area {row.condition['threshold_dbz']} dBZ"
        else:
            head = "highest dBZ"
        columns.setdefault(head, {})[row.model] = row.value
    heads = sorted(columns, key=lambda head: ("power", "area", "highest").index(head.split()[0]))
    lines: list[list[Cell]] = [[model, *(columns[head].get(model) for head in heads)] for model in _models(chosen)]
    return Table(["model", *heads], lines, "Forecast over observed, pooled over all leads: 1 is as much as there was")


def blur_curves(rows: Sequence[Row]) -> Figure:
    """Draw the ratio of power by wavelength, and the frequency bias by threshold.

    Args:
        rows: as `scoring.score_rows` makes them.
    """
    figure = _figure(7.6, 3.4)
    panels = figure.subplots(1, 2)
    for axes, metric, label, title, unit in zip(
        panels,
        ("spectrum_ratio", "frequency_bias"),
        ("band_km", "threshold_dbz"),
        ("power at each wavelength", "area of rain (frequency bias)"),
        ("km", "dBZ"),
        strict=True,
    ):
        chosen = [row for row in over_all(rows, metric) if not np.isnan(row.value)]
        names = list(dict.fromkeys(row.condition[label] for row in chosen))
        axes.axhline(1, color="#57606a", linewidth=1)
        for model in _models(over_all(rows, metric)):
            own = [row for row in chosen if row.model == model]
            axes.plot([names.index(row.condition[label]) for row in own], [row.value for row in own], label=model,
                      **_style(model))  # fmt: skip
        axes.set_xticks(range(len(names)), [str(name) for name in names])
        axes.set_xlabel(f"{'wavelength' if unit == 'km' else 'at least'}, {unit}")
        axes.set_ylabel("forecast / observed")
        axes.set_title(title, fontsize=9)
        axes.set_ylim(bottom=0)
        _finish(axes, bool(chosen) and metric == "spectrum_ratio")
    return figure


def difference_table(rows: Sequence[Row]) -> Table:
    """Say whether ours is better than each baseline: pooled differences with their intervals.

    Args:
        rows: as `scoring.score_rows` makes them.
    """
    lines: list[list[Cell]] = []
    for row in rows:
        if not row.metric.endswith("_difference") or "lead_minutes" in row.condition or "event" in row.condition:
            continue
        metric = row.metric.removesuffix("_difference")
        if metric == "fss":
            continue
        at = f" at {row.condition['threshold_dbz']} dBZ" if "threshold_dbz" in row.condition else ""
        low, high = row.interval or (float("nan"), float("nan"))
        better = (high < 0, low > 0) if metric == "mse" else (low > 0, high < 0)
        verdict = "better" if better[0] else "worse" if better[1] else "undecided"
        lines.append([row.model, str(row.condition["against"]), f"{metric}{at}", row.value, low, high, verdict])
    caption = "Ours minus a baseline, over the same pixels; the interval holds 90 % of a bootstrap over start times"
    return Table(["model", "against", "score", "difference", "from", "to", ""], lines, caption)


def reliability_diagram(rows: Sequence[Row], threshold: float) -> Figure:
    """Draw how often it rained against how likely it was said to be, over a histogram of what was said.

    Args:
        rows: as `reliability.probability_rows` makes them.
        threshold: dBZ.
    """
    figure = _figure(4.4, 4.6)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    chosen = [
        row for row in rows if "probability_bin" in row.condition and row.condition["threshold_dbz"] == plain(threshold)
    ]
    above.plot([0, 1], [0, 1], color="#57606a", linewidth=1)
    models = _models(chosen)
    for index, model in enumerate(models):
        said, seen = (
            [row for row in chosen if row.model == model and row.metric == metric]
            for metric in ("forecast_probability", "observed_frequency")
        )
        kept = [number for number, row in enumerate(seen) if row.count]
        across = [said[number].value for number in kept]
        spans = [seen[number].interval or (seen[number].value,) * 2 for number in kept]
        values = [seen[number].value for number in kept]
        errors = np.abs(np.array(spans).reshape(-1, 2).T - np.array(values))
        above.errorbar(across, values, yerr=errors, label=model, capsize=2, **_style(model))
        width = 0.8 / BINS / max(1, len(models))
        places = (np.arange(len(seen)) + 0.1) / BINS + (index + 0.5) * width
        below.bar(places, [row.count for row in seen], width=width, color=_style(model)["color"])
    above.set_ylabel(f"frequency of at least {threshold:g} dBZ")
    _finish(above, bool(chosen))
    if any(row.count for row in chosen):
        below.set_yscale("log")
    below.set_ylabel("pixels")
    below.set_xlabel("forecast probability")
    below.set_xlim(0, 1)
    below.grid(alpha=0.3)
    return figure


def _figure(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _models(rows: Iterable[Row]) -> list[str]:
    return list(dict.fromkeys(row.model for row in rows))


def _style(model: str) -> dict[str, Any]:
    index = BASELINES.index(model) + 1 if model in BASELINES else 0
    return {"color": COLORS[index], "marker": MARKERS[index]}


def _finish(axes: Axes, legend: bool) -> None:
    axes.grid(alpha=0.3)
    if legend:
        axes.legend(fontsize=8)
