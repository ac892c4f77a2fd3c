"""The paper's figures beside ours: a table line by line, whether the order agrees, and rows for files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

from semicoupled.paper_table import Line, Size
from semicoupled.report import Cell, Table, number
from semicoupled.rows import Condition, Row
from semicoupled.studies.scores import range_of, said_seeds, select, spread_of
from semicoupled.studies.trials import Spread

PAPER = "paper"
"""The model of rows that are the paper's."""


class Measure(NamedTuple):
    """A score of ours, and the columns of the paper that it stands beside.

    Attributes:
        head: of its column.
        metric: of rows.
        condition: that they are limited to, beside the variant and the line's own.
        columns: of the paper, which are ordered by the same score.
        factor: of our values, 100 for percent.
    """

    head: str
    metric: str
    condition: Mapping[str, Condition]
    columns: tuple[str, ...]
    factor: float = 1.0


class Found(NamedTuple):
    """Our figure of a line.

    Attributes:
        spread: mean, lowest and highest seed.
        interval: 90 % of a bootstrap over what was scored, of the mean; None where none was made.
        seeds: how many.
    """

    spread: Spread
    interval: tuple[float, float] | None
    seeds: int


class Agreement(NamedTuple):
    """How often two lines stand in the paper's order here.

    Attributes:
        pairs: that the paper orders, and that have figures here.
        same: of them in the same order.
        decided: pairs whose seeds do not overlap; none with one seed.
        decided_same: of them in the same order.
    """

    pairs: int
    same: int
    decided: int
    decided_same: int


def find(rows: Sequence[Row], line: Line, size: Size, measure: Measure) -> Found | None:
    """Give our figure of a line; None where it was not trained, or is not defined.

    Args:
        rows: of the study.
        line: of the table.
        size: of its variant.
        measure: which score.
    """
    variant = line.variant(size)
    if variant is None:
        return None
    about: dict[str, Condition | None] = {"variant": variant.name, **measure.condition, **line.condition}
    own = select(rows, measure.metric, **about)
    seeded = [row for row in own if "seed" in row.condition]
    spread = spread_of(seeded)
    if spread is None:
        return None
    means = [row for row in own if "seed" not in row.condition] or (seeded if len(seeded) == 1 else [])
    interval = means[0].interval if means else None
    factor = measure.factor
    scaled = None if interval is None else (factor * interval[0], factor * interval[1])
    return Found(Spread(*(factor * value for value in spread)), scaled, len(seeded))


def compare(rows: Sequence[Row], lines: Sequence[Line], size: Size, measures: Sequence[Measure], caption: str) -> Table:
    """Lay a table of the paper out: each line with the paper's figures, ours beside them, and what ours took.

    Args:
        rows: of the study.
        lines: of the table.
        size: of their variants.
        measures: our scores.
        caption: what the figures are.
    """
    columns = list(lines[0].figures)
    seeded = [row for row in rows if "seed" in row.condition]
    heads = ["", *(f"paper: {name}" for name in columns), *(f"here: {measure.head}" for measure in measures)]
    out: list[list[Cell]] = []
    group = ""
    for line in lines:
        if line.group != group:
            group = line.group
            out.append([f"{group}:", *[""] * (len(heads) + 1)])
        printed: list[Cell] = [_printed(line.figures[name]) for name in columns]
        ours: list[Cell] = [_ours(find(rows, line, size, measure)) for measure in measures]
        variant = line.variant(size)
        took = [] if variant is None else [range_of(seeded, metric, variant.name) for metric in ("parameters", "steps")]
        out.append([line.label, *printed, *ours, *(text or None for text in took or ("", ""))])
    said = (
        f"{caption} {said_seeds(seeded) if seeded else ''} In brackets: 90 % of a bootstrap over what was "
        "scored, of the mean; it tells nothing about other seeds."
    )
    return Table([*heads, "parameters", "steps"], out, said)


def agreement(rows: Sequence[Row], lines: Sequence[Line], size: Size, measure: Measure, column: str) -> Agreement:
    """Count pairs of lines that stand in the paper's order here.

    Args:
        rows: of the study.
        lines: of the table.
        size: of their variants.
        measure: our score.
        column: of the paper.
    """
    known: list[tuple[float, Found]] = []
    for line in lines:
        printed, found = line.figures.get(column), find(rows, line, size, measure)
        if printed is not None and found is not None:
            known.append((printed, found))
    pairs = same = decided = decided_same = 0
    for (paper_one, one), (paper_two, two) in combinations(known, 2):
        if paper_one == paper_two:
            continue
        agrees = (paper_one < paper_two) == (one.spread.mean < two.spread.mean)
        apart = one.seeds > 1 and (one.spread.high < two.spread.low or two.spread.high < one.spread.low)
        pairs, same = pairs + 1, same + agrees
        decided, decided_same = decided + apart, decided_same + (apart and agrees)
    return Agreement(pairs, same, decided, decided_same)


def say_order(rows: Sequence[Row], lines: Sequence[Line], size: Size, measures: Sequence[Measure]) -> str:
    """Say how far the order of lines agrees with the paper's, for each of its columns; nothing where none is known."""
    said: list[str] = []
    for measure in measures:
        for column in measure.columns:
            counted = agreement(rows, lines, size, measure, column)
            if counted.pairs:
                text = f"{column}: {counted.same} of {counted.pairs} by {measure.head}"
                if counted.decided:
                    text += f", {counted.decided_same} of {counted.decided} where seeds do not overlap"
                said.append(text)
    return f"Pairs of lines that stand in the paper's order here, by its column: {'; '.join(said)}." if said else ""


def paper_rows(name: str, lines: Sequence[Line]) -> list[Row]:
    """Give the paper's figures as rows, with the conditions `table`, `line` and `column`; their count is 0."""
    return [
        Row(PAPER, "printed", {"table": name, "line": line.name, "column": column}, value, 0)
        for line in lines
        for column, value in line.figures.items()
        if value is not None
    ]


def _printed(value: float | None) -> str | None:
    return None if value is None else f"{value:g}"


def _ours(found: Found | None) -> str | None:
    if found is None:
        return None
    text = number(found.spread.mean)
    if found.seeds > 1:
        text += f" ({number(found.spread.low)} - {number(found.spread.high)})"
    if found.interval is not None:
        text += f" [{number(found.interval[0])}, {number(found.interval[1])}]"
    return text
