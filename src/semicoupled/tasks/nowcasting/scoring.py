"""From counts to rows: by lead, by event, over all, with intervals from a bootstrap over start times."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from semicoupled.rows import Condition, Row
from semicoupled.tasks.nowcasting.metrics import Counts

UNITS = {"mse": "dBZ^2", "mae": "dBZ"}
RESAMPLES = 400
CONFIDENCE = 0.9


class Scope(NamedTuple):
    """What a score is limited to: some of the leads, and some of the starts."""

    condition: dict[str, Condition]
    leads: slice | int
    starts: np.ndarray


def score_rows(
    counts: Mapping[str, Counts],
    events: Sequence[str],
    lead_minutes: Sequence[float],
    thresholds: Sequence[float],
    *,
    resamples: int = RESAMPLES,
) -> list[Row]:
    """Make a table: every model over all leads and at each, over all events and, if there are several, in each.

    Args:
        counts: counts by model, all over the same starts.
        events: the event of each start, in order of time within an event.
        lead_minutes: of each lead.
        thresholds: dBZ.
        resamples: draws of the bootstrap; 0 leaves the intervals out.

    Returns:
        Rows with intervals at 90 %. Starts are drawn in blocks as long as a forecast, since neighbors share frames;
        all models see the same draws.
    """
    rows: list[Row] = []
    for scope in _scopes(np.array(events), lead_minutes):
        draws = _draws(len(events), scope.starts, len(lead_minutes), resamples)
        for model, counted in counts.items():
            rows += _rows(model, counted, scope, thresholds, draws)
    return rows


def _scopes(events: np.ndarray, lead_minutes: Sequence[float]) -> Iterator[Scope]:
    everywhere: list[tuple[dict[str, Condition], np.ndarray]] = [({}, np.arange(len(events)))]
    names = list(dict.fromkeys(events.tolist()))
    if len(names) > 1:
        everywhere += [({"event": name}, np.flatnonzero(events == name)) for name in names]
    for condition, starts in everywhere:
        yield Scope(condition, slice(None), starts)
        for lead, minutes in enumerate(lead_minutes):
            yield Scope({**condition, "lead_minutes": _plain(minutes)}, lead, starts)


def _rows(model: str, counts: Counts, scope: Scope, thresholds: Sequence[float], draws: np.ndarray) -> Iterator[Row]:
    once = np.zeros(draws.shape[1])
    once[scope.starts] = 1
    value, spread = _scores(counts, scope.leads, once), _scores(counts, scope.leads, draws)
    pixels = int(counts.pooled(scope.leads, once).pixels)
    for metric, scores in value.items():
        drawn = spread[metric].reshape(len(draws), np.size(scores))
        for index, score in enumerate(np.atleast_1d(scores)):
            condition = dict(scope.condition)
            if metric not in UNITS:
                condition["threshold_dbz"] = _plain(thresholds[index])
            yield Row(
                model=model,
                metric=metric,
                value=float(score),
                count=pixels,
                unit=UNITS.get(metric, "1"),
                condition=condition,
                interval=_interval(drawn[:, index]),
            )


def _scores(counts: Counts, leads: slice | int, weights: np.ndarray) -> dict[str, np.ndarray]:
    pooled = counts.pooled(leads, weights)
    return {**pooled.errors(), **pooled.categories()}


def _draws(count: int, starts: np.ndarray, block: int, resamples: int) -> np.ndarray:
    """Draw some of `count` starts with repetition, in blocks of neighbors that wrap around; the same draws every time.

    Returns:
        resamples x count: how often each start was drawn.
    """
    size = len(starts)
    if size < 2:
        return np.empty((0, count))
    block = max(1, min(block, size // 2))
    first = np.random.default_rng(0).integers(size, size=(resamples, -(-size // block)))
    drawn = ((first[:, :, None] + np.arange(block)) % size).reshape(resamples, first.shape[1] * block)[:, :size]
    weights = np.zeros((resamples, count))
    np.add.at(weights, (np.arange(resamples)[:, None], starts[drawn]), 1)
    return weights


def _interval(values: np.ndarray) -> tuple[float, float] | None:
    defined = values[~np.isnan(values)]
    if not len(defined):
        return None
    low, high = np.quantile(defined, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


def _plain(number: float) -> Condition:
    return int(number) if float(number).is_integer() else float(number)
