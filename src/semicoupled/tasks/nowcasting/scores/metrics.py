"""Verification: sums that can be added up, and the scores that follow from them (Eq. 25-28, FSS, spectra).

A score over nothing (no rain forecast, none observed) is NaN, never an exception. Pixels count where all inputs and
the target are there. The paper writes SCI for CSI in Eq. 25, and its threshold of .5 is 30 dBZ on a scale of 0 to 60.

Only sums are kept, a number for each start and lead: nothing grows with the fields.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np

from semicoupled.tasks.nowcasting.scores.fractions import window_sums

Power = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""(fields K H W, which pixels count K H W) -> power K B."""

EPSILON = 1e-9
"""Of Eq. 28, inside the root."""

LABELS: dict[str, tuple[str, ...]] = {
    "mse": (),
    "mae": (),
    "maximum_ratio": (),
    **dict.fromkeys(("csi", "far", "pod", "hss", "frequency_bias", "correlation"), ("threshold_dbz",)),
    "fss": ("threshold_dbz", "window_km"),
    "spectrum_ratio": ("band_km",),
}
"""What each score is by, beside start and lead: the conditions of its rows, the axes of its arrays."""


@dataclass(frozen=True, eq=False)
class Sums:
    """What was added up. As `Counts`: a row for each start and lead, S K ...; as `Pooled`: over some of them, ...

    Q thresholds, W windows and B bands have axes of their own at the end.

    Args:
        pixels: S K, pixels that count.
        squared: S K, sum of squared errors, dBZ^2.
        absolute: S K, sum of absolute errors, dBZ.
        hits: S K Q, forecast and observed at or above the threshold.
        misses: S K Q, observed alone.
        false_alarms: S K Q, forecast alone.
        highest_forecast: S K, the highest dBZ that is forecast.
        highest_observed: S K, the highest dBZ that is observed.
        window_error: S K Q W, sum of (share of rain forecast - share observed)^2 over all windows.
        window_rain: S K Q W, sum of (share forecast)^2 + (share observed)^2.
        power_forecast: S K B, power of the forecast in each band of wavelengths.
        power_observed: S K B, power of what was observed.
    """

    pixels: np.ndarray
    squared: np.ndarray
    absolute: np.ndarray
    hits: np.ndarray
    misses: np.ndarray
    false_alarms: np.ndarray
    highest_forecast: np.ndarray
    highest_observed: np.ndarray
    window_error: np.ndarray
    window_rain: np.ndarray
    power_forecast: np.ndarray
    power_observed: np.ndarray

    @property
    def fields(self) -> tuple[np.ndarray, ...]:
        """All sums, in order."""
        return tuple(getattr(self, field.name) for field in fields(self))

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

    def fractions(self) -> dict[str, np.ndarray]:
        """Fractions skill score (Roberts and Lean 2008), ... Q W: 1 - MSE of the shares over its worst case."""
        return {"fss": 1 - _ratio(self.window_error, self.window_rain)}

    def blur(self) -> dict[str, np.ndarray]:
        """What fading costs, forecast over observed: the highest dBZ, and the power in each band, ... B."""
        return {
            "maximum_ratio": _ratio(self.highest_forecast, self.highest_observed),
            "spectrum_ratio": _ratio(self.power_forecast, self.power_observed),
        }

    def scores(self) -> dict[str, np.ndarray]:
        """All scores; see `LABELS` for their axes."""
        return {**self.errors(), **self.categories(), **self.fractions(), **self.blur()}


class Pooled(Sums):
    """Sums over starts and leads: the fields of `Sums` without these axes."""


class Counts(Sums):
    """Sums of each start and lead, S K ..."""

    def pooled(self, leads: slice | int = slice(None), weights: np.ndarray | None = None) -> Pooled:
        """Add up over starts and leads.

        Args:
            leads: the leads to take.
            weights: ... S, how often each start counts; once if None.
        """
        chosen = [leads] if isinstance(leads, int) else leads
        over_leads = (np.nansum(field[:, chosen], axis=1) for field in self.fields)
        return Pooled(
            *(field.sum(axis=0) if weights is None else np.tensordot(weights, field, 1) for field in over_leads)
        )


class Truth:
    """What came to be, ready to be compared with several forecasts of it.

    Args:
        observed: K H W, dBZ.
        counts: K H W, whether a pixel counts; missing (NaN) pixels never do.
        thresholds: Q thresholds, dBZ.
        windows: W sides of windows, odd numbers of pixels.
        power: gives K B, the power in B bands, from fields and from which pixels count, both K H W; None for no bands.
    """

    def __init__(
        self,
        observed: np.ndarray,
        counts: np.ndarray,
        thresholds: Sequence[float],
        windows: Sequence[int] = (),
        power: Power | None = None,
    ) -> None:
        self._counts = counts & ~np.isnan(observed)
        self._observed = np.asarray(observed, np.float64)
        self._thresholds, self._windows, self._power = thresholds, windows, power
        self._seen = self._events(observed)
        self._spectrum = self._powers(observed)

    def count(self, forecast: np.ndarray) -> Counts:
        """Compare a forecast; where it is NaN, pixels do not count.

        Args:
            forecast: K H W, dBZ.

        Returns:
            Counts of one start.
        """
        known = ~np.isnan(forecast)
        if (self._counts & ~known).any():
            fewer = Truth(self._observed, self._counts & known, self._thresholds, self._windows, self._power)
            return fewer.count(np.where(known, forecast, 0))
        error = np.where(self._counts, forecast - self._observed, 0)
        said, seen = self._events(forecast), self._seen
        window_error, window_rain = self._windowed(said)
        across = (-2, -1)
        return Counts(
            *(
                field[None]
                for field in (
                    self._counts.sum(across),
                    (error**2).sum(across),
                    np.abs(error).sum(across),
                    (said & seen).sum(across),
                    (seen & ~said).sum(across),
                    (said & ~seen).sum(across),
                    np.where(self._counts, forecast, 0).max(across, initial=0),
                    np.where(self._counts, self._observed, 0).max(across, initial=0),
                    window_error,
                    window_rain,
                    self._powers(forecast),
                    self._spectrum,
                )
            )
        )

    def _events(self, fields: np.ndarray) -> np.ndarray:
        """Say where it rains at least as hard as each threshold, K Q H W."""
        return np.stack([self._counts & (fields >= threshold) for threshold in self._thresholds], axis=1)

    def _windowed(self, said: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give the sums over windows, K Q W each; one field at a time, which takes the least memory."""
        leads, thresholds = said.shape[:2]
        sums = np.zeros((2, leads, thresholds, len(self._windows)))
        for lead in range(leads):
            for threshold in range(thresholds):
                at = lead, threshold
                sums[:, *at] = window_sums(said[at], self._seen[at], self._windows)
        return sums[0], sums[1]

    def _powers(self, fields: np.ndarray) -> np.ndarray:
        return np.empty((len(fields), 0)) if self._power is None else self._power(fields, self._counts)


def count(forecast: np.ndarray, observed: np.ndarray, counts: np.ndarray, thresholds: Sequence[float]) -> Counts:
    """Count one forecast, without windows and bands; see `Truth` for the arguments."""
    return Truth(observed, counts, thresholds).count(forecast)


def merge(parts: Sequence[Counts]) -> Counts:
    """Put counts of several starts into one."""
    return Counts(*(np.concatenate(fields) for fields in zip(*(part.fields for part in parts), strict=True)))


def _ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    denominator = np.asarray(denominator, np.float64)
    safe = np.where(denominator == 0, 1, denominator)
    return np.where(denominator == 0, np.nan, numerator / safe)
