"""What is odd about steering angles: other units than said, spikes, none at all, one and the same."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from semicoupled.tasks.driving.drives import Unit

LARGEST: dict[str, float] = {"degrees": 900.0, "radians": 15.8, "normalized": 1.02}
"""No wheel turns farther: two and a half turns to a side, or full lock."""
_SMALLEST_DEGREES = 1.05
_SPIKE_SHARE = 0.25
_SPIKE_TIMES = 12.0
_LEAST_FRAMES = 50


class LabelShares(NamedTuple):
    """Shares of the frames that have an angle.

    Attributes:
        zero: the angle is exactly 0.
        lock: it is full lock (`normalized`), or at 99 % of the largest that there is.
    """

    zero: float
    lock: float


def doubt_unit(angles: np.ndarray, unit: Unit) -> str | None:
    """Say why angles are probably in another unit than thought; None if they may well be in it.

    Args:
        angles: N, NaN where unknown.
        unit: that they are taken to be in.
    """
    known = np.abs(angles[np.isfinite(angles)])
    if not len(known):
        return None
    largest = float(known.max())
    if largest > LARGEST[unit]:
        meant = {"normalized": "degrees" if largest > 2 * np.pi else "radians or degrees", "radians": "degrees"}
        guess = f"; they look like {meant[unit]}" if unit in meant else "; they look like tenths of a degree, or damage"
        return (
            f"angles reach {largest:.4g}, taken as {unit}; expected at most {LARGEST[unit]:g}{guess}. Set "
            "--data.angle.unit (and --data.angle.factor, if one step is not one of it)"
        )
    if unit == "degrees" and len(known) >= _LEAST_FRAMES and 0 < largest <= _SMALLEST_DEGREES:
        return (
            f"no angle is larger than {largest:.4g}, taken as degrees; they look normalized, or like radians. Set "
            "--data.angle.unit"
        )
    return None


def find_spikes(angles: np.ndarray) -> np.ndarray:
    """Find single frames whose angle jumps away from both neighbors, as no hand turns a wheel.

    Args:
        angles: N, of one run; NaN where unknown.

    Returns:
        Their numbers. A jump counts if it is a quarter of the run's range, and many times the usual change, and the
        neighbors lie near each other.
    """
    if len(angles) < 5:
        return np.zeros(0, np.int64)
    change = np.diff(angles)
    known = change[np.isfinite(change)]
    finite = angles[np.isfinite(angles)]
    if not len(known):
        return np.zeros(0, np.int64)
    low, high = np.percentile(finite, [1, 99])
    least = max(_SPIKE_SHARE * max(high - low, 1e-9), _SPIKE_TIMES * float(np.percentile(np.abs(known), 80)))
    away, back = change[:-1], change[1:]
    with np.errstate(invalid="ignore"):
        jump = np.minimum(np.abs(away), np.abs(back))
        odd = (jump >= least) & (np.abs(away + back) < 0.5 * jump)  # so it comes back
    return np.flatnonzero(odd) + 1


def shares(angles: np.ndarray, unit: Unit) -> LabelShares:
    """Tell how many angles are 0, and how many at full lock.

    Args:
        angles: N, NaN where unknown.
        unit: of them.
    """
    known = angles[np.isfinite(angles)]
    if not len(known):
        return LabelShares(float("nan"), float("nan"))
    lock = 0.99 if unit == "normalized" else 0.99 * float(np.abs(known).max())
    return LabelShares(float((known == 0).mean()), float((np.abs(known) >= lock).mean()) if lock > 0 else 0.0)
