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

    figure = Figure(figsize=(13, 4.4), layout="constrained")
    _ = figure.suptitle("15 layers x 64 channels, 28 px, 10 frames; streaming at one frame a time", fontsize=10)
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
    usual = [row for row in rows if row.metric == "peak_bytes" and _usual(row)]
    markers = dict(zip(dict.fromkeys(str(row.condition["way"]) for row in usual), "osD^v", strict=False))
    for way, marker in markers.items():
        points = sorted(
            (float(row.condition["frames"]), row.value / 2**20) for row in usual if row.condition["way"] == way
        )
        axes.plot([x for x, _ in points], [y for _, y in points], marker=marker, label=way)
    axes.set(xscale="log", yscale="log", xlabel="frames of the clip", ylabel="peak memory above the start (MiB)")
    axes.grid(alpha=0.3, which="both")
    if usual:
        axes.legend(title="way")
    return figure


def ways_figure(rows: Sequence[Row]) -> Figure:
    """Draw how many times faster each way is than the plain one.

    Args:
        rows: of `bench ways`.
    """
    from matplotlib.figure import Figure

    shown = [row for row in rows if row.metric == "speedup"][::-1]  # the first on top
    ends = [row.interval or (row.value, row.value) for row in shown]
    figure = Figure(figsize=(8, 1.5 + 0.35 * len(shown)), layout="constrained")
    axes = figure.subplots()
    axes.barh(
        range(len(shown)),
        [row.value for row in shown],
        xerr=[
            [row.value - low for row, (low, _) in zip(shown, ends, strict=True)],
            [high - row.value for row, (_, high) in zip(shown, ends, strict=True)],
        ],
        color=COLORS["semicoupled"],
        capsize=2,
    )
    axes.set_yticks(range(len(shown)), [_way(row) for row in shown], fontsize=8)
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set(xlabel="times faster than the plain way")
    axes.grid(alpha=0.3, axis="x")
    return figure


def scaling_figure(rows: Sequence[Row]) -> Figure:
    """Draw the gradients that each preset sends in a step, and write the measured share of the ideal above.

    Args:
        rows: of `bench scaling`.
    """
    from matplotlib.figure import Figure

    sent = sorted((row for row in rows if row.metric == "gradient_bytes"), key=lambda row: row.value)
    shares = [row.value for row in rows if row.metric == "share_of_ideal" and row.condition["clock"] == "wall"]
    figure = Figure(figsize=(8, 1.5 + 0.2 * len(sent)), layout="constrained")
    axes = figure.subplots()
    axes.barh(range(len(sent)), [row.value / 1e6 for row in sent], color=COLORS["semicoupled"])
    axes.set_yticks(
        range(len(sent)), [f"{row.condition['task']} {row.condition['preset']}" for row in sent], fontsize=7
    )
    axes.set(xlabel="MB of gradients that a process sends in a step", xscale="log")
    if shares:
        axes.set_title(f"two processes: {shares[0]:.0%} of twice the speed of one", fontsize=9)
    axes.grid(alpha=0.3, axis="x")
    return figure


def _way(row: Row) -> str:
    sizes = [f"{row.condition[name]} {name}" for name in ("channels", "batch") if name in row.condition]
    return f"{row.condition['way']}, {row.condition['dtype']}, {', '.join(sizes)}"


def _usual(row: Row) -> bool:
    condition = row.condition
    return condition["way"] == "streaming" or (
        condition["layers"] == 15 and condition["size"] == 28 and condition["dtype"] == "float32"
    )


def _shares(axes: Axes, rows: Sequence[Row]) -> None:
    usual = [row for row in rows if row.condition["frames"] == 10]
    places = list(dict.fromkeys(_place(row) for row in usual))
    for name, offset in (("semicoupled", -0.2), ("reference", 0.2)):
        _bars(axes, [row for row in usual if row.model == name], places, offset, 0.4, 100)
    axes.set(ylabel="share of the convolution peak (%)")
    _finish(axes, places, 2)


def _speedups(axes: Axes, rows: Sequence[Row]) -> None:
    usual = [row for row in rows if row.condition["frames"] == 10]
    places = list(dict.fromkeys(_place(row) for row in usual))
    for index, against in enumerate(("reference", "convlstm", "convgru")):
        chosen = [row for row in usual if row.condition["against"] == against]
        _bars(axes, chosen, places, 0.27 * (index - 1), 0.27, 1)
    axes.axhline(1, color="black", linewidth=0.8)
    axes.set(ylabel="times faster than, same precision on both sides")
    _finish(axes, places, 3)


def _streams(axes: Axes, rows: Sequence[Row]) -> None:
    labels = [f"{row.condition['preset']}\n{row.condition['dtype']}" for row in rows]
    axes.bar(range(len(rows)), [row.value for row in rows], color=COLORS["semicoupled"])
    axes.set_xticks(range(len(rows)), labels, fontsize=8, rotation=45)
    axes.set(yscale="log", ylabel="milliseconds a frame, one core")
    axes.grid(alpha=0.3, axis="y")


def _bars(axes: Axes, rows: Sequence[Row], places: Sequence[str], offset: float, width: float, factor: float) -> None:
    """Draw one bar a row, over the place that its condition names."""
    ends = [row.interval or (row.value, row.value) for row in rows]
    below = [factor * (row.value - low) for row, (low, _) in zip(rows, ends, strict=True)]
    above = [factor * (high - row.value) for row, (_, high) in zip(rows, ends, strict=True)]
    middles = [places.index(_place(row)) + offset for row in rows]
    name = str(rows[0].condition.get("against", rows[0].model)) if rows else ""
    axes.bar(
        middles,
        [factor * row.value for row in rows],
        width,
        yerr=[below, above],
        color=COLORS.get(name),
        label=LABELS.get(name),
        capsize=2,
    )


def _place(row: Row) -> str:
    return f"{row.condition['mode']}\n{row.condition['dtype']}, B {row.condition['batch']}"


def _finish(axes: Axes, places: Sequence[str], columns: int) -> None:
    axes.set_xticks(range(len(places)), places, fontsize=7, rotation=45)
    axes.grid(alpha=0.3, axis="y")
    if places:
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.12), ncols=columns, fontsize=8, frameon=False)
