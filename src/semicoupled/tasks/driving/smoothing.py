"""The mean of an angle over a moment around each frame: what a driver meant, without the twitches of his hand."""

from __future__ import annotations

import numpy as np

_CLOSE = 1e-6
"""Seconds; times read from files are not exact, and a frame at the very end of the window belongs to it."""


def smooth(values: np.ndarray, times: np.ndarray, seconds: float) -> np.ndarray:
    """Average over a window around each frame.

    Args:
        values: N, float64; NaN where there is none.
        times: N, seconds, rising.
        seconds: length of the window: half of it before the frame, half after; both ends belong to it. At the ends of
            a drive the window is what is left of it. 0 changes nothing.

    Returns:
        N: the mean of those values in the window that are not NaN; NaN where `values` is.
    """
    known = ~np.isnan(values)
    shift = float(values[known].mean()) if known.any() else 0.0
    sums = np.concatenate([[0.0], np.cumsum(np.where(known, values - shift, 0.0))])
    counts = np.concatenate([[0], np.cumsum(known)])
    reach = seconds / 2 + _CLOSE if seconds > 0 else 0.0
    first = np.searchsorted(times, times - reach, side="left")
    last = np.searchsorted(times, times + reach, side="right")
    count = counts[last] - counts[first]
    with np.errstate(invalid="ignore", divide="ignore"):
        means = (sums[last] - sums[first]) / count + shift
    return np.where(known, means, np.nan)
