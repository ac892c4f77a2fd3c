"""A bench as a list of parts, measured one after the other within a time budget."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from semicoupled.rows import Row
from semicoupled.training.progress import Progress

Part = Callable[[], list[Row]]
"""Measures something; nothing is measured before it is called."""


class Measured(NamedTuple):
    """What came out.

    Attributes:
        rows: of the parts that were measured.
        left: number of parts that were not, because the time was up.
    """

    rows: list[Row]
    left: int


def measure_parts(
    title: str,
    parts: Sequence[Part],
    shown: Progress,
    *,
    until: float | None = None,
    now: Callable[[], float] = time.monotonic,
) -> Measured:
    """Measure part after part, and show how far it is.

    Args:
        title: what the progress is called.
        parts: what to measure, the most important first.
        shown: is told how far it is.
        until: when no further part begins, by `now`; one that has begun is measured to its end. None for no limit.
        now: gives the time in seconds.
    """
    rows: list[Row] = []
    shown.begin(title, len(parts))
    try:
        for done, part in enumerate(parts):
            if until is not None and now() >= until:
                return Measured(rows, len(parts) - done)
            rows += part()
            shown.update(done + 1)
    finally:
        shown.end()
    return Measured(rows, 0)
