"""What the study of action shows: scores, Table 3, differences, which classes need time, what had to be reached."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from semicoupled.report import Cell, Table, number
from semicoupled.rows import Condition, Row
from semicoupled.studies import page as study_page
from semicoupled.studies.answers import VALIDATION
from semicoupled.studies.page import differences, means_of, present, says, seeded_of, span_cell, value_cell
from semicoupled.studies.scores import range_of, said_seeds, select, spread_cell, spread_of
from semicoupled.studies.trials import Variant, in_order, options_list
from semicoupled.tasks.action.study.answers import TEST
from semicoupled.tasks.action.study.baselines import COMMONEST, LINEAR
from semicoupled.tasks.action.study.goals import goals
from semicoupled.tasks.action.study.paper import PAPER_TABLE_3
from semicoupled.tasks.action.study.variants import ABLATION, OURS, PAIRS, RIVALS, VARIANTS, WHOLE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAGE_TITLE = "# Action: results\n\nEvery section between two marks is written by the command that stands in it.\n"
CONFUSED = 10
"""Confusions that are listed."""


def decides(rows: Sequence[Row]) -> str:
    """Give the split that decides: the test split where there is one."""
    return TEST if any(row.condition.get("data") == TEST for row in rows) else VALIDATION


def classes_of(rows: Sequence[Row]) -> list[str]:
    """Give the classes that were told apart, in order."""
    return list(dict.fromkeys(str(row.condition["class"]) for row in rows if "class" in row.condition))


def part_of(rows: Sequence[Row]) -> str:
    """Tell sections of a page apart: the study of ten words from that of twenty."""
    return f"{len(classes_of(rows))} classes"


def score_table(rows: Sequence[Row]) -> Table:
    """Lay the accuracy out: a line for each variant and baseline, the groups beside it."""
    data = decides(rows)
    seeded = seeded_of(rows)
    means = means_of(rows)
    groups = list(
        dict.fromkeys(
            str(row.condition["group"]) for row in means if "group" in row.condition and row.condition["data"] == data
        )
    )
    has_five = any(row.metric == "top5" for row in rows)
    lines: list[list[Cell]] = []
    for variant in present(VARIANTS, rows):
        took = [range_of(seeded, metric, variant.name) for metric in ("parameters", "steps")]
        found = select(means, "top1", variant=variant.name, data=data)
        cells: list[Cell] = [spread_cell(spread_of(select(seeded, "top1", variant=variant.name, data=data)))]
        cells.append(_span(found[0]) if found else None)
        if has_five:
            cells.append(_value(select(means, "top5", variant=variant.name, data=data)))
        cells += [_value(select(means, "top1", variant=variant.name, data=data, group=group)) for group in groups]
        if data != VALIDATION:
            cells.append(_value(select(means, "top1", variant=variant.name, data=VALIDATION)))
        lines.append([variant.label, *took, *cells])
    for name in (*LINEAR, COMMONEST):
        found = select(means, "top1", model=name, data=data)
        if found:
            cells = [number(found[0].value), _span(found[0]), *([None] if has_five else [])]
            cells += [_value(select(means, "top1", model=name, data=data, group=group)) for group in groups]
            if data != VALIDATION:
                cells.append(_value(select(means, "top1", model=name, data=VALIDATION)))
            lines.append([f"{name} (ridge)" if name in LINEAR else name, "", "", *cells])
    heads = ["parameters", "steps", "top-1", "90 %", *(["top-5"] if has_five else []), *groups]
    heads += ["top-1, validation"] if data != VALIDATION else []
    caption = (
        f"{len(classes_of(rows))} classes, {_called(data)}. Intervals hold 90 % of a bootstrap over videos within "
        f"their groups: they tell nothing about other groups or seeds. {said_seeds(rows)}"
    )
    return Table(["", *heads], lines, caption)


def table_3(rows: Sequence[Row]) -> Table:
    """Lay Table 3 out: the whole without its parts, one at a time, and its streams alone; the paper's beside."""
    data, means = decides(rows), means_of(rows)
    seeded = seeded_of(rows)
    lines: list[list[Cell]] = []
    for variant in in_order(ABLATION, (variant.name for variant in present(VARIANTS, rows))):
        found = spread_of(select(seeded, "top1", variant=variant.name, data=data))
        lines.append(
            [variant.label, spread_cell(found), _against(means, WHOLE, variant.name, data), *_paper(variant.name)]
        )
    for stream in ("spatial", "temporal"):
        alone = spread_of(select(seeded, "top1", variant=WHOLE, data=data, stream=stream))
        if alone is not None:
            lines.append([f"the {stream} stream of the whole, alone", spread_cell(alone), "", None, None])
    caption = (
        "Table 3: top-1, the whole minus each with 90 % of the bootstrap, and the paper's accuracy in percent on "
        "Kinetics and HMDB-51, which are other data with another network: the order compares, not the size."
    )
    return Table(["", "top-1", "the whole minus it", "paper, Kinetics", "paper, HMDB-51"], lines, caption)


def difference_table(rows: Sequence[Row]) -> Table:
    """Lay differences out: the first minus the second, for each pair."""
    labels = {variant.name: variant.label for variant in VARIANTS}
    data, means = decides(rows), means_of(rows)
    lines: list[list[Cell]] = []
    for ours, other in PAIRS:
        about: dict[str, Condition | None] = {"data": data, "variant": ours, "against": other}
        pair = f"{labels[ours]} - {labels[other]}"
        for found in differences(means, "top1", about, _three):
            lines.append([pair, found.value, found.interval, found.seeds, says(found.row)])
    caption = (
        "Differences of top-1: mean over seeds; 90 % of a bootstrap over videos within their groups, the same draws "
        "for both; lowest and highest difference seed by seed. An interval that holds 0 decides nothing."
    )
    return Table(["", "difference", "interval", "seeds", "the first is"], lines, caption)


def time_table(rows: Sequence[Row], variant: Variant, data: str) -> Table:
    """Say which classes need time: the probability of the right class by stream, and the difference, by class.

    Args:
        rows: of the study.
        variant: whose streams.
        data: the split.
    """
    means = [row for row in means_of(rows) if row.condition.get("variant") == variant.name]
    lines: list[list[Cell]] = []
    for name in (None, *classes_of(means)):
        about: dict[str, Condition | None] = {"variant": variant.name, "data": data, "class": name}
        told = select(means, "importance", **about)
        if not told:
            continue
        said = [_value(select(means, "probability", stream=s, **about)) for s in (None, "spatial", "temporal")]
        right = [_value(select(means, "top1", stream=s, **about)) for s in ("spatial", "temporal")]
        low, high = told[0].interval or (float("nan"), float("nan"))
        needs = "yes" if low > 0 else "no" if high < 0 else "undecided"
        lines.append([name or "all", *said, f"{told[0].value:+.3f}", _span(told[0]), needs, *right, told[0].count])
    lines[1:] = sorted(lines[1:], key=lambda line: -float(str(line[4])))
    caption = (
        f"Which classes need time, {_called(data)}: {variant.label}. p is the mean probability of the right class, "
        "the difference is the importance of time, with 90 % of a bootstrap over videos within their groups; means "
        "over seeds. A stream that leans toward a class shows here, too: its top-1 stands beside."
    )
    heads = ["class", "p(y|main)", "p(y|spatial)", "p(y|temporal)", "temporal - spatial", "90 %", "needs time"]
    return Table([*heads, "top-1 spatial", "top-1 temporal", "videos"], lines, caption)


def confusion_table(rows: Sequence[Row], variant: Variant) -> Table:
    """List what is mistaken for what most often."""
    data = decides(rows)
    found = select_confusions(rows, variant.name, data)
    mistakes = sorted(
        (row for row in found if row.condition["class"] != row.condition["called"]), key=lambda r: -r.value
    )
    lines: list[list[Cell]] = [
        [str(row.condition["class"]), str(row.condition["called"]), number(row.value), row.count]
        for row in mistakes[:CONFUSED]
    ]
    return Table(["class", "called", "share", "videos"], lines, f"Most frequent mistakes of: {variant.label}.")


def select_confusions(rows: Sequence[Row], variant: str, data: str) -> list[Row]:
    """Pick a variant's rows of what was called what."""
    return [
        row
        for row in rows
        if row.metric == "confusion" and row.condition["variant"] == variant and row.condition["data"] == data
    ]


def goal_table(rows: Sequence[Row]) -> Table:
    """Say of each line that had to be reached whether it is."""
    caption = f"What had to be reached, {_called(decides(rows))}; means over seeds."
    return study_page.goal_table(list(goals(rows, decides(rows), len(classes_of(rows)))), caption)


def width_table(rows: Sequence[Row]) -> Table:
    """List the layers of the rivals, whose widths were chosen so that they are as large as ours."""
    lines: list[list[Cell]] = []
    for variant in in_order((VARIANTS[0], *RIVALS), (variant.name for variant in present(VARIANTS, rows))):
        plan = [
            " ".join(
                str(int(row.value))
                for row in sorted(
                    (r for r in rows if r.metric == metric and r.condition["variant"] == variant.name),
                    key=lambda r: int(r.condition["layer"]),
                )
            )
            for metric in ("width", "stride")
        ]
        lines.append([variant.label, *plan, range_of(rows, "parameters", variant.name)])
    return Table(["", "widths", "strides", "parameters"], lines, "Layers of those that are of equal size.")


def streamed(rows: Sequence[Row]) -> list[Variant]:
    """Give the variants whose streams answer; of those the whole first, two at most."""
    names = {str(row.condition["variant"]) for row in rows if row.metric == "importance"}
    found = [variant for variant in present(VARIANTS, rows) if variant.name in names]
    return sorted(found, key=lambda variant: variant.name != WHOLE)[:2]


def tables(rows: Sequence[Row]) -> list[Table]:
    """Give all tables, in the order in which they are read."""
    found = [goal_table(rows), score_table(rows), table_3(rows), difference_table(rows)]
    found += [time_table(rows, variant, decides(rows)) for variant in streamed(rows)]
    found += [confusion_table(rows, variant) for variant in present(VARIANTS, rows) if variant.name == OURS]
    found.append(width_table(rows))
    return [table for table in found if table.rows]


def pictures(rows: Sequence[Row]) -> dict[str, tuple[Figure, str]]:
    """Draw the study; figures with their captions, by name."""
    from semicoupled.tasks.action.study.plots import confusion_plot, score_plot, time_plot

    data, means = decides(rows), means_of(rows)
    found = {
        "action": (
            score_plot(rows, present(VARIANTS, rows), data),
            "Top-1 by variant: a dot a seed, the bar holds 90 % of a bootstrap over videos within their groups for the "
            "mean of the seeds; linear models and the commonest class as lines.",
        )
    }
    told = streamed(rows)
    if told:
        found["action-time"] = (
            time_plot(means, told[0], data, classes_of(rows)),
            "Which classes need time: probability of the right class by stream, and the importance of time (temporal "
            "minus spatial) with 90 % of the bootstrap; means over seeds.",
        )
    ours = next((variant for variant in present(VARIANTS, rows) if variant.name in (OURS, WHOLE)), None)
    if ours is not None:
        found["action-confusion"] = (
            confusion_plot(select_confusions(rows, ours.name, data), ours, classes_of(rows)),
            f"What is called what, in percent of a class: {ours.label}; means over seeds.",
        )
    return found


def section(rows: Sequence[Row], command: str, shown: Sequence[tuple[str, str]]) -> str:
    """Write the study's section in Markdown; see `semicoupled.studies.page.section`."""
    title = f"{len(classes_of(rows))} classes: the structure, its parts, rivals of equal size"
    ending = f"What the variants differ in, beside their widths:\n\n{options_list(present(VARIANTS, rows))}"
    return study_page.section(title, command, tables(rows), shown, ending)


def _against(means: Sequence[Row], ours: str, other: str, data: str) -> str:
    found = select(means, "top1_difference", variant=ours, against=other, data=data)
    return f"{found[0].value:+.3f} ({_span(found[0])})" if found else ""


def _paper(name: str) -> tuple[Cell, Cell]:
    figures = PAPER_TABLE_3.get(name)
    return (None, None) if figures is None else (f"{figures[0]:g}", f"{figures[1]:g}")


def _called(data: str) -> str:
    return "groups that nothing was learned or chosen from" if data == TEST else "groups that were held back"


def _value(found: Sequence[Row]) -> str | None:
    return value_cell(found, _three)


def _span(row: Row) -> str:
    return span_cell(row, _three)


def _three(value: float) -> str:
    return f"{value:.3f}"
