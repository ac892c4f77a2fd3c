"""How much later the image turns than the steering angle says, from how the scene moves sideways.

A car that steers to the right turns its camera to the right, and the scene moves to the left. The sideways motion is
correlated with the angle over shifts in time; the strongest correlation gives the lag, its sign says whether right is
right. Blocks of time are drawn again and again (bootstrap) to say how sure that is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

WIDEST = 1.5
"""Seconds to both sides that are looked at."""
_BLOCK = 10.0
_LEAST_BLOCKS = 4
_DRAWS = 300
_LEAST_CORRELATION = 0.2
_WIDEST_INTERVAL = 0.4


@dataclass(frozen=True)
class Turning:
    """A part of a drive without gaps.

    Args:
        times: N, seconds, rising.
        angles: N, in the unit of the drive, positive to the right; NaN where unknown.
        turns: N, how fast the scene moves to the left between the frame before and this one; NaN where unknown.
    """

    times: np.ndarray
    angles: np.ndarray
    turns: np.ndarray


@dataclass(frozen=True)
class Lag:
    """What was found.

    Args:
        seconds: the image turns so much later than the angle says; below 0, earlier.
        interval: seconds; 95 % of the draws lie in it.
        correlation: at that lag, -1..1; below 0 where the image turns the other way.
        shifts: S, seconds, that were tried.
        correlations: S.
        length: seconds of driving that went in.
    """

    seconds: float
    interval: tuple[float, float]
    correlation: float
    shifts: np.ndarray
    correlations: np.ndarray
    length: float

    @property
    def step(self) -> float:
        """Seconds from one shift to the next, the usual time between two frames; of a lag that is `told`."""
        return float(self.shifts[1] - self.shifts[0])

    @property
    def told(self) -> bool:
        """Whether the lag can be told: strong enough, narrow enough, and not at the end of what was tried."""
        narrow = self.interval[1] - self.interval[0] <= _WIDEST_INTERVAL
        inside = abs(self.seconds) < self.shifts[-1] - 1e-9
        return narrow and inside and abs(self.correlation) >= _LEAST_CORRELATION


def estimate_lag(parts: Sequence[Turning], seed: int = 0) -> Lag | None:
    """Estimate the lag of all parts together.

    Args:
        parts: without gaps.
        seed: of the draws.

    Returns:
        The lag, or None where there is less than 40 s, or nothing moves, or nobody steers.
    """
    steps = [np.diff(part.times) for part in parts if len(part.times) > 1]
    if not steps:
        return None
    step = float(np.median(np.concatenate(steps)))
    most = round(WIDEST / step)
    blocks = [block for part in parts if len(part.times) > 2 for block in _blocks(part, step, most)]
    if len(blocks) < _LEAST_BLOCKS:
        return None
    sums = np.stack(blocks)  # blocks, sums, shifts
    correlations = _correlation(sums.sum(0))
    if not np.isfinite(correlations).all():
        return None
    shifts = step * np.arange(-most, most + 1)
    best, seconds = _peak(correlations, shifts)
    drawn = np.random.default_rng(seed).multinomial(len(sums), np.full(len(sums), 1 / len(sums)), _DRAWS)
    again = _correlation(np.einsum("db,bsk->sdk", drawn, sums))
    peaks = [_peak(each, shifts)[1] for each in again if np.isfinite(each).all()]
    low, high = np.percentile(peaks or [-WIDEST, WIDEST], [2.5, 97.5])
    return Lag(
        seconds,
        (float(low), float(high)),
        float(correlations[best]),
        shifts,
        correlations,
        step * float(sums[:, 0, most].sum()),
    )


def _blocks(part: Turning, step: float, most: int) -> list[np.ndarray]:
    """Give the sums that a correlation needs, for every shift, block by block: blocks of (6, shifts)."""
    grid = np.arange(part.times[0] + step / 2, part.times[-1], step)
    # the scene's motion belongs to the middle between two frames
    turns = _on_grid(grid, (part.times[1:] + part.times[:-1]) / 2, part.turns[1:], step)
    angles = _on_grid(grid, part.times, part.angles, step)
    padded = np.pad(angles, most, constant_values=np.nan)
    # column k holds the angle so many steps before the motion: k - most
    earlier = np.lib.stride_tricks.sliding_window_view(padded, len(grid))[::-1].T
    length = max(1, round(_BLOCK / step))
    found = [
        _sums(earlier[start : start + length], turns[start : start + length, None])
        for start in range(0, len(grid), length)
    ]
    return [block for block in found if block[0, most] > 0.5 * length]


def _sums(angles: np.ndarray, turns: np.ndarray) -> np.ndarray:
    both = np.isfinite(angles) & np.isfinite(turns)
    x, y = np.where(both, angles, 0.0), np.where(both, turns, 0.0)
    return np.stack([each.sum(0) for each in (both.astype(np.float64), x, y, x * x, y * y, x * y)])


def _on_grid(grid: np.ndarray, times: np.ndarray, values: np.ndarray, step: float) -> np.ndarray:
    """Give values on a regular grid; NaN where none lies within a step."""
    known = np.isfinite(values)
    if known.sum() < 2:
        return np.full(len(grid), np.nan)
    at = times[known]
    after = np.clip(np.searchsorted(at, grid), 1, len(at) - 1)
    near = np.minimum(np.abs(grid - at[after - 1]), np.abs(grid - at[after])) <= step
    return np.where(near, np.interp(grid, at, values[known]), np.nan)


def _correlation(sums: np.ndarray) -> np.ndarray:
    """Give Pearson's correlation from six sums (first axis)."""
    n, x, y, xx, yy, xy = sums
    with np.errstate(invalid="ignore", divide="ignore"):
        return (n * xy - x * y) / np.sqrt((n * xx - x * x) * (n * yy - y * y))


def _peak(correlations: np.ndarray, shifts: np.ndarray) -> tuple[int, float]:
    """Find the strongest correlation, and between the shifts the top of the parabola through its neighbors."""
    strength = np.abs(correlations)
    best = int(np.argmax(strength))
    if not 0 < best < len(shifts) - 1:
        return best, float(shifts[best])
    before, top, after = strength[best - 1 : best + 2]
    bend = before - 2 * top + after
    aside = 0.5 * (before - after) / bend if bend < 0 else 0.0
    return best, float(shifts[best] + aside * (shifts[1] - shifts[0]))
