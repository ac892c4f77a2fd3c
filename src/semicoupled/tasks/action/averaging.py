"""From the answers of frames to the answer of a video, averaged as it was learned (`loss.average`)."""

from __future__ import annotations

import numpy as np

from semicoupled.tasks.action.settings import Average

_LEAST = 1e-30
"""Stands for a probability of 0, whose logarithm is none."""


def average_frames(probabilities: np.ndarray, average: Average) -> np.ndarray:
    """Average frames.

    Args:
        probabilities: ... T K.
        average: of ``scores`` (those before the softmax) it is the geometric mean, as a softmax of mean scores is; of
            ``probabilities`` and ``frames`` the plain one (Sec. 5.5).

    Returns:
        ... K, which sum up to 1.
    """
    return from_sum(contribution(probabilities, average).sum(-2), probabilities.shape[-2], average)


def contribution(probabilities: np.ndarray, average: Average) -> np.ndarray:
    """Give what a frame's probabilities, K, add to the sum over frames, K, float64."""
    exact = probabilities.astype(np.float64)
    return np.log(np.maximum(exact, _LEAST)) if average == "scores" else exact


def from_sum(total: np.ndarray, count: int, average: Average) -> np.ndarray:
    """Give the probabilities of a video from the sum over its frames, ... K."""
    mean = total / count
    if average != "scores":
        return mean
    raised = np.exp(mean - mean.max(-1, keepdims=True))
    return raised / raised.sum(-1, keepdims=True)
