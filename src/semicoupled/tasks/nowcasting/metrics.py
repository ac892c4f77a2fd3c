"""Verification: counts that can be added up, and the scores that follow from them (Eq. 25-28).

A score over nothing (no rain forecast, none observed) is NaN, never an exception. Pixels count where all inputs and
the target are there. The paper writes SCI for CSI in Eq. 25, and its threshold of .5 is 30 dBZ on a scale of 0 to 60.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

EPSILON = 1e-9
"""Of Eq. 28, inside the root."""


@dataclass(frozen=True, eq=False)
class Counts:
    """What was counted, a row for each start of a forecast: S starts, K leads, Q thresholds.

    Args:
        pixels: S K, pixels that count.
        squared: S K, sum of squared errors, dBZ^2.
        absolute: S K, sum of absolute errors, dBZ.
        hits: S K Q, forecast and observed at or above the threshold.
        misses: S K Q, observed alone.
        false_alarms: S K Q, forecast alone.
    """

    pixels: np.ndarray
    squared: np.ndarray
    absolute: np.ndarray
    hits: np.ndarray
    misses: np.ndarray
    false_alarms: np.ndarray

    @property
    def fields(self) -> tuple[np.ndarray, ...]:
        """All counts, in order."""
        return self.pixels, self.squared, self.absolute, self.hits, self.misses, self.false_alarms

    def pooled(self, leads: slice | int = slice(None), weights: np.ndarray | None = None) -> Pooled:
        """Add up over starts and leads.

        Args:
            leads: the leads to take.
            weights: ... S, how often each start counts; once if None.
        """
        chosen = [leads] if isinstance(leads, int) else leads
        over_leads = (field[:, chosen].sum(axis=1) for field in self.fields)
        return Pooled(*(field.sum(axis=0) if weights is None else weights @ field for field in over_leads))


@dataclass(frozen=True, eq=False)
class Pooled:
    """Sums over starts and leads: the fields of `Counts`, of shape ... or, by threshold, ... Q."""

    pixels: np.ndarray
    squared: np.ndarray
    absolute: np.ndarray
    hits: np.ndarray
    misses: np.ndarray
    false_alarms: np.ndarray

    def errors(self) -> dict[str, np.ndarray]:
        """Mean squared (dBZ^2) and mean absolute error (dBZ)."""
        return {"mse": _ratio(self.squared, self.pixels), "mae": _ratio(self.absolute, self.pixels)}

    def categories(self) -> dict[str, np.ndarray]:
        """Scores of rain at or above each threshold, ... Q each; NaN where undefined.

        CSI (25), FAR (26) and POD (27); HSS, how much better than chance; frequency bias, forecast over observed
        events; correlation of the 0/1 images (28).
        """
        hits, misses, false_alarms = (
            np.asarray(count, np.float64) for count in (self.hits, self.misses, self.false_alarms)
        )
        quiet = np.asarray(self.pixels)[..., None] - hits - misses - false_alarms
        chance = (hits + misses) * (misses + quiet) + (hits + false_alarms) * (false_alarms + quiet)
        either = (hits + misses) + (hits + false_alarms)
        return {
            "csi": _ratio(hits, hits + misses + false_alarms),  # (25)
            "far": _ratio(false_alarms, hits + false_alarms),  # (26)
            "pod": _ratio(hits, hits + misses),  # (27)
            "hss": _ratio(2 * (hits * quiet - misses * false_alarms), chance),
            "frequency_bias": _ratio(hits + false_alarms, hits + misses),
            "correlation": np.where(  # (28)
                either > 0, hits / np.sqrt((hits + false_alarms) * (hits + misses) + EPSILON), np.nan
            ),
        }


def count(forecast: np.ndarray, observed: np.ndarray, counts: np.ndarray, thresholds: Sequence[float]) -> Counts:
    """Count one forecast.

    Args:
        forecast: K H W, dBZ.
        observed: K H W, dBZ.
        counts: K H W, whether a pixel counts; missing (NaN) pixels of either field never do.
        thresholds: Q thresholds, dBZ.

    Returns:
        Counts of one start.
    """
    counts = counts & ~np.isnan(forecast) & ~np.isnan(observed)
    error = np.where(counts, forecast.astype(np.float64) - observed, 0)
    axes = (1, 2)
    hits, misses, false_alarms = [], [], []
    for threshold in thresholds:
        said, seen = counts & (forecast >= threshold), counts & (observed >= threshold)
        hits.append((said & seen).sum(axes))
        misses.append((seen & ~said).sum(axes))
        false_alarms.append((said & ~seen).sum(axes))
    return Counts(
        pixels=counts.sum(axes)[None],
        squared=(error**2).sum(axes)[None],
        absolute=np.abs(error).sum(axes)[None],
        hits=np.stack(hits, -1)[None],
        misses=np.stack(misses, -1)[None],
        false_alarms=np.stack(false_alarms, -1)[None],
    )


def merge(parts: Sequence[Counts]) -> Counts:
    """Put counts of several starts into one."""
    return Counts(*(np.concatenate(fields) for fields in zip(*(part.fields for part in parts), strict=True)))


def _ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    denominator = np.asarray(denominator, np.float64)
    safe = np.where(denominator == 0, 1, denominator)
    return np.where(denominator == 0, np.nan, numerator / safe)
