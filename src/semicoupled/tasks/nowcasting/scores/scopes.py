"""What scores of forecasts are limited to: some leads, and some starts, drawn in blocks as long as a forecast."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from semicoupled.bootstrap import RESAMPLES, draws
from semicoupled.rows import Condition, plain


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
        weights = draws(len(events), starts, len(lead_minutes), resamples)
        yield Scope(condition, slice(None), weights)
        for lead, minutes in enumerate(lead_minutes):
            yield Scope({**condition, "lead_minutes": plain(minutes)}, lead, weights)
