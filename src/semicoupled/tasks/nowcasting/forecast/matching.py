"""Probability matching: give a forecast the distribution of values that the rain has now (Ebert 2001).

A network that learns squared error fades what it is not sure of: the pattern is better than advection's, the values
are too low, and showers fall below every threshold. Matching keeps the pattern (the order of the pixels) and takes the
values from the last image as it is carried on. S-PROG of pysteps ends with the same step.
"""

from __future__ import annotations

import numpy as np


def match_distribution(forecast: np.ndarray, reference: np.ndarray, share: float = 1.0) -> np.ndarray:
    """Replace the values of each image by those of another, in their order.

    Args:
        forecast: K H W, NaN = missing.
        reference: K H W, whose distribution is wanted.
        share: how much of the way to go, from 0 (leave the forecast) to 1.

    Returns:
        K H W; pixels that are missing in either stay as they are in the forecast.
    """
    matched = np.array(forecast, np.float32)
    if share == 0:
        return matched
    for image, wanted in zip(matched, reference, strict=True):
        there = ~np.isnan(image) & ~np.isnan(wanted)
        order = np.argsort(image[there], kind="stable")
        values = np.empty(len(order), np.float32)
        values[order] = np.sort(wanted[there])
        image[there] = (1 - share) * image[there] + share * values
    return matched
