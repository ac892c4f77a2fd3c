"""How important time is for steering: the temporal stream's score minus the spatial stream's (Table 6).

Both streams answer the same question, the angle, so that their scores can be compared: over all frames, on each kind of
road, and along a drive.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from semicoupled.tasks.driving.answers import DriveAnswers
from semicoupled.tasks.driving.scores.metrics import soft_accuracy
from semicoupled.tasks.driving.smoothing import smooth

COMPARED: Mapping[str, int] = {"acc_soft": 1, "acc_hard": 1, "mse": -1, "rmse": -1}
"""Scores whose difference tells importance, and which sign makes more of them better."""
WINDOW = 1.0
"""Seconds over which importance is averaged along a drive."""


def importance(temporal: Mapping[str, np.ndarray], spatial: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Compare the scores of both streams; above 0, time says more than space.

    Args:
        temporal: scores of the temporal stream, as `Sums.scores` gives them.
        spatial: those of the spatial stream, over the same frames and draws.

    Returns:
        The difference by score; errors count negatively, so that more is always more important.
    """
    return {name: sign * (temporal[name] - spatial[name]) for name, sign in COMPARED.items()}


class Timeline(NamedTuple):
    """Importance along a drive, each of N.

    Attributes:
        times: seconds.
        importance: difference of the soft accuracies (24), averaged over a moment; NaN where it is not known.
        disagreement: temporal minus spatial answer, in the unit of the angles: what there is without labels.
    """

    times: np.ndarray
    importance: np.ndarray
    disagreement: np.ndarray


def timeline(drive: DriveAnswers, threshold: float, window: float = WINDOW) -> Timeline | None:
    """Tell how important time is, frame by frame.

    Args:
        drive: answers of all three streams.
        threshold: lambda of Eq. 24, in the unit of the angles.
        window: seconds that are averaged over.

    Returns:
        None where the model has no such streams.
    """
    if drive.spatial is None or drive.temporal is None:
        return None
    gain = soft_accuracy(drive.temporal - drive.truth, threshold) - soft_accuracy(
        drive.spatial - drive.truth, threshold
    )
    return Timeline(drive.times, smooth(gain, drive.times, window), drive.temporal - drive.spatial)
