"""Which kind of road a frame is on: what the data says, else how far the wheel is turned (Table 6).

Without road labels, a frame is `straight`, `curve` or `sharp` by the size of its smoothed label.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

ROADS = ("straight", "curve", "sharp")
"""From the least to the most turned."""


def roads_by_angle(smoothed: np.ndarray, curve: float, sharp: float) -> np.ndarray:
    """Name the road of each frame by the size of its angle.

    Args:
        smoothed: N, the smoothed label; NaN where there is none.
        curve: above this it is a curve, in the unit of the label.
        sharp: above this, and above `curve`, it is sharp.

    Returns:
        N names; empty where there is no label.
    """
    size = np.abs(smoothed)
    index = (size > curve).astype(int) + (size > max(curve, sharp))
    return np.where(np.isnan(smoothed), "", np.array(ROADS)[index])


def in_order(names: Sequence[str]) -> list[str]:
    """Give the kinds of road there are, each once: ours from straight to sharp, others by the alphabet."""
    there = set(names) - {""}
    return [name for name in ROADS if name in there] + sorted(there - set(ROADS))
