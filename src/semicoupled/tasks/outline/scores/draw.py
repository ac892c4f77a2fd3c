"""What a run's report shows: outlines of the validation split beside the truth, and scores."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from semicoupled.report import Picture, Section, rows_table
from semicoupled.tasks.outline.data import OutlineData, see
from semicoupled.tasks.outline.drawing.outlines import outline
from semicoupled.tasks.outline.drawing.pictures import add_outline
from semicoupled.tasks.outline.geometry.window import Window
from semicoupled.tasks.outline.model import OutlineModel
from semicoupled.tasks.outline.scores.evaluation import ask_for, score_sources, usable
from semicoupled.tasks.outline.settings import OutlineSettings, Prompt

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN = 12
SCORED = 200


def sections(settings: OutlineSettings, model: OutlineModel, data: OutlineData, folder: Path) -> Sequence[Section]:
    """Give the sections of a run's report."""
    del folder
    scored = usable(usable(data.sources, SCORED), settings.evaluation.limit)
    rows = [
        row
        for row in score_sources(
            model,
            settings.model.kind,
            scored,
            settings.data,
            settings.evaluation,
            seed=settings.seed,
        )
        if set(row.condition) <= {"prompt", "within_px"}
    ]
    return [
        Section(
            "Outlines",
            "Objects of the validation data as the network sees them. The start is marked by a circle; "
            "white is the truth.",
            [Picture(outlines_figure(settings, model, data, "start_end"), "Start and end given, color by confidence")],
        ),
        Section(
            "Scores",
            f"Of {len(scored)} objects; `semicoupled evaluate` scores all, by class and size. The grid's ceiling is "
            f"what {settings.data.grid} x {settings.data.grid} cells allow at best.",
            [rows_table(rows)],
        ),
    ]


def outlines_figure(settings: OutlineSettings, model: OutlineModel, data: OutlineData, prompt: Prompt) -> Figure:
    """Draw what the model makes of some objects."""
    from matplotlib.figure import Figure

    sources = usable(data.sources, SHOWN)
    size = settings.data.size
    views = [see(source, settings.data) for source in sources]
    windows = [Window(0, 0, size, size)] * len(views)
    asks = [ask_for(view, prompt) for view in views]
    found = outline(model, [view.image for view in views], windows, asks, most=settings.data.points)
    columns = 6
    lines = -(-len(views) // columns)
    figure = Figure(figsize=(1.9 * columns, 2.1 * lines), layout="constrained")
    panels = figure.subplots(lines, columns, squeeze=False).ravel()
    scale = size / settings.data.grid
    for panel in panels:
        panel.set_axis_off()
    for panel, source, view, one in zip(panels, sources, views, found, strict=False):
        panel.imshow(view.image, extent=(0, size, size, 0))
        truth = np.concatenate([view.polygons[0], view.polygons[0][:1]]) * scale
        panel.plot(truth[:, 0], truth[:, 1], color="white", linewidth=0.9, alpha=0.8)
        add_outline(panel, one)
        panel.set_title(f"{source.instance.label} {one.confidence:.2f}", fontsize=8)
        panel.set_xlim(0, size)
        panel.set_ylim(size, 0)
    return figure
