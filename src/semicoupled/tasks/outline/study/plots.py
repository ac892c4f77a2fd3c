"""The study of outlines as pictures: IoU by depth, and the course of training (Fig. 5c)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from semicoupled.rows import Row
from semicoupled.studies.scores import select
from semicoupled.studies.trials import COLORS, Variant
from semicoupled.tasks.outline.scores.evaluation import BOX, CEILING, ELLIPSE
from semicoupled.tasks.outline.study.goals import ALL_DEPTHS, PROMPT
from semicoupled.tasks.outline.study.paper import PAPER_TABLE_4

KINDS = {"semicoupled": "Semi-Coupled Structure", "convlstm": "ConvLSTM", "convgru": "ConvGRU", "cbm": "CBM"}
_STYLES = ("-", "--", "-.", ":")


def depth_plot(rows: Sequence[Row], names: Collection[str]) -> Figure:
    """Draw IoU by depth, ours to the left and the paper's to the right.

    Args:
        rows: of the study.
        names: of the variants that were trained.
    """
    figure = _figure(10.5, 4.2)
    left, right = figure.subplots(1, 2)
    for index, (kind, label) in enumerate(KINDS.items()):
        color, shift = COLORS[index], (index - 1.5) * 0.12
        depths = [layers for layers in ALL_DEPTHS if f"{kind}_{layers}" in names]
        values: list[float] = []
        for layers in depths:
            found = select(rows, "iou", variant=f"{kind}_{layers}", prompt=PROMPT)
            for row in found:
                if "seed" in row.condition:
                    left.plot(layers + shift, row.value, "o", color=color, alpha=0.5, markersize=4)
                elif row.interval is not None:
                    left.plot([layers + shift] * 2, row.interval, color=color, linewidth=2)
            values.append(next(row.value for row in found if "seed" not in row.condition))
        left.plot([layers + shift for layers in depths], values, color=color)
        paper = {
            layers: PAPER_TABLE_4[f"{kind}_{layers}"] for layers in ALL_DEPTHS if f"{kind}_{layers}" in PAPER_TABLE_4
        }
        right.plot(list(paper), list(paper.values()), "o-", color=color, label=label)
    for style, name in zip(_STYLES[1:], (CEILING, BOX, ELLIPSE), strict=True):
        plain = [row for row in select(rows, "iou", model=name) if "variant" not in row.condition]
        for row in plain:
            left.axhline(row.value, color="#666666", linestyle=style, linewidth=1, label=name)
    left.set_title("here: IoU, start and end given", fontsize=9)
    right.set_title("the paper, Cityscapes: IoU in percent", fontsize=9)
    for axes in (left, right):
        axes.set_xticks(ALL_DEPTHS)
        axes.set_xlabel("layers of the decoder")
        axes.grid(alpha=0.3)
    left.set_xlim(*right.get_xlim())
    known_kinds, plain_shapes = right.get_legend_handles_labels(), left.get_legend_handles_labels()
    handles, labels = (one + other for one, other in zip(known_kinds, plain_shapes, strict=True))
    figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=8)
    return figure


def curve_plot(rows: Sequence[Row], panels: Sequence[tuple[str, Sequence[Variant]]]) -> Figure:
    """Draw the loss of training against the wall time, a line a seed (Fig. 5c).

    Args:
        rows: of the study.
        panels: titles with the variants that are drawn.
    """
    figure = _figure(5.5 * max(len(panels), 1), 4.6)
    shown = figure.subplots(1, max(len(panels), 1), squeeze=False)[0]
    for axes, (title, variants) in zip(shown, panels, strict=False):
        depths = sorted({variant.name.split("_")[1] for variant in variants}, key=int)
        for index, variant in enumerate(variants):
            kind, depth = variant.name.split("_")[:2]
            by_kind = title == "depth"
            color = COLORS[list(KINDS).index(kind)] if by_kind else COLORS[index % len(COLORS)]
            style = _STYLES[depths.index(depth) % len(_STYLES)] if by_kind else "-"
            own = [row for row in rows if row.metric == "training_loss" and row.condition["variant"] == variant.name]
            for number, seed in enumerate(dict.fromkeys(row.condition["seed"] for row in own)):
                course = sorted((float(r.condition["minutes"]), r.value) for r in own if r.condition["seed"] == seed)
                minutes, losses = zip(*course, strict=True)
                axes.plot(minutes, losses, style, color=color, linewidth=1.1, label=None if number else variant.label)
        axes.set_title(f"by {title}", fontsize=9)
        axes.set_xlabel("minutes")
        axes.grid(alpha=0.3)
        axes.legend(fontsize=7)
    shown[0].set_ylabel("loss of training")
    return figure


def _figure(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure
