"""What the study of rain shows: tables, a plot, what had to be reached, and the section of a page."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from semicoupled.report import Cell, Table
from semicoupled.rows import Condition, Row
from semicoupled.studies import page as study_page
from semicoupled.studies.answers import VALIDATION
from semicoupled.studies.page import differences, present
from semicoupled.studies.scores import baseline, range_of, said_seeds, select, spread_cell, spread_of, verdict
from semicoupled.studies.trials import COLORS, Spread, options_list
from semicoupled.tasks.nowcasting.study.goals import THRESHOLDS, goals
from semicoupled.tasks.nowcasting.study.paper import PAPER_TABLE_7
from semicoupled.tasks.nowcasting.study.rows import events_of
from semicoupled.tasks.nowcasting.study.variants import PAIRS, VARIANTS
from semicoupled.tasks.nowcasting.units import HIGHEST_DBZ

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAGE_TITLE = "# Nowcasting: results\n\nEvery section between two marks is written by the command that stands in it.\n"

BASELINES = {
    "persistence": "persistence",
    "advection": "advection",
    "advection_blur": "advection, blurred",
    "sprog": "S-PROG",
}
CAPTION = "Squared error and CSI by lead. Bars reach from the lowest to the highest seed."
TABLE_7 = (("mse", "MSE"), ("csi", "CSI"), ("far", "FAR"), ("pod", "POD"), ("correlation", "COR"))
TABLE_7_THRESHOLD = 30
"""dBZ: .5 on the paper's scale of 0 to 1, which is dBZ / 60 here."""
_MARKERS = "osD^vXPd*"

Asked = tuple[str, dict[str, Condition | None]]
"""A metric, and what it is limited to."""


def data_of(rows: Sequence[Row]) -> list[str]:
    """Give the names of the fields that were scored on, those held back first."""
    return list(dict.fromkeys(str(row.condition["data"]) for row in rows if "data" in row.condition))


def places(rows: Sequence[Row], data: str) -> list[str | None]:
    """Give what has a table: each event, or None where all is one."""
    return [*events_of(rows, data)] or [None]


def score_table(rows: Sequence[Row], data: str, event: str | None = None) -> Table:
    """Lay the scores over all leads out: a line for each variant and baseline.

    Args:
        rows: of the study.
        data: the fields.
        event: one of their events, or None for all together.
    """
    asked: list[Asked] = [("mse", {}), *(("csi", {"threshold_dbz": threshold}) for threshold in THRESHOLDS)]
    heads = ["parameters", "steps", "MSE, dBZ^2", *(f"CSI {threshold} dBZ" for threshold in THRESHOLDS)]
    lines: list[list[Cell]] = []
    for label, variant, found in _lines(rows, data, event, asked):
        took = ("", "") if variant is None else _took(rows, variant)
        lines.append([label, *took, *(spread_cell(spread) for spread in found)])
    return Table(["", *heads], lines, f"{_called(data, event)}: all leads together. {said_seeds(rows)}")


def blur_table(rows: Sequence[Row], data: str, event: str | None = None) -> Table:
    """Lay out what fading costs, means over seeds: area of rain by threshold and power by wavelength.

    Args:
        rows: of the study.
        data: the fields.
        event: one of their events, or None for all together.
    """
    thresholds = (*THRESHOLDS, TABLE_7_THRESHOLD)
    bands = dict.fromkeys(str(row.condition["band_km"]) for row in rows if row.metric == "spectrum_ratio")
    asked: list[Asked] = [("frequency_bias", {"threshold_dbz": threshold}) for threshold in thresholds]
    asked.extend(("spectrum_ratio", {"band_km": band}) for band in bands)
    heads = [*(f"area {threshold} dBZ" for threshold in thresholds), *(f"power {band} km" for band in bands)]
    lines: list[list[Cell]] = [
        [label, *(None if spread is None else spread.mean for spread in found)]
        for label, _, found in _lines(rows, data, event, asked)
    ]
    caption = (
        f"{_called(data, event)}: area of rain, and power by wavelength, forecast over observed. 1 is right, less is "
        "faded. Means over seeds."
    )
    return Table(["", *heads], lines, caption)


def difference_table(rows: Sequence[Row]) -> Table:
    """Lay the differences of squared errors out: ours minus the rival's, for each pair and event."""
    labels = {variant.name: variant.label for variant in VARIANTS} | BASELINES
    pairs = [*PAIRS, *(("semicoupled", name) for name in ("advection", "advection_blur"))]
    lines: list[list[Cell]] = []
    for ours, other in pairs:
        for data in data_of(rows):
            for event in places(rows, data):
                about: dict[str, Condition | None] = {"data": data, "event": event, "variant": ours, "against": other}
                pair, place = f"{labels[ours]} - {labels[other]}", _called(data, event)
                for found in differences(rows, "mse", about):
                    lines.append([pair, place, found.value, found.interval, found.seeds])
    caption = (
        "Difference of the squared errors, dBZ^2: mean over seeds; 90 % of a bootstrap over start times, the same "
        "draws for both; lowest and highest difference seed by seed. Below 0 the first is better."
    )
    return Table(["", "on", "difference", "interval", "seeds"], lines, caption)


def paper_table(rows: Sequence[Row]) -> Table:
    """Lay Table 7 out: our figures on what was held back, the paper's below."""
    threshold = TABLE_7_THRESHOLD
    lines: list[list[Cell]] = []
    for variant in present(VARIANTS, rows):
        cells: list[Cell] = []
        for metric, _ in TABLE_7:
            scale = HIGHEST_DBZ**2 if metric == "mse" else 1
            at = {} if metric == "mse" else {"threshold_dbz": threshold}
            found = spread_of(select(rows, metric, variant=variant.name, data=VALIDATION, **at))
            cells.append(spread_cell(None if found is None else Spread(*(value / scale for value in found))))
        lines.append([variant.label, *cells])
    labels = {variant.name: variant.label for variant in VARIANTS}
    lines.extend(
        [f"{labels[name]}, paper (REEC-2018)", *(f"{value:g}" for value in figures)]
        for name, figures in PAPER_TABLE_7.items()
    )
    caption = (
        f"Table 7: squared error on dBZ / 60, the others at {threshold} dBZ. The paper's figures "
        "are on other data (REEC-2018): lines compare with those on the same data alone."
    )
    return Table(["", *(head for _, head in TABLE_7)], lines, caption)


def goal_table(rows: Sequence[Row]) -> Table:
    """Say of each line that had to be reached whether it is."""
    lines: list[list[Cell]] = []
    for event in places(rows, VALIDATION):
        for goal in goals(rows, event):
            lines.append([_called(VALIDATION, event), goal.text, goal.value, goal.bound, verdict(goal), goal.note])
    return Table(
        ["held back", "asked for", "reached", "bound", "", ""], lines, "What had to be reached; means over seeds."
    )


def tables(rows: Sequence[Row]) -> list[Table]:
    """Give all tables, in the order in which they are read."""
    by_place = [
        make(rows, data, event)
        for data in data_of(rows)
        for event in places(rows, data)
        for make in (score_table, blur_table)
    ]
    found = [goal_table(rows), *by_place, difference_table(rows), paper_table(rows)]
    return [table for table in found if table.rows]


def plot(rows: Sequence[Row]) -> Figure:
    """Draw squared error and CSI by lead, a column for each event; bars reach from the lowest to the highest seed."""
    from matplotlib.figure import Figure

    columns = [(data, event) for data in data_of(rows) for event in places(rows, data)]
    threshold = THRESHOLDS[0]
    wanted: list[tuple[str, str, dict[str, Condition | None]]] = [
        ("mse", "MSE, dBZ^2", {}),
        ("csi", f"CSI at {threshold} dBZ", {"threshold_dbz": threshold}),
    ]
    shown = present(VARIANTS, rows)
    figure = Figure(figsize=(3.6 * len(columns), 6.4 + 0.14 * len(shown)), layout="constrained")
    panels = figure.subplots(2, len(columns), squeeze=False)
    for column, (data, event) in enumerate(columns):
        own = [row.condition for row in rows if row.condition.get("data") == data]
        leads = sorted({float(condition["lead_minutes"]) for condition in own if "lead_minutes" in condition})
        for line, (metric, label, more) in enumerate(wanted):
            axes = panels[line, column]
            for index, variant in enumerate(shown):
                found = [
                    spread_of(
                        select(rows, metric, variant=variant.name, data=data, event=event, lead_minutes=lead, **more)
                    )
                    for lead in leads
                ]
                points = [(lead, spread) for lead, spread in zip(leads, found, strict=True) if spread is not None]
                axes.errorbar(
                    [lead + 0.12 * (index - len(shown) / 2) for lead, _ in points],
                    [spread.mean for _, spread in points],
                    yerr=[
                        [spread.mean - spread.low for _, spread in points],
                        [spread.high - spread.mean for _, spread in points],
                    ],
                    label=variant.label,
                    color=COLORS[index % len(COLORS)],
                    marker=_MARKERS[index % len(_MARKERS)],
                    linewidth=1.2,
                    markersize=4,
                    capsize=2,
                )
            for name, dashes in (("advection", "--"), ("advection_blur", ":")):
                values = [
                    baseline(rows, name, metric, data=data, event=event, lead_minutes=lead, **more) for lead in leads
                ]
                axes.plot(leads, values, label=BASELINES[name], color="#666666", linestyle=dashes)
            axes.grid(alpha=0.3)
            if column == 0:
                axes.set_ylabel(label)
        panels[0, column].set_title(_called(data, event), fontsize=9)
        panels[1, column].set_xlabel("minutes ahead")
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(3, len(columns) + 1), fontsize=8)
    return figure


def pictures(rows: Sequence[Row]) -> dict[str, tuple[Figure, str]]:
    """Draw the study; figures with their captions, by name."""
    return {"rain": (plot(rows), CAPTION)}


def section(rows: Sequence[Row], command: str, shown: Sequence[tuple[str, str]]) -> str:
    """Write the study's section in Markdown; see `semicoupled.studies.page.section`."""
    title = "The structure, its rivals, and advection"
    ending = f"What the variants differ in:\n\n{options_list(present(VARIANTS, rows))}"
    return study_page.section(title, command, tables(rows), shown, ending)


def _took(rows: Sequence[Row], variant: str) -> tuple[str, str]:
    """Give a variant's parameters, and its steps from the fewest to the most."""
    return range_of(rows, "parameters", variant), range_of(rows, "steps", variant)


def _lines(
    rows: Sequence[Row], data: str, event: str | None, asked: Sequence[Asked]
) -> Iterator[tuple[str, str | None, list[Spread | None]]]:
    """Give label, variant and scores of every variant, and of the baselines, which have no variant."""
    for variant in present(VARIANTS, rows):
        about = {"variant": variant.name, "data": data, "event": event}
        yield (
            variant.label,
            variant.name,
            [spread_of(select(rows, metric, **about, **more)) for metric, more in asked],
        )
    for name, label in BASELINES.items():
        values = [baseline(rows, name, metric, data=data, event=event, **more) for metric, more in asked]
        if not all(math.isnan(value) for value in values):
            yield label, None, [None if math.isnan(value) else Spread.of([value]) for value in values]


def _called(data: str, event: str | None) -> str:
    if data == VALIDATION:
        return "held back" if event is None else str(event)
    return data if event is None else f"{data}, {event}"
