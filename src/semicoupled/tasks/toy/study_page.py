"""What a study shows: a table, a plot, and the section of a page in the documentation."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import TYPE_CHECKING

from semicoupled.report import Table
from semicoupled.rows import Row
from semicoupled.studies.trials import COLORS, Variant, options_list
from semicoupled.tasks.toy.studies import ALL_DISTANCES, STUDIES, WAYS, choose

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAGE_TITLE = "# The toys: results\n\nEvery section is written by the command that stands in it.\n"

# markers and dashes tell what colors leave
_MARKERS = "osD^vX"
_DASHES = ("-", "--", "-.", ":")


def distances_of(rows: Sequence[Row]) -> list[str]:
    """Give the ranges of distances in the rows, near ones first, all distances together last."""
    names = {str(row.condition["distance"]) for row in rows}
    ranges = sorted(names - {ALL_DISTANCES}, key=lambda name: int(name.partition("-")[0]))
    return [*ranges, *sorted(names & {ALL_DISTANCES})]


def values_of(rows: Sequence[Row], variant: str, way: str, distance: str) -> list[float]:
    """Give one score for each seed."""
    asked = {"variant": variant, "tested": way, "distance": distance}
    return [row.value for row in rows if all(row.condition[name] == value for name, value in asked.items())]


def table(study: str, rows: Sequence[Row]) -> Table:
    """Lay a study's scores out: a line for each variant and way of testing, a column for each range of distances.

    Args:
        study: its name.
        rows: what `run_study` gave; of several seeds mean and standard deviation are shown.
    """
    distances = distances_of(rows)
    lines: list[list[str]] = []
    for variant in _present(study, rows):
        for way in WAYS:
            cells = [_cell(values_of(rows, variant.name, way, distance)) for distance in distances]
            lines.append([variant.label, _steps(rows, variant.name), way, *cells])
    caption = f"Share of frames answered right within a frame, by how many frames ago the star was. {_trained(rows)}"
    return Table(["variant", "steps", "tested", *distances], lines, caption)


def best(study: str, rows: Sequence[Row]) -> str:
    """Say in a sentence which variant is best at the farthest distances, streamed."""
    farthest = [name for name in distances_of(rows) if name != ALL_DISTANCES][-1]
    means = {
        variant.label: statistics.mean(values)
        for variant in _present(study, rows)
        if (values := values_of(rows, variant.name, WAYS[0], farthest))
    }
    label = max(means, key=lambda name: means[name])
    return f"At {farthest} frames, {WAYS[0]}, the best reaches {means[label]:.3f}: {label}."


def plot(study: str, rows: Sequence[Row]) -> Figure:
    """Draw accuracy against distance, one panel a way of testing; bars reach from the lowest to the highest seed."""
    from matplotlib.figure import Figure

    distances = [name for name in distances_of(rows) if name != ALL_DISTANCES]
    present = _present(study, rows)
    figure = Figure(figsize=(9.5, 4.2 + 0.16 * len(present)), layout="constrained")
    panels = figure.subplots(1, len(WAYS), sharey=True, squeeze=False)[0]
    for panel, way in zip(panels, WAYS, strict=True):
        for number, variant in enumerate(present):
            seeds = [values_of(rows, variant.name, way, distance) for distance in distances]
            means = [statistics.mean(values) for values in seeds]
            spread = [
                [mean - min(values) for mean, values in zip(means, seeds, strict=True)],
                [max(values) - mean for mean, values in zip(means, seeds, strict=True)],
            ]
            panel.errorbar(
                [place + 0.03 * (number - len(present) / 2) for place in range(len(distances))],
                means,
                yerr=spread,
                label=variant.label,
                color=COLORS[number % len(COLORS)],
                marker=_MARKERS[number % len(_MARKERS)],
                linestyle=_DASHES[number % len(_DASHES)],
                linewidth=1.4,
                markersize=5,
                capsize=2,
            )
        panel.set_title(f"tested {way}", fontsize=10)
        panel.set_xticks(range(len(distances)), distances)
        panel.set_xlabel("frames since the star")
        panel.set_ylim(-0.03, 1.03)
        panel.grid(alpha=0.3)
    panels[0].set_ylabel("right within a frame")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, fontsize=8)
    return figure


def section(study: str, rows: Sequence[Row], command: str, picture: str) -> str:
    """Write a study's section in Markdown.

    Args:
        study: its name.
        rows: its scores.
        command: what made them.
        picture: the plot's file, as seen from the page.
    """
    shown = table(study, rows)
    heads = "| " + " | ".join(shown.columns) + " |\n|" + "---|" * len(shown.columns)
    lines = "\n".join("| " + " | ".join(str(cell) for cell in row) + " |" for row in shown.rows)
    return (
        f"## {STUDIES[study].title}\n\n    {command}\n\n{shown.caption}\n\n{heads}\n{lines}\n\n"
        f"{best(study, rows)}\n\n![{shown.caption}]({picture})\n\n"
        f"All begin with the preset `{study}` and differ in\n\n{options_list(_present(study, rows))}"
    )


def _present(study: str, rows: Sequence[Row]) -> tuple[Variant, ...]:
    return choose(study, [str(row.condition["variant"]) for row in rows])


def _trained(rows: Sequence[Row]) -> str:
    seeds = sorted({int(row.condition["seed"]) for row in rows})
    if len(seeds) == 1:
        return f"Seed {seeds[0]}."
    return f"Seeds {', '.join(map(str, seeds))}: mean ± standard deviation."


def _steps(rows: Sequence[Row], variant: str) -> str:
    steps = sorted({int(row.condition["steps"]) for row in rows if row.condition["variant"] == variant})
    return f"{steps[0]}" if len(steps) == 1 else f"{steps[0]} to {steps[-1]}"


def _cell(values: Sequence[float]) -> str:
    if not values:
        return "–"
    mean = f"{statistics.mean(values):.3f}"
    return mean if len(values) == 1 else f"{mean} ± {statistics.stdev(values):.3f}"
