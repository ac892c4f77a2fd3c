"""How sure a score is: start times are drawn again and again.

They are drawn in blocks as long as a forecast, since neighbors share frames.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from semicoupled.rows import Condition

RESAMPLES = 400
CONFIDENCE = 0.9


class Scope(NamedTuple):
    """What a score is limited to: some of the leads, and some of the starts.

    Attributes:
        condition: the same in words, for rows.
        leads: all, or one.
        weights: 1 + draws x starts: how often each start counts; once in the first row, then as drawn.
    """

    condition: dict[str, Condition]
    leads: slice | int
    weights: np.ndarray

    @property
    def is_narrow(self) -> bool:
        """Whether it is one lead of one event, of which tables have the most common scores alone."""
        return isinstance(self.leads, int) and "event" in self.condition


def scopes(
    events: Sequence[str],
    lead_minutes: Sequence[float],
    resamples: int = RESAMPLES,
    names: Sequence[str] | None = None,
) -> Iterator[Scope]:
    """Give all that has rows: everything, each lead, and, if there are several, each event and each of its leads.

    Args:
        events: the event of each start, in order of time within an event.
        lead_minutes: of each lead.
        resamples: draws of the bootstrap; the same ones every time.
        names: the events, also those without a start; those of `events` if None.
    """
    names = list(dict.fromkeys(events if names is None else names))
    everywhere: list[tuple[dict[str, Condition], np.ndarray]] = [({}, np.arange(len(events)))]
    if len(names) > 1:
        for name in names:
            everywhere.append(({"event": name}, np.flatnonzero(np.array(events) == name)))
    for condition, starts in everywhere:
        weights = _draw(len(events), starts, len(lead_minutes), resamples)
        yield Scope(condition, slice(None), weights)
        for lead, minutes in enumerate(lead_minutes):
            yield Scope({**condition, "lead_minutes": plain(minutes)}, lead, weights)


def interval(drawn: np.ndarray) -> tuple[float, float] | None:
    """Give where 90 % of the drawn scores lie, or None where there are none that are defined."""
    defined = drawn[~np.isnan(drawn)]
    if not len(defined):
        return None
    low, high = np.quantile(defined, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


def plain(number: float) -> Condition:
    """Write a whole number without a decimal point."""
    return int(number) if float(number).is_integer() else float(number)


def _draw(count: int, starts: np.ndarray, block: int, resamples: int) -> np.ndarray:
    """Draw some of `count` starts with repetition, in blocks of neighbors that wrap around."""
    once = np.zeros((1, count))
    once[:, starts] = 1
    size = len(starts)
    if size < 2:
        return once
    block = max(1, min(block, size // 2))
    first = np.random.default_rng(0).integers(size, size=(resamples, -(-size // block)))
    drawn = ((first[:, :, None] + np.arange(block)) % size).reshape(resamples, first.shape[1] * block)[:, :size]
    weights = np.zeros((resamples, count))
    np.add.at(weights, (np.arange(resamples)[:, None], starts[drawn]), 1)
    return np.concatenate([once, weights])
