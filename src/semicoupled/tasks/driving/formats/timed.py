"""Labels that were taken at other times than the frames."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_SAME = 1e-3
"""Seconds by which a frame may lie outside the labels."""


def interpolate(times: np.ndarray, values: np.ndarray, at: np.ndarray, gap: float) -> np.ndarray:
    """Give values at other times, on the line between the two around each.

    Args:
        times: N, rising, seconds.
        values: N.
        at: M, seconds.
        gap: values that lie farther apart say nothing of the time between them, seconds.

    Returns:
        M; NaN before the first and after the last value, in gaps, and beside a NaN.
    """
    at = np.where((at < times[0]) & (at >= times[0] - _SAME), times[0], at)
    at = np.where((at > times[-1]) & (at <= times[-1] + _SAME), times[-1], at)
    after = np.clip(np.searchsorted(times, at, side="left"), 0, len(times) - 1)
    before = np.where(times[after] == at, after, np.maximum(after - 1, 0))
    span = times[after] - times[before]
    share = np.where(span > 0, (at - times[before]) / np.where(span > 0, span, 1), 0)
    # where a time is met exactly, its neighbor, which may be NaN, has no part in it
    found = np.where(before == after, values[after], (1 - share) * values[before] + share * values[after])
    return np.where((at >= times[0]) & (at <= times[-1]) & (span <= gap), found, np.nan)


def nearest_word(times: np.ndarray, words: Sequence[str], at: np.ndarray) -> tuple[str, ...]:
    """Give the word whose time is nearest to each.

    Args:
        times: N, rising, seconds.
        words: N.
        at: M, seconds.
    """
    edges = (times[1:] + times[:-1]) / 2
    return tuple(words[int(index)] for index in np.searchsorted(edges, at))
