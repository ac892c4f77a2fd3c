"""Pictures of what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from semicoupled.rows import Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colors, which the color-blind tell apart
COLORS = {"semicoupled": "#0072B2", "reference": "#999999", "convlstm": "#D55E00", "convgru": "#E69F00"}
LABELS = {
    "semicoupled": "semicoupled",
    "reference": "reference loop",
    "convlstm": "ConvLSTM",
    "convgru": "ConvGRU",
    "r2plus1d_18": "R(2+1)D-18",
}


def speed_figure(rows: Sequence[Row]) -> Figure:
    """Draw shares of the peak, speedups, and milliseconds a frame.

    Args:
        rows: of `bench speed`.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 4.2), layout="constrained")
    share, speedup, stream = figure.subplots(1, 3)
    _shares(share, [row for row in rows if row.metric == "share_of_peak" and row.condition["preset"] == "paper15x64"])
    _speedups(speedup, [row for row in rows if row.metric == "speedup" and row.condition["preset"] == "paper15x64"])
    _streams(stream, [row for row in rows if row.metric == "ms_per_frame"])
    return figure


def memory_figure(rows: Sequence[Row]) -> Figure:
    """Draw peak memory against the length of the clip, by way.

    Args:
        rows: of `bench memory`.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    axes = figure.subplots()
    usual = [row for row in rows if _usual(row)]
    markers = dict(zip(dict.fromkeys(str(row.condition["way"]) for row in usual), "osD^v", strict=False))
    for way, marker in markers.items():
        points = sorted(
            (float(row.condition["frames"]), row.value / 2**20) for row in usual if row.condition["way"] == way
        )
        axes.plot([x for x, _ in points], [y for _, y in points], marker=marker, label=way)
    axes.set(xscale="log", yscale="log", xlabel="frames of the clip", ylabel="peak memory above the start (MiB)")
    axes.grid(alpha=0.3, which="both")
    axes.legend(title="way")
    return figure


def _usual(row: Row) -> bool:
    condition = row.condition
    return condition["way"] == "streaming" or (
        condition["layers"] == 15 and condition["size"] == 28 and condition["dtype"] == "float32"
    )


def _shares(axes: Axes, rows: Sequence[Row]) -> None:
    for name in ("semicoupled", "reference"):
        chosen = [row for row in rows if row.model == name and row.condition["frames"] == 10]
        _bars(axes, chosen, name, -0.2 if name == "semicoupled" else 0.2, 0.4, 100)
    axes.set(ylabel="share of the convolution peak (%)", title="15 layers x 64 channels, 28 px, 10 frames")
    axes.legend()


def _speedups(axes: Axes, rows: Sequence[Row]) -> None:
    for index, against in enumerate(("reference", "convlstm", "convgru")):
        chosen = [row for row in rows if row.condition["against"] == against and row.condition["frames"] == 10]
        _bars(axes, chosen, against, 0.27 * (index - 1), 0.27, 1)
    axes.axhline(1, color="black", linewidth=0.8)
    axes.set(ylabel="times faster than", title="same arithmetic type on both sides")
    axes.legend()


def _streams(axes: Axes, rows: Sequence[Row]) -> None:
    labels = [f"{row.condition['preset']}\n{row.condition['dtype']}" for row in rows]
    axes.bar(range(len(rows)), [row.value for row in rows], color=COLORS["semicoupled"])
    axes.set_xticks(range(len(rows)), labels, fontsize=8, rotation=45)
    axes.set(yscale="log", ylabel="milliseconds a frame, one core", title="streaming")
    axes.grid(alpha=0.3, axis="y")


def _bars(axes: Axes, rows: Sequence[Row], name: str, offset: float, width: float, factor: float) -> None:
    labels = [f"{row.condition['mode']}\n{row.condition['dtype']}, B {row.condition['batch']}" for row in rows]
    heights = [factor * row.value for row in rows]
    ends = [row.interval or (row.value, row.value) for row in rows]
    below = [height - factor * low for height, (low, _) in zip(heights, ends, strict=True)]
    above = [factor * high - height for height, (_, high) in zip(heights, ends, strict=True)]
    places = [index + offset for index in range(len(rows))]
    axes.bar(places, heights, width, yerr=[below, above], color=COLORS[name], label=LABELS[name], capsize=2)
    axes.set_xticks(range(len(rows)), labels, fontsize=7, rotation=45)
    axes.grid(alpha=0.3, axis="y")
