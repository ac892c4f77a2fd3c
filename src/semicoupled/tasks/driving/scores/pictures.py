"""Answers and scores as pictures: along a drive, against the label, by kind of road.

Colors are those of Okabe and Ito, which color-blind people can tell apart; lines differ in their dashes as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from semicoupled.rows import Row, plain
from semicoupled.studies.trials import COLORS
from semicoupled.tasks.driving.answers import DriveAnswers
from semicoupled.tasks.driving.drives import Unit
from semicoupled.tasks.driving.scores.conditions import in_order
from semicoupled.tasks.driving.scores.importance import timeline
from semicoupled.tasks.driving.smoothing import smooth

UNITS: Mapping[Unit, str] = {"degrees": "degrees", "radians": "radians", "normalized": "share of full lock"}
"""As axes call them."""

MAIN, SPATIAL, TEMPORAL = COLORS[:3]
_POINTS = 4000
"""Of a scatter plot; more hide each other."""


def along_drive(drive: DriveAnswers, threshold: float, smoothing_seconds: float) -> Figure:
    """Draw angle, error and importance of time against time.

    Args:
        drive: answers along it; at least one frame.
        threshold: lambda of Eq. 24, in the unit of the angles.
        smoothing_seconds: length of the window of the smoothed label.
    """
    times = drive.times - drive.times[0]
    unit = UNITS[drive.unit]
    told = timeline(drive, threshold)
    figure = _figure(10.2, 4.4 if told is None else 5.8)
    heights = (3, 1.6) if told is None else (3, 1.6, 1.4)
    panels = list(np.atleast_1d(figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)))
    above, error = panels[:2]
    smoothed = smooth(drive.truth, drive.times, smoothing_seconds)
    above.plot(times, drive.truth, color="#bbbbbb", linewidth=0.9, label="driver")
    above.plot(times, smoothed, color="#000000", linewidth=1.3, label=f"driver, mean of {smoothing_seconds:g} s")
    _line(above, times, drive.main, "model", color=MAIN, linewidth=1.3)
    if told is not None:
        assert drive.spatial is not None
        assert drive.temporal is not None
        _line(above, times, drive.spatial, "spatial stream", color=SPATIAL, linestyle=":", linewidth=1)
        _line(above, times, drive.temporal, "temporal stream", color=TEMPORAL, linestyle="--", linewidth=1)
    above.set_ylabel(f"angle, {unit}\n(right is above 0)")
    above.set_title(f"drive {drive.drive}", fontsize=10)
    _beside(above)
    difference = drive.main - smoothed
    error.axhspan(-threshold, threshold, color="#dddddd", linewidth=0, label=f"within {threshold:g}")
    _line(error, times, difference, "model - driver, mean", color=MAIN, linewidth=1)
    error.set_ylabel(f"error,\n{unit}")
    _beside(error)
    if told is not None:
        _importance(panels[2], times, told.importance, told.disagreement, unit)
    panels[-1].set_xlabel("seconds since the begin of the drive")
    for axes in panels:
        axes.axhline(0, color="#57606a", linewidth=0.6)
        axes.grid(alpha=0.3)
        axes.set_xlim(0, max(float(times[-1]), 1e-3))
    return figure


def against_label(drives: Sequence[DriveAnswers], threshold: float, smoothing_seconds: float) -> Figure:
    """Draw answers against the smoothed label, a dot a frame, for each stream.

    Args:
        drives: answers along them.
        threshold: lambda of Eq. 24, shown as a band.
        smoothing_seconds: length of the window of the smoothed label.
    """
    labels = np.concatenate([smooth(drive.truth, drive.times, smoothing_seconds) for drive in drives])
    streams = {"model": np.concatenate([drive.main for drive in drives])}
    for stream in ("spatial", "temporal"):
        parts = [getattr(drive, stream) for drive in drives]
        if all(part is not None for part in parts):
            streams[f"{stream} stream"] = np.concatenate(parts)
    unit = UNITS[drives[0].unit]
    figure = _figure(3.3 * len(streams) + 0.4, 3.7)
    panels = figure.subplots(1, len(streams), sharex=True, sharey=True, squeeze=False)[0]
    everything = np.concatenate([labels, *streams.values()])
    reach = float(np.nanmax(np.abs(everything))) * 1.05 if np.isfinite(everything).any() else 1.0
    line = np.array([-reach, reach])
    for axes, (name, values), color in zip(panels, streams.items(), (MAIN, SPATIAL, TEMPORAL), strict=False):
        known = np.flatnonzero(~(np.isnan(labels) | np.isnan(values)))
        shown = known[np.linspace(0, len(known) - 1, min(_POINTS, len(known))).astype(int)] if len(known) else known
        axes.fill_between(line, line - threshold, line + threshold, color="#dddddd", label=f"within {threshold:g}")
        axes.plot(line, line, color="#57606a", linewidth=1, label="exact")
        axes.plot(labels[shown], values[shown], ".", markersize=2.5, alpha=0.35, color=color)
        axes.set_title(f"{name}, {len(known)} frames", fontsize=9)
        axes.set_xlabel(f"driver, mean of {smoothing_seconds:g} s, {unit}", fontsize=8)
        axes.set_aspect("equal")
        axes.set_xlim(-reach, reach)
        axes.set_ylim(-reach, reach)
        axes.grid(alpha=0.3)
    panels[0].set_ylabel(f"answer, {unit}")
    panels[0].legend(fontsize=8, loc="upper left")
    return figure


def by_road(rows: Sequence[Row], model: str, threshold: float, label: str = "raw") -> Figure:
    """Draw both streams' soft accuracy on each kind of road, and their difference: Table 6 as a picture.

    Args:
        rows: as `evaluation.score_answers` makes them.
        model: whose streams.
        threshold: lambda of Eq. 24.
        label: raw or smoothed.
    """
    about = {"angle_threshold": plain(threshold), "label": label}
    own = [row for row in rows if row.model == model and about.items() <= dict(row.condition).items()]
    roads = in_order([str(row.condition["road"]) for row in own if "road" in row.condition])
    names = ["all", *roads]
    figure = _figure(9.2, 3.5)
    left, right = figure.subplots(1, 2, width_ratios=(1.5, 1))
    counts: dict[str, int] = {}
    for offset, (name, metric, key, color) in enumerate(
        (
            ("spatial stream", "acc_soft", {"stream": "spatial"}, SPATIAL),
            ("temporal stream", "acc_soft", {"stream": "temporal"}, TEMPORAL),
            ("importance", "importance", {"score": "acc_soft"}, MAIN),
        )
    ):
        axes = right if metric == "importance" else left
        shown: list[tuple[int, Row]] = []
        for place, road in enumerate(names):
            wanted = {**about, **key, **({} if road == "all" else {"road": road})}
            shown += [(place, row) for row in own if row.metric == metric and dict(row.condition) == wanted]
        counts |= {names[place]: row.count for place, row in shown}
        across = [place + (0.0 if axes is right else 0.2 * (2 * offset - 1)) for place, _ in shown]
        bars(axes, across, [row for _, row in shown], name, color, 0.38)
    for axes in (left, right):
        axes.set_xticks(range(len(names)), [f"{name}\n{counts.get(name, 0)} frames" for name in names], fontsize=8)
        axes.grid(alpha=0.3, axis="y")
    left.set_ylabel(f"soft accuracy at {threshold:g} (Eq. 24)")
    left.set_ylim(bottom=0)
    left.legend(fontsize=8, ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1.0), frameon=False)
    right.axhline(0, color="#57606a", linewidth=0.8)
    right.set_ylabel("temporal - spatial")
    right.set_title("importance of time", fontsize=9)
    return figure


def bars(axes: Axes, across: Sequence[float], rows: Sequence[Row], name: str, color: str, width: float) -> None:
    """Draw scores as bars with their intervals.

    Args:
        axes: where to.
        across: places of the bars, in units of the axis.
        rows: their scores.
        name: what the legend calls them.
        color: of the bars.
        width: of the bars, in units of the axis.
    """
    values = np.array([row.value for row in rows])
    spans = np.array([row.interval or (row.value, row.value) for row in rows]).reshape(-1, 2)
    reach = np.maximum(np.abs(spans.T - values), 0)
    style: dict[str, Any] = {"ecolor": "#000000", "capsize": 3, "error_kw": {"linewidth": 1}}
    axes.bar(across, values, width=width, color=color, label=name, yerr=reach, **style)


def _line(axes: Axes, times: np.ndarray, values: np.ndarray, name: str, **style: Any) -> None:
    """Draw a line through the frames that have an answer, also where others lie between them."""
    known = ~np.isnan(values)
    axes.plot(times[known], values[known], label=name, **style)


def _beside(axes: Axes) -> None:
    """Put the legend to the right, where it hides nothing."""
    axes.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)


def _importance(axes: Axes, times: np.ndarray, importance: np.ndarray, disagreement: np.ndarray, unit: str) -> None:
    known = ~np.isnan(importance)
    if known.any():
        at, values = times[known], importance[known]
        axes.fill_between(at, 0, np.maximum(values, 0), color=TEMPORAL, alpha=0.7, linewidth=0, label="time says more")
        axes.fill_between(at, 0, np.minimum(values, 0), color=SPATIAL, alpha=0.7, linewidth=0, label="space says more")
        axes.set_ylabel("importance\nof time")
    else:
        _line(axes, times, disagreement, "temporal - spatial answer", color=MAIN, linewidth=1)
        axes.set_ylabel(f"difference,\n{unit}")
    _beside(axes)


def _figure(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure
