"""What the study of rain has to reach, line by line, each computed from the rows and said as met or not."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from semicoupled.rows import Condition, Row
from semicoupled.studies import Spread
from semicoupled.tasks.nowcasting.study.counts import VALIDATION

LESS = 0.9
"""The best form's squared error is to be at most this share of advection's."""
THRESHOLDS = (15, 20)
"""dBZ at which the best form's CSI is not to be below advection's."""
BEST, PLAIN = ("semicoupled", "convlstm"), ("semicoupled_plain", "convlstm_plain")


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


def goals(rows: Sequence[Row], event: str | None) -> Iterator[Goal]:
    """Say what is reached in an event that was held back.

    Args:
        rows: of the study.
        event: its name; None for everything that was held back.
    """
    where = {"data": VALIDATION, "event": event}

    def mean(variant: str, metric: str, threshold: int | None = None) -> float:
        found = spread_of(select(rows, metric, variant=variant, threshold_dbz=threshold, **where))
        return math.nan if found is None else found.mean

    ours = mean(BEST[0], "mse")
    advection = baseline(rows, "advection", "mse", **where)
    yield _at_most("squared error at least 10 % below advection's", ours, LESS * advection)
    blurred = baseline(rows, "advection_blur", "mse", **where)
    yield _at_most("squared error not above blurred advection's", ours, blurred)
    for threshold in THRESHOLDS:
        bound = baseline(rows, "advection", "csi", threshold_dbz=threshold, **where)
        yield _at_least(f"CSI at {threshold} dBZ not below advection's", mean(BEST[0], "csi", threshold), bound)
    for (variant, rival), form in ((BEST, "best"), (PLAIN, "plain")):
        found = select(rows, "mse_difference", variant=variant, against=rival, **where)
        note = ""
        if found and found[0].interval is not None:
            low, high = found[0].interval
            note = f"difference {found[0].value:.3g}, 90 % of a bootstrap over start times: {low:.3g} to {high:.3g}"
        text = f"squared error at or below ConvLSTM's, {form} form"
        yield _at_most(text, mean(variant, "mse"), mean(rival, "mse"), note)


def _at_most(text: str, value: float, bound: float, note: str = "") -> Goal:
    known = not (math.isnan(value) or math.isnan(bound))
    return Goal(text, value, bound, value <= bound if known else None, note)


def _at_least(text: str, value: float, bound: float) -> Goal:
    known = not (math.isnan(value) or math.isnan(bound))
    return Goal(text, value, bound, value >= bound if known else None)
