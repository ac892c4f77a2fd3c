"""How sure a score is: what it is over is drawn again and again, with repetition.

Neighbors in time are much alike, so they are drawn in blocks; how long a block has to be, each task knows.
"""

from __future__ import annotations

import numpy as np

RESAMPLES = 400
CONFIDENCE = 0.9


def draws(count: int, chosen: np.ndarray, block: int = 1, resamples: int = RESAMPLES, seed: int = 0) -> np.ndarray:
    """Say how often each of some parts counts: once, and then as drawn.

    Args:
        count: number of parts.
        chosen: indices of those that are drawn from, in order of time; the others count nowhere.
        block: so many neighbors are drawn together; they wrap around. At most half of those chosen.
        resamples: draws; the same ones every time. There are none where fewer than two are chosen.
        seed: parts that are drawn from apart need draws of their own.

    Returns:
        1 + draws x count: once each in the first row, then as drawn.
    """
    once = np.zeros((1, count))
    once[:, chosen] = 1
    size = len(chosen)
    if size < 2:
        return once
    block = max(1, min(block, size // 2))
    first = np.random.default_rng(seed).integers(size, size=(resamples, -(-size // block)))
    drawn = ((first[:, :, None] + np.arange(block)) % size).reshape(resamples, first.shape[1] * block)[:, :size]
    weights = np.zeros((resamples, count))
    np.add.at(weights, (np.arange(resamples)[:, None], chosen[drawn]), 1)
    return np.concatenate([once, weights])


def interval(drawn: np.ndarray) -> tuple[float, float] | None:
    """Give where 90 % of the drawn scores, N of them, lie, or None where there are none that are defined."""
    defined = drawn[~np.isnan(drawn)]
    if not len(defined):
        return None
    low, high = np.quantile(defined, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


def draws_within(groups: np.ndarray, chosen: np.ndarray, resamples: int = RESAMPLES) -> np.ndarray:
    """Say how often each of some parts counts if those of each group are drawn anew among themselves.

    What comes of it tells nothing about other groups.

    Args:
        groups: of each part, N.
        chosen: N, which are drawn from; the others count nowhere.
        resamples: draws; the same ones every time.

    Returns:
        1 + draws x N: once each in the first row, then as drawn.
    """
    weights = np.zeros((resamples + 1, len(groups)))
    for number, group in enumerate(np.unique(groups[chosen])):
        own = draws(len(groups), np.flatnonzero(chosen & (groups == group)), 1, resamples, seed=number)
        weights += own if len(own) > 1 else np.repeat(own, resamples + 1, 0)  # a single one is drawn every time
    return weights
