"""Picking a study's scores, laying them out over seeds, and saying whether what was asked for is reached."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from semicoupled.report import number
from semicoupled.rows import Condition, Row
from semicoupled.studies.trials import Spread


class Goal(NamedTuple):
    """One line: a value that must not be above (or below) another.

    Attributes:
        text: what is asked for.
        value: ours, a mean over seeds.
        bound: the other side.
        is_met: whether it is reached; None where one of the two is not known.
        note: what else is to be said of it, such as an interval.
    """

    text: str
    value: float
    bound: float
    is_met: bool | None
    note: str = ""


def select(rows: Sequence[Row], metric: str, **condition: Condition | None) -> list[Row]:
    """Pick rows by metric and exactly these conditions; `seed` may be any, None stands for none.

    Args:
        rows: of a study.
        metric: their metric.
        condition: what they are limited to; ``model`` picks the forecaster's name.
    """
    model = condition.pop("model", None)
    wanted = {name: value for name, value in condition.items() if value is not None}
    return [
        row
        for row in rows
        if row.metric == metric
        and (model is None or row.model == model)
        and {name: value for name, value in row.condition.items() if name != "seed"} == wanted
    ]


def spread_of(rows: Sequence[Row]) -> Spread | None:
    """Give mean, lowest and highest over seeds; None where nothing is defined."""
    values = [row.value for row in rows]
    return Spread.of(values) if values and not any(math.isnan(value) for value in values) else None


def baseline(rows: Sequence[Row], name: str, metric: str, **condition: Condition | None) -> float:
    """Give a baseline's score; NaN where there is none."""
    found = [row for row in select(rows, metric, model=name, **condition) if "variant" not in row.condition]
    return found[0].value if found else math.nan


def range_of(rows: Sequence[Row], metric: str, variant: str) -> str:
    """Say what a variant's trainings took, from the least to the most."""
    found = sorted({int(row.value) for row in select(rows, metric, variant=variant)})
    return " to ".join(dict.fromkeys(str(end) for end in (*found[:1], *found[-1:])))


def said_seeds(rows: Sequence[Row]) -> str:
    """Say which seeds there are, for a caption."""
    seeds = sorted({int(row.condition["seed"]) for row in rows if "seed" in row.condition})
    if len(seeds) == 1:
        return f"Seed {seeds[0]}."
    return f"Seeds {', '.join(map(str, seeds))}: mean (lowest - highest)."


def spread_cell(spread: Spread | None) -> str:
    """Write a mean with the lowest and highest seed."""
    if spread is None:
        return "–"
    if spread.low == spread.high:
        return number(spread.mean)
    return f"{number(spread.mean)} ({number(spread.low)} - {number(spread.high)})"


def at_most(text: str, value: float, bound: float, note: str = "") -> Goal:
    """Ask for a value that is not above a bound."""
    known = not (math.isnan(value) or math.isnan(bound))
    return Goal(text, value, bound, value <= bound if known else None, note)


def at_least(text: str, value: float, bound: float, note: str = "") -> Goal:
    """Ask for a value that is not below a bound."""
    known = not (math.isnan(value) or math.isnan(bound))
    return Goal(text, value, bound, value >= bound if known else None, note)


def difference_note(found: Sequence[Row]) -> str:
    """Say a difference with its interval, as the note of a goal.

    Args:
        found: the row of a mean over seeds, as `select` picks it; nothing is said of none, or of one without interval.
    """
    if not found or found[0].interval is None:
        return ""
    low, high = found[0].interval
    return f"difference {found[0].value:+.3g}, 90 %: {number(low)} to {number(high)}"


def verdict(goal: Goal) -> str:
    """Say whether a line is reached."""
    return {True: "met", False: "not met", None: "not known"}[goal.is_met]
