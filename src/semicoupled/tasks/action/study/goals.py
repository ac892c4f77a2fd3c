"""What the study of action has to reach, line by line, each computed from the rows and said as met or not."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from semicoupled.rows import Condition, Row
from semicoupled.studies.scores import Goal, at_least, difference_note, select
from semicoupled.tasks.action.study.baselines import LINEAR
from semicoupled.tasks.action.study.variants import OURS, RIVALS, WHOLE

LEAST_OF_TEN_WORDS = 0.7
WORDS = 10
"""Of ten single words on the lips of speakers who were not learned from, so many have to be right."""
CLOSE = 0.03
"""The small network may be so far behind the large one."""


def goals(rows: Sequence[Row], data: str, classes: int) -> Iterator[Goal]:
    """Say what is reached.

    Args:
        rows: of the study.
        data: the split that decides.
        classes: how many are told apart.
    """
    means = [row for row in rows if "seed" not in row.condition and row.condition.get("data") == data]

    def mean(variant: str, metric: str = "top1", **about: Condition) -> float:
        found = select(means, metric, variant=variant, data=data, **about)
        return found[0].value if found else math.nan

    def note(ours: str, other: str) -> str:
        return difference_note(select(means, "top1_difference", variant=ours, against=other, data=data))

    if classes == WORDS:
        yield at_least("top-1 of ten single words", mean(OURS), LEAST_OF_TEN_WORDS)
    yield at_least(
        "size s at most 3 points behind the large network", mean("s"), mean("large") - CLOSE, note("s", "large")
    )
    for rival in RIVALS:
        yield at_least(
            f"top-1 not below that of {rival.name}, of equal size", mean(OURS), mean(rival.name), note(OURS, rival.name)
        )
    for name in LINEAR:
        found = select(means, "top1", model=name, data=data)
        yield at_least(f"top-1 not below that of {name}", mean(OURS), found[0].value if found else math.nan)
    told = select(means, "importance", variant=WHOLE, data=data)
    low = told[0].interval[0] if told and told[0].interval is not None else math.nan
    yield at_least("time matters: the interval of its importance lies above 0", low, 0.0)
    spatial = mean(WHOLE, stream="spatial")
    yield at_least("the whole is above its spatial stream alone", mean(WHOLE), spatial)
