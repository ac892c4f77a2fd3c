"""Rain in the neighborhood: how much of a window is rain, for the fractions skill score (Roberts and Lean 2008).

Windows are squares of an odd number of pixels, one around every pixel of the field. Beyond the edge, and where pixels
do not count, there is no rain in the forecast and none in the observation, as pysteps has it.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np


def window_pixels(window_km: float, kilometers: float) -> int:
    """Give the odd number of pixels that is nearest to a window's side; of two, the larger.

    Args:
        window_km: side of the window.
        kilometers: size of a pixel.
    """
    return 2 * int(window_km / kilometers / 2) + 1


def window_counts(events: np.ndarray, side: int) -> np.ndarray:
    """Count the events in the window around every pixel.

    Args:
        events: H W, bool.
        side: odd number of pixels.

    Returns:
        H W, int32.
    """
    height, width = events.shape
    sums = cv2.integral(np.pad(events, side // 2).astype(np.uint8))  # one row and one column more
    by_rows = sums[side:] - sums[:height]
    return by_rows[:, side:] - by_rows[:, :width]


def window_sums(said: np.ndarray, seen: np.ndarray, sides: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Add up what the fractions skill score is made of.

    Args:
        said: H W, where rain is forecast.
        seen: H W, where it is observed.
        sides: W sides of windows, odd numbers of pixels.

    Returns:
        Sum over all windows of (share forecast - share observed)^2, and of (share forecast)^2 + (share observed)^2; W
        each, exact up to the last division.
    """
    error, rain = np.zeros(len(sides)), np.zeros(len(sides))
    if not said.any() and not seen.any():
        return error, rain
    for index, side in enumerate(sides):
        foreseen, came = (window_counts(events, side).ravel().astype(np.float64) for events in (said, seen))
        difference = foreseen - came
        error[index] = difference @ difference / side**4
        rain[index] = (foreseen @ foreseen + came @ came) / side**4
    return error, rain
