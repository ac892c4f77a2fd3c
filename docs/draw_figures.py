"""Draw the figures of the page on the method from the code itself: by hand are boxes and arrows alone.

``python docs/draw_figures.py DIR`` writes them; Sphinx does it before every build (conf.py).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from matplotlib import rcParams
from matplotlib.figure import Figure

from semicoupled.explain.chains_plot import paper_counts, plot_chains
from semicoupled.nn import SemiCoupledStack
from semicoupled.training.ltsc import plan
from semicoupled.training.stsgd import STSGD

SPACE, TIME, BOTH = "#2166ac", "#b2182b", "#4d4d4d"
LAYERS, FRAMES = 8, 10


def layer() -> Figure:
    """Eq. 4 to 6: what a layer computes at one time."""
    figure = Figure(figsize=(7.5, 3.1))
    panel = figure.add_axes((0, 0, 1, 1))
    panel.set(xlim=(0, 15), ylim=(0, 6.2))
    panel.axis("off")

    def box(x: float, y: float, text: str, color: str, width: float = 2.2) -> None:
        style = {"boxstyle": "round,pad=0.3", "facecolor": "white", "edgecolor": color, "linewidth": 1.6}
        panel.text(x, y, text, ha="center", va="center", fontsize=10, bbox=style, zorder=3)

    def arrow(
        start: tuple[float, float], end: tuple[float, float], color: str, text: str = "", bend: float = 0.0
    ) -> None:
        about = {"arrowstyle": "-|>", "color": color, "linewidth": 1.6, "connectionstyle": f"arc3,rad={bend}"}
        panel.annotate("", end, start, arrowprops=about, zorder=2)
        if text:
            panel.text((start[0] + end[0]) / 2, (start[1] + end[1]) / 2 + 0.25, text, ha="center", fontsize=9)

    box(1.3, 3.1, "$u_t^{l-1}$\nthe layer below", BOTH)
    box(5.0, 4.9, "$\\mathrm{Conv}_s$ (4)", SPACE)
    box(5.0, 1.5, "$\\mathrm{Conv}_u + \\mathrm{Conv}_c$ (5)", TIME)
    box(9.0, 4.9, "ReLU", SPACE)
    box(9.0, 1.5, "$\\sigma$", TIME)
    box(11.2, 3.1, "$\\circ$ (6)", BOTH)
    box(13.7, 3.1, "$u_t^l$\nthe layer above", BOTH)
    arrow((2.2, 3.6), (4.0, 4.8), SPACE)
    arrow((2.2, 2.6), (3.4, 1.8), TIME)
    arrow((6.0, 4.9), (8.4, 4.9), SPACE, "$s_t^l$")
    arrow((6.9, 1.5), (8.6, 1.5), TIME, "$c_t^l$")
    arrow((9.5, 4.8), (10.9, 3.5), SPACE)
    arrow((9.4, 1.7), (10.9, 2.8), TIME)
    arrow((11.7, 3.1), (12.7, 3.1), BOTH)
    arrow((9.0, 1.1), (5.4, 1.1), TIME, bend=-0.25)
    panel.text(7.2, 0.2, "$\\sigma(c_{t-1}^l)$: one frame later", ha="center", fontsize=9, color=TIME)
    panel.text(2.6, 5.3, "space: what is there", ha="center", fontsize=9, color=SPACE)
    panel.text(2.3, 0.7, "time: what becomes of it", ha="center", fontsize=9, color=TIME)
    return figure


def gate() -> Figure:
    """Both branches of one layer, and their product, on a square that moves: weights are set, nothing is learned."""
    frames, size = 6, 20
    clip = torch.zeros(1, frames, 1, size, size)
    for time in range(frames):
        clip[0, time, 0, 7:13, 1 + 2 * time : 7 + 2 * time] = 1.0
        clip[0, time, 0, 2:5, 14:18] = 1.0
    net = SemiCoupledStack(1, [1], norm="none").eval()
    (only,) = net.layers
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.zero_()
        only.spatial.weight[0, 0, 1, 1] = 1.0  # space: what is bright
        only.drive.weight[0, 0, 1, 1], only.drive.bias[0] = 8.0, -6.0  # time: what is bright now ...
        only.cell.recurrent.weight[0, 0, 1, 1] = -3.5  # ... the more so where the gate was not open before
        out = net(clip, record=("spatial", "gate", "features"))
    (record,) = [one for one in out.record if one.stream == "main"]
    lines = {
        "frames": clip[0, :, 0],
        "space: ReLU($s_t$)": record.spatial[0, :, 0].relu(),
        "time: $\\sigma(c_t)$": record.gate[0, :, 0],
        "$u_t$ = product": record.features[0, :, 0],
    }
    figure = Figure(figsize=(8, 4.6), layout="constrained")
    panels = figure.subplots(len(lines), frames)
    for row, (name, maps) in zip(panels, lines.items(), strict=True):
        for panel, picture in zip(row, maps, strict=True):
            panel.imshow(picture.numpy(), cmap="viridis", vmin=0, vmax=1)
            panel.set(xticks=[], yticks=[])
        row[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
    return figure


def switches() -> Figure:
    """One draw of all switches (Eq. 17, 18), and what they leave of the gradient, layer by layer."""
    figure = Figure(figsize=(8, 3.1), layout="constrained")
    drawn, thinned = figure.subplots(1, 2, width_ratios=(1.1, 1))
    draw = STSGD(LAYERS, seed=0, start=0.5).draw(step=0)
    for index in range(1, LAYERS):
        for branch, color, offset in (("spatial", SPACE, 0.16), ("temporal", TIME, -0.16)):
            pattern = draw.pattern(branch, index, FRAMES, 1)
            for frame, is_open in enumerate(pattern.open.reshape(-1).tolist()):
                drawn.plot(frame, index + 1 + offset, "o", color=color, fillstyle="full" if is_open else "none", ms=5)
    drawn.set(xlabel="frame", ylabel="layer", title="One draw, p = 0.5: filled is open")
    thinned.set(
        xlabel="layer",
        ylabel="mean size of the gradient,\nwhere that of p = 0 is 1",
        title="What reaches the weights",
        yscale="log",
    )
    whole: list[float] = []
    for stop in (0.0, 0.3, 0.5):
        sizes = gradients(stop)
        whole = whole or sizes
        shares = [size / full for size, full in zip(sizes, whole, strict=True)]
        thinned.plot(range(1, LAYERS + 1), shares, marker=".", label=f"p = {stop:g}")
    thinned.legend(fontsize=8)
    return figure


def gradients(stop: float, draws: int = 12) -> list[float]:
    """Give the mean absolute gradient of Conv_s by layer, over some draws, without shortcuts."""
    torch.manual_seed(0)
    net = SemiCoupledStack(1, [6] * LAYERS, norm="none", shortcut_every=None)
    frames = torch.rand(2, FRAMES, 1, 8, 8)
    for draw in range(draws):
        net(frames, switch=STSGD(LAYERS, seed=draw, start=stop, schedule="constant").draw(step=0)).main.sum().backward()
    return [float(one.spatial.weight.grad.abs().mean()) for one in net.layers]


def segments() -> Figure:
    """LTSC: a sequence in overlapping segments (Eq. 21, 22), as `plan` cuts it."""
    figure = Figure(figsize=(8, 2.2), layout="constrained")
    panel = figure.subplots()
    parts = plan(length=40, segment_length=12, overlap=0.25)
    for row, part in enumerate(parts):
        panel.barh(-row, len(part), left=part.start, height=0.6, color=SPACE, alpha=0.35)
        if row:
            shared = parts[row - 1].stop - part.start
            panel.barh(-row, shared, left=part.start, height=0.6, color=TIME, alpha=0.5)
            about = {"arrowstyle": "-|>", "color": BOTH}
            panel.annotate("", (part.start, -row + 0.3), (part.start, -row + 0.75), arrowprops=about)
    panel.text(parts[1].start + 0.4, -0.5, "state, without gradient", fontsize=8, va="center", color=BOTH)
    panel.set(xlabel="frame", yticks=[-row for row in range(len(parts))], xlim=(0, 40))
    panel.set_yticklabels([f"segment {row + 1}" for row in range(len(parts))])
    return figure


def chains() -> Figure:
    """Fig. 3 of the paper: expected number of back-propagation chains by their length."""
    return plot_chains(paper_counts())


FIGURES: dict[str, Callable[[], Any]] = {
    "layer": layer,
    "gate": gate,
    "switches": switches,
    "segments": segments,
    "chains": chains,
}


def draw_all(folder: Path) -> list[Path]:
    """Draw all figures into a folder, as SVG whose bytes don't depend on the day."""
    folder.mkdir(parents=True, exist_ok=True)
    rcParams["svg.hashsalt"] = "semicoupled"
    written = [folder / f"{name}.svg" for name in FIGURES]
    for file, draw in zip(written, FIGURES.values(), strict=True):
        draw().savefig(file, metadata={"Date": None})
    return written


if __name__ == "__main__":
    draw_all(Path(sys.argv[1]))
