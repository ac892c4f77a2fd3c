"""What shares of rain have meant: calibrations fitted to past forecasts, never to the ones that they are scored on.

Log loss is minimized over the two parameters of `probability`'s formula, for each threshold and lead. Pixels are kept
as counts by the level of their share, so that a season of forecasts fits into a few megabytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from semicoupled.tasks.nowcasting.scores.probability import LEVELS, Calibration, Neighborhood, share_levels

LEAST_SLOPE = 0.05
PRIOR = 1.0
"""Weight of staying near a = 0, b = 1, beside a weight of 1 for each pixel: it decides only where nearly none are."""
_ITERATIONS = 50


class LevelCounts(NamedTuple):
    """Pixels by the level of their share, S K Q L: L is an index into `probability.LEVELS`.

    Attributes:
        pixels: that count.
        events: of these, the ones with rain at or above the threshold.
    """

    pixels: np.ndarray
    events: np.ndarray


class Fold(NamedTuple):
    """Starts that are scored with what was fitted on other starts; both S, bool.

    Attributes:
        scored: true where scored.
        fitted: true where fitted; nowhere both.
    """

    scored: np.ndarray
    fitted: np.ndarray


def count_levels(
    forecast: np.ndarray,
    observed: np.ndarray,
    counts: np.ndarray,
    thresholds: Sequence[float],
    kilometers: float,
    lead_minutes: Sequence[float],
    neighborhood: Neighborhood,
) -> LevelCounts:
    """Count the pixels of one forecast by the level of their share.

    Args:
        forecast: K H W, dBZ.
        observed: K H W, dBZ.
        counts: K H W, whether a pixel counts; missing (NaN) pixels of either field never do.
        thresholds: Q thresholds, dBZ.
        kilometers: size of a pixel.
        lead_minutes: of each lead.
        neighborhood: how shares are made.

    Returns:
        Counts of one start.
    """
    counts = counts & ~np.isnan(forecast) & ~np.isnan(observed)
    shape = 1, len(lead_minutes), len(thresholds), len(LEVELS)
    found = LevelCounts(np.zeros(shape, np.int32), np.zeros(shape, np.int32))
    for lead, minutes in enumerate(lead_minutes):
        levels = share_levels(forecast[lead : lead + 1], thresholds, neighborhood, kilometers, [minutes])[:, 0]
        there = counts[lead]
        for index, threshold in enumerate(thresholds):
            at = 0, lead, index
            found.pixels[at] = np.bincount(levels[index][there], minlength=len(LEVELS))
            seen = there & (observed[lead] >= threshold)
            found.events[at] = np.bincount(levels[index][seen], minlength=len(LEVELS))
    return found


def merge_levels(parts: Sequence[LevelCounts]) -> LevelCounts:
    """Put counts of several starts into one."""
    return LevelCounts(*(np.concatenate(fields) for fields in zip(*parts, strict=True)))


def fit(
    levels: LevelCounts,
    thresholds: Sequence[float],
    lead_minutes: Sequence[float],
    neighborhood: Neighborhood,
    starts: np.ndarray | None = None,
) -> Calibration:
    """Fit a calibration.

    Args:
        levels: counts of S starts.
        thresholds: Q thresholds, dBZ.
        lead_minutes: of each of K leads.
        neighborhood: how the shares were made.
        starts: S, bool: those to fit on; all if None. Of none at all, shares are taken for probabilities.
    """
    chosen = slice(None) if starts is None else starts
    pixels, events = (field[chosen].sum(0, dtype=np.float64) for field in levels)
    intercept, slope = np.empty((2, len(thresholds), len(lead_minutes)))
    for index in range(len(thresholds)):
        for lead in range(len(lead_minutes)):
            intercept[index, lead], slope[index, lead] = fit_logistic(pixels[lead, index], events[lead, index])
    return Calibration(
        tuple(map(float, thresholds)),
        tuple(map(float, lead_minutes)),
        tuple(map(tuple, intercept.tolist())),
        tuple(map(tuple, slope.tolist())),
        neighborhood,
    )


def fit_logistic(pixels: np.ndarray, events: np.ndarray) -> tuple[float, float]:
    """Find a and b > 0 that make the events most likely, by Newton's method on a convex function.

    Args:
        pixels: L of them, at each of `LEVELS`.
        events: of these, L.

    Returns:
        a and b of P = 1 / (1 + exp(-(a + b level))).
    """
    both = np.stack([np.ones(len(LEVELS)), LEVELS])
    found = _newton(both, np.array([0.0, 1.0]), pixels, events, free=slice(0, 2))
    if found[1] < LEAST_SLOPE:  # convex: the best that is allowed lies on the border
        found = _newton(both, np.array([0.0, LEAST_SLOPE]), pixels, events, free=slice(0, 1))
    return float(found[0]), float(found[1])


def _newton(inputs: np.ndarray, start: np.ndarray, pixels: np.ndarray, events: np.ndarray, free: slice) -> np.ndarray:
    found = start.copy()
    rest = np.array([0.0, 1.0])
    loss = _loss(found, inputs, pixels, events)
    for _ in range(_ITERATIONS):
        probability = 1 / (1 + np.exp(-(found @ inputs)))
        slope = (inputs @ (pixels * probability - events) + PRIOR * (found - rest))[free]
        curve = ((inputs * (pixels * probability * (1 - probability))) @ inputs.T + PRIOR * np.eye(2))[free, free]
        step = np.linalg.solve(curve, slope)
        if np.abs(step).max() < 1e-10:
            break
        for halving in range(30):
            tried = found.copy()
            tried[free] -= step / 2**halving
            new = _loss(tried, inputs, pixels, events)
            if new <= loss:
                break
        else:
            break
        found, loss = tried, new
    return found


def _loss(parameters: np.ndarray, inputs: np.ndarray, pixels: np.ndarray, events: np.ndarray) -> float:
    logit = parameters @ inputs
    off = parameters - np.array([0.0, 1.0])
    return float(np.sum(pixels * np.logaddexp(0, logit) - events * logit) + PRIOR / 2 * off @ off)


def folds(events: Sequence[str], apart: int) -> list[Fold]:
    """Part starts so that none is scored with what was fitted on it, or on its neighbors.

    Args:
        events: the event of each start, in order of time within an event.
        apart: starts between what is scored and what is fitted on, if an event must be parted.

    Returns:
        A fold an event, fitted on all others; of one event, its earlier and its later half, each fitted on the other.
    """
    names = list(dict.fromkeys(events))
    if len(names) > 1:
        everyone = np.array(events)
        return [Fold(everyone == name, everyone != name) for name in names]
    order = np.arange(len(events))
    middle = len(events) // 2
    early = order < middle
    far_before, far_after = order < middle - apart, order >= middle + apart
    return [
        Fold(early, far_after if far_after.any() else ~early),
        Fold(~early, far_before if far_before.any() else early),
    ]
