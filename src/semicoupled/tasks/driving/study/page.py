"""What the study of driving shows: Tables 5 and 6, differences, what had to be reached, and the section of a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from semicoupled.report import Cell, Table
from semicoupled.rows import Condition, Row
from semicoupled.studies import page as study_page
from semicoupled.studies.answers import VALIDATION
from semicoupled.studies.page import differences, means_of, present, says, seeded_of, value_cell
from semicoupled.studies.scores import range_of, said_seeds, select, spread_cell, spread_of
from semicoupled.studies.trials import Variant, options_list
from semicoupled.tasks.driving.scores.conditions import in_order as roads_in_order
from semicoupled.tasks.driving.scores.evaluation import DRIVER
from semicoupled.tasks.driving.scores.run_scores import MEAN, STRAIGHT
from semicoupled.tasks.driving.study.goals import goals
from semicoupled.tasks.driving.study.paper import PAPER_TABLE_5, PAPER_TABLE_6
from semicoupled.tasks.driving.study.variants import PAIRS, TABLE_5, VARIANTS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAGE_TITLE = "# Driving: results\n\nEvery section between two marks is written by the command that stands in it.\n"
_HEADINGS = {
    "": "The structure, its p and its length, CNN and CNN+LSTM",
    "table 5": "Table 5: clips of 7 and of 3 frames",
}
BASELINES = {MEAN: "always the mean angle", STRAIGHT: "always straight ahead", DRIVER: "the driver"}


def part_of(rows: Sequence[Row]) -> str:
    """Tell sections of a page apart: Table 5's own lines stand by themselves where they are run alone."""
    names = {variant.name for variant in present(VARIANTS, rows)}
    return "table 5" if names <= {variant.name for variant in TABLE_5} else ""


def data_of(rows: Sequence[Row]) -> list[str]:
    """Give the names of what was scored on, what was held back first."""
    return list(dict.fromkeys(str(row.condition["data"]) for row in rows if "data" in row.condition))


def thresholds_of(rows: Sequence[Row]) -> list[Condition]:
    """Give the lambdas of Eq. 24."""
    found = (row.condition["angle_threshold"] for row in rows if row.metric == "acc_soft")
    return list(dict.fromkeys(found))


def score_table(rows: Sequence[Row], data: str) -> Table:
    """Lay the scores over all frames out: a line for each variant and baseline.

    Args:
        rows: of the study.
        data: what was scored on.
    """
    asked = _asked(rows)
    unit = next((row.unit for row in rows if row.metric == "rmse"), "1")
    heads = ["parameters", "steps", *(head for head, _, _ in asked)]
    seeded = seeded_of(rows)
    lines: list[list[Cell]] = []
    for variant in present(VARIANTS, rows):
        took = [range_of(seeded, metric, variant.name) for metric in ("parameters", "steps")]
        cells = [
            spread_cell(spread_of(select(seeded, metric, variant=variant.name, data=data, **about)))
            for _, metric, about in asked
        ]
        lines.append([variant.label, *took, *cells])
    for name, label in BASELINES.items():
        about_raw = {"label": "raw"} if name == DRIVER else {}
        found = [
            select(rows, metric, model=name, data=data, **{**about, **(about_raw if metric == "whiteness" else {})})
            for _, metric, about in asked
        ]
        if any(found):
            lines.append([label, "", "", *map(value_cell, found)])
    caption = (
        f"{called(data)}: all frames. MSE is of the angles normalized by a sigmoid, RMSE against the smoothed label "
        f"and in {'shares of full lock' if unit == '1' else unit}; whiteness is the root of the mean squared speed "
        f"of the wheel, {unit if unit != '1' else 'full locks'} a second. {said_seeds(rows)}"
    )
    return Table(["", *heads], lines, caption)


def table_5(rows: Sequence[Row]) -> Table:
    """Lay Table 5 out: soft accuracy at both thresholds and squared error by length and p; the paper's below.

    Args:
        rows: of the study.
    """
    first, second = [*thresholds_of(rows), 0, 0][:2]
    asked: list[tuple[str, dict[str, Condition | None]]] = [
        ("acc_soft", {"angle_threshold": first}),
        ("acc_soft", {"angle_threshold": second}),
        ("mse", {}),
    ]
    seeded = seeded_of(rows)
    lines: list[list[Cell]] = []
    for variant in present(VARIANTS, rows):
        cells: list[Cell] = []
        for metric, about in asked:
            found = select(seeded, metric, variant=variant.name, data=VALIDATION, label="raw", **about)
            spread = spread_of(found)
            if spread is not None and metric == "acc_soft":
                spread = spread._replace(mean=100 * spread.mean, low=100 * spread.low, high=100 * spread.high)
            cells.append(spread_cell(spread))
        lines.append([variant.label, *cells])
    labels = {variant.name: variant.label for variant in VARIANTS}
    lines.extend(
        [f"{labels[name]}, paper (LiVi)", *(f"{value:g}" for value in figures["LiVi"])]
        for name, figures in PAPER_TABLE_5.items()
    )
    caption = (
        f"Table 5: accuracy (24) in percent at the larger threshold ({first}) and at the smaller one ({second}), and "
        "MSE of the normalized angle, against the raw label. The paper's figures are on other data, in degrees: lines "
        "compare with those on the same data alone."
    )
    return Table(["", "accuracy, larger", "accuracy, smaller", "MSE"], lines, caption)


def table_6(rows: Sequence[Row], data: str, variant: Variant) -> Table:
    """Lay Table 6 out: soft accuracy of both streams and the importance of time by kind of road.

    Args:
        rows: of the study.
        data: what was scored on.
        variant: whose streams.
    """
    own = [row for row in means_of(rows) if row.condition.get("variant") == variant.name]
    roads = roads_in_order([str(row.condition["road"]) for row in own if "road" in row.condition])
    thresholds = thresholds_of(rows)
    lines: list[list[Cell]] = []
    for road in (None, *roads):
        cells: list[Cell] = []
        frames = 0
        for threshold in thresholds:
            about: dict[str, Condition | None] = {
                "variant": variant.name,
                "data": data,
                "label": "raw",
                "angle_threshold": threshold,
                "road": road,
            }
            for stream in ("spatial", "temporal"):
                found = select(own, "acc_soft", stream=stream, **about)
                cells.append(f"{100 * found[0].value:.1f}" if found else None)
                frames = found[0].count if found else frames
            told = select(own, "importance", score="acc_soft", **about)
            cells.append(_signed(told[0], 100) if told else None)
        if frames:
            lines.append([road or "all", *cells, frames])
    if data == VALIDATION and lines:
        lines.extend(
            [f"{road}, paper (LiVi)", *(f"{value:g}" for value in figures), None]
            for road, figures in PAPER_TABLE_6.items()
        )
    heads = [
        head
        for threshold in thresholds
        for head in (f"spatial, {threshold}", f"temporal, {threshold}", f"importance, {threshold}")
    ]
    caption = (
        f"Table 6, {called(data)}: {variant.label}. Accuracy (24) in percent of both streams, by the size of the "
        "smoothed label, and their difference: means over seeds, with 90 % of a bootstrap over stretches of time. The "
        "paper's are at 6 and 3 degrees, on other data."
    )
    return Table(["road", *heads, "frames"], lines, caption)


def difference_table(rows: Sequence[Row]) -> Table:
    """Lay differences out: the first minus the second, for each pair and each score."""
    labels = {variant.name: variant.label for variant in VARIANTS} | BASELINES
    asked: list[tuple[str, str, dict[str, Condition | None]]] = [("MSE", "mse", {"label": "raw"})]
    for threshold in thresholds_of(rows)[:1]:
        asked.append((f"accuracy at {threshold}", "acc_soft", {"label": "raw", "angle_threshold": threshold}))
    asked.append(("R^2, smoothed", "r2", {"label": "smoothed"}))
    lines: list[list[Cell]] = []
    for ours, other in [*PAIRS, ("semicoupled", MEAN)]:
        for data in data_of(rows):
            for head, metric, more in asked:
                about: dict[str, Condition | None] = {"data": data, "variant": ours, "against": other, **more}
                pair, place = f"{labels[ours]} - {labels[other]}", called(data)
                for found in differences(rows, metric, about):
                    verdict = says(found.row, low_is_better=metric == "mse")
                    lines.append([pair, place, head, found.value, found.interval, found.seeds, verdict])
    caption = (
        "Differences: mean over seeds; 90 % of a bootstrap over stretches of time, the same draws for both; lowest and "
        "highest difference seed by seed. An interval that holds 0 decides nothing."
    )
    return Table(["", "on", "score", "difference", "interval", "seeds", "the first is"], lines, caption)


def run_table(rows: Sequence[Row]) -> Table:
    """Lay the share of the variance out by run that was held back, means over seeds."""
    own = [row for row in means_of(rows) if row.metric == "r2" and row.condition.get("data") == VALIDATION]
    runs = list(dict.fromkeys(str(row.condition["run"]) for row in own if "run" in row.condition))
    lines: list[list[Cell]] = []
    for variant in present(VARIANTS, rows):
        cells: list[Cell] = []
        for run in runs:
            found = select(own, "r2", variant=variant.name, data=VALIDATION, run=run, label="smoothed")
            cells.append(value_cell(found))
        lines.append([variant.label, *cells])
    caption = "R^2 of the smoothed angle by run, about that run's own mean. Means over seeds."
    return Table(["", *runs], lines if runs else [], caption)


def goal_table(rows: Sequence[Row]) -> Table:
    """Say of each line that had to be reached whether it is."""
    return study_page.goal_table(list(goals(rows, thresholds_of(rows))))


def tables(rows: Sequence[Row]) -> list[Table]:
    """Give all tables, in the order in which they are read."""
    told = [variant for variant in present(VARIANTS, rows) if variant.name.startswith("semicoupled")]
    found = [goal_table(rows), *(score_table(rows, data) for data in data_of(rows)), table_5(rows)]
    found += [table_6(rows, data, variant) for variant in told[:3] for data in data_of(rows)]
    found += [difference_table(rows), run_table(rows)]
    return [table for table in found if table.rows]


def pictures(rows: Sequence[Row]) -> dict[str, tuple[Figure, str]]:
    """Draw the study.

    Returns:
        Figures with their captions, by name.
    """
    from semicoupled.tasks.driving.study.plots import importance_plot, score_plot

    found = {
        "driving": (
            score_plot(rows, present(VARIANTS, rows), data_of(rows), thresholds_of(rows)),
            "Squared error, soft accuracy and share of the variance by variant: a dot a seed, the bar holds 90 % of a "
            "bootstrap over stretches of time for the mean of the seeds.",
        )
    }
    if any(row.metric == "importance" for row in rows):
        found["driving-importance"] = (
            importance_plot(rows, present(VARIANTS, rows), data_of(rows), thresholds_of(rows)),
            "Importance of time (Table 6): soft accuracy of the temporal stream minus that of the spatial stream, by "
            "kind of road; means over seeds, bars hold 90 %.",
        )
    return found


def section(rows: Sequence[Row], command: str, shown: Sequence[tuple[str, str]]) -> str:
    """Write the study's section in Markdown; see `semicoupled.studies.page.section`."""
    title = _HEADINGS[part_of(rows)]
    ending = f"What the variants differ in:\n\n{options_list(present(VARIANTS, rows))}"
    return study_page.section(title, command, tables(rows), shown, ending)


def called(data: str) -> str:
    """Say what was scored on."""
    return "the runs held back" if data == VALIDATION else data


def _asked(rows: Sequence[Row]) -> list[tuple[str, str, dict[str, Condition | None]]]:
    """Give head, metric and condition of the columns of scores."""
    asked: list[tuple[str, str, dict[str, Condition | None]]] = [("MSE", "mse", {"label": "raw"})]
    for threshold in thresholds_of(rows):
        about: dict[str, Condition | None] = {"label": "raw", "angle_threshold": threshold}
        asked += [(f"soft, {threshold}", "acc_soft", about), (f"hard, {threshold}", "acc_hard", about)]
    asked.append(("R^2, smoothed", "r2", {"label": "smoothed"}))
    asked.append(("RMSE, smoothed", "rmse", {"label": "smoothed"}))
    asked.append(("whiteness", "whiteness", {}))
    return asked


def _signed(row: Row, factor: float) -> str:
    value = f"{factor * row.value:+.1f}"
    if row.interval is None:
        return value
    return f"{value} ({factor * row.interval[0]:+.1f} to {factor * row.interval[1]:+.1f})"
