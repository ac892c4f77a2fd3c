"""What the pages of studies share: which rows they show, how cells are written, differences, goals, and the section."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from semicoupled.page import markdown_table
from semicoupled.report import Cell, Table, number
from semicoupled.rows import Condition, Row
from semicoupled.studies.scores import Goal, select, verdict
from semicoupled.studies.trials import Variant, in_order

Said = Callable[[float], str]
"""Writes a score."""


class Difference(NamedTuple):
    """The first of a pair minus the second.

    Attributes:
        row: the mean over seeds, with its interval.
        value: of the row, written.
        interval: of the row, written; empty where there is none.
        seeds: the lowest and the highest seed, written.
    """

    row: Row
    value: str
    interval: str
    seeds: str


def present(variants: Sequence[Variant], rows: Sequence[Row]) -> tuple[Variant, ...]:
    """Give the variants that have rows, in the study's order.

    Args:
        variants: of the study.
        rows: with the condition ``variant``, but for baselines.
    """
    return in_order(variants, (str(row.condition.get("variant")) for row in rows))


def means_of(rows: Sequence[Row]) -> list[Row]:
    """Give the rows that are means over seeds, or of what has no seeds."""
    return [row for row in rows if "seed" not in row.condition]


def seeded_of(rows: Sequence[Row]) -> list[Row]:
    """Give the rows of single seeds."""
    return [row for row in rows if "seed" in row.condition]


def value_cell(found: Sequence[Row], said: Said = number) -> str | None:
    """Write the value of the first row; None where there is none."""
    return said(found[0].value) if found else None


def span_cell(row: Row, said: Said = number) -> str:
    """Write the interval of a row; nothing where it has none."""
    return "" if row.interval is None else f"{said(row.interval[0])} to {said(row.interval[1])}"


def differences(
    rows: Sequence[Row], metric: str, about: Mapping[str, Condition | None], said: Said = number
) -> Iterator[Difference]:
    """Give the differences of a score between a variant and another, written.

    Args:
        rows: of the study.
        metric: whose differences; the rows are called ``METRIC_difference``, with ``_lowest`` and ``_highest`` seed.
        about: conditions, ``variant`` and ``against`` among them.
        said: writes the ends of intervals.
    """
    for row in select(rows, f"{metric}_difference", **about):
        low, high = (select(rows, f"{metric}_difference_{end}", **about)[0].value for end in ("lowest", "highest"))
        yield Difference(row, number(row.value), span_cell(row, said), f"{number(low)} to {number(high)}")


def says(row: Row, *, low_is_better: bool = False) -> str:
    """Say what a difference says of the first: better, worse, undecided, or unknown without an interval.

    Args:
        row: the difference.
        low_is_better: the score is an error.
    """
    if row.interval is None:
        return "unknown"
    low, high = row.interval
    better, worse = (high < 0, low > 0) if low_is_better else (low > 0, high < 0)
    return "better" if better else "worse" if worse else "undecided"


def goal_table(goals: Sequence[Goal], caption: str = "What had to be reached; means over seeds.") -> Table:
    """Say of each line that had to be reached whether it is."""
    lines: list[list[Cell]] = [[goal.text, goal.value, goal.bound, verdict(goal), goal.note] for goal in goals]
    return Table(["asked for", "reached", "bound", "", ""], lines, caption)


def section(
    title: str, command: str, tables: Sequence[Table], shown: Sequence[tuple[str, str]], ending: str = ""
) -> str:
    """Write a study's section in Markdown.

    Args:
        title: of the section.
        command: what made the rows.
        tables: in the order in which they are read.
        shown: file, as seen from the page, and caption of each picture.
        ending: what stands last, such as what the variants differ in.
    """
    parts = [f"## {title}\n\n    {command}\n"]
    parts += [f"{table.caption}\n\n{markdown_table(table)}" for table in tables]
    parts += [f"![{caption}]({picture})\n\n{caption}\n" for picture, caption in shown]
    return "\n".join([*parts, *([ending] if ending else [])])
