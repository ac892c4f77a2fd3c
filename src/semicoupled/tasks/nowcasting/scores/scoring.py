"""From counts to rows: by lead, by event, over all, with intervals from a bootstrap over start times.

Pooled scores are those of all pixels thrown together, so that wet frames weigh more. Rows with ``pooling: per_frame``
are means of the scores of single frames, over those in which they are defined: every frame weighs the same. Differences
are ours minus a baseline, over the same draws, so that their interval says whether one is better.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from semicoupled.bootstrap import RESAMPLES, interval
from semicoupled.rows import Condition, Row, plain
from semicoupled.tasks.nowcasting.scores.metrics import LABELS, Counts
from semicoupled.tasks.nowcasting.scores.scopes import Scope, scopes

UNITS = {"mse": "dBZ^2", "mae": "dBZ"}
DIFFERENCES = ("mse", "csi", "fss")
"""Scores whose difference to each baseline has rows of its own, such as ``mse_difference``."""
NARROW = ("mse", "mae", "csi", "far", "pod", "hss", "frequency_bias", "correlation")
"""Scores that have rows for single leads of single events."""


class Axes(NamedTuple):
    """What the scores of a table are by.

    Attributes:
        lead_minutes: of each lead.
        thresholds: dBZ.
        windows_km: sides of the windows of the fractions skill score.
        bands_km: edges of the bands of wavelength.
    """

    lead_minutes: Sequence[float]
    thresholds: Sequence[float]
    windows_km: Sequence[float] = ()
    bands_km: Sequence[float] = ()

    def conditions(self, metric: str) -> list[dict[str, Condition]]:
        """Give the conditions of a metric's scores, in the order of their array, flattened."""
        values: dict[str, list[Condition]] = {
            "threshold_dbz": [plain(threshold) for threshold in self.thresholds],
            "window_km": [plain(window) for window in self.windows_km],
            "band_km": [f"{low:g}-{high:g}" for low, high in pairwise(self.bands_km)],
        }
        found: list[dict[str, Condition]] = [{}]
        for label in LABELS[metric]:
            found = [{**before, label: value} for before in found for value in values[label]]
        return found


def score_rows(
    counts: Mapping[str, Counts],
    events: Sequence[str],
    axes: Axes,
    *,
    ours: str = "",
    names: Sequence[str] | None = None,
    resamples: int = RESAMPLES,
) -> list[Row]:
    """Make a table: every model over all leads and at each, over all events and, if there are several, in each.

    Args:
        counts: counts by model, all over the same starts.
        events: the event of each start, in order of time within an event.
        axes: what the scores are by.
        ours: the model whose differences to all others are wanted; none if it is not among `counts`.
        names: events that have rows, also those without a start; those of `events` if None.
        resamples: draws of the bootstrap; 0 leaves the intervals out.

    Returns:
        Rows with intervals at 90 %; all models see the same draws. The count of a row is of pixels, and of frames in
        which the score is defined where ``pooling`` is ``per_frame``.
    """
    rows: list[Row] = []
    frames = {model: counted.scores() for model, counted in counts.items()}
    for scope in scopes(events, axes.lead_minutes, resamples, names):
        pooled = {model: counted.pooled(scope.leads, scope.weights).scores() for model, counted in counts.items()}
        pixels = {model: int(counted.pooled(scope.leads, scope.weights[0]).pixels) for model, counted in counts.items()}
        for model, scores in pooled.items():
            kept = {name: values for name, values in scores.items() if name in NARROW or not scope.is_narrow}
            rows += _rows(model, kept, pixels[model], scope, axes)
        if scope.is_narrow:
            continue
        rows += [row for model in counts for row in _frame_rows(model, frames[model], scope, axes)]
        for baseline in (name for name in pooled if ours in pooled and name != ours):
            rows += _difference_rows(ours, baseline, pooled, pixels[ours], scope, axes)
    return rows


def _rows(model: str, scores: Mapping[str, np.ndarray], pixels: int, scope: Scope, axes: Axes) -> Iterator[Row]:
    """Give rows of scores of 1 + draws x ..."""
    for metric, drawn in scores.items():
        yield from _metric_rows(model, metric, drawn, [pixels] * drawn[0].size, scope.condition, axes)


def _frame_rows(model: str, scores: Mapping[str, np.ndarray], scope: Scope, axes: Axes) -> Iterator[Row]:
    """Give rows of the means of single frames' scores, S K ..."""
    condition = {**scope.condition, "pooling": "per_frame"}
    for metric, every in scores.items():
        chosen = every[:, [scope.leads] if isinstance(scope.leads, int) else scope.leads]
        defined = ~np.isnan(chosen)
        sums = np.tensordot(scope.weights, np.where(defined, chosen, 0).sum(1), 1)
        times = np.tensordot(scope.weights, defined.sum(1), 1)
        means = np.divide(sums, times, out=np.full(sums.shape, np.nan), where=times > 0)
        yield from _metric_rows(model, metric, means, times[0].ravel().astype(int).tolist(), condition, axes)


def _difference_rows(
    ours: str, baseline: str, pooled: Mapping[str, Mapping[str, np.ndarray]], pixels: int, scope: Scope, axes: Axes
) -> Iterator[Row]:
    for metric in DIFFERENCES:
        drawn = pooled[ours][metric] - pooled[baseline][metric]
        condition = {**scope.condition, "against": baseline}
        for row in _metric_rows(ours, metric, drawn, [pixels] * drawn[0].size, condition, axes):
            yield Row(row.model, f"{metric}_difference", row.condition, row.value, row.count, row.unit, row.interval)


def _metric_rows(
    model: str,
    metric: str,
    drawn: np.ndarray,
    counts: Sequence[int],
    condition: Mapping[str, Condition],
    axes: Axes,
) -> Iterator[Row]:
    """Give a row for each element of a metric's array, whose first axis is the value and then the draws."""
    drawn = drawn.reshape(len(drawn), -1)
    for index, label in enumerate(axes.conditions(metric)):
        yield Row(
            model=model,
            metric=metric,
            value=float(drawn[0, index]),
            count=counts[index],
            unit=UNITS.get(metric, "1"),
            condition={**condition, **label},
            interval=interval(drawn[1:, index]),
        )
