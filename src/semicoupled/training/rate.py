"""The learning rate as a function of how much is done, and the clamp of recurrent gradients (Sec. 5.9)."""

from __future__ import annotations

import math
from collections.abc import Iterable

from torch import nn

from semicoupled.training.settings import LearningRateSchedule


def rate_factor(share: float, schedule: LearningRateSchedule, warm_up: float) -> float:
    """Give what the learning rate is multiplied with.

    Args:
        share: of the training done, in [0, 1].
        schedule: `constant`, or `cosine` (half a period, from 1 to 0 after the warm-up).
        warm_up: share of the training over which it rises linearly from 0, in [0, 1).
    """
    if share < warm_up:
        return share / warm_up
    if schedule == "constant":
        return 1.0
    return (1.0 + math.cos(math.pi * (share - warm_up) / (1.0 - warm_up))) / 2.0


def clamp_gradients(parameters: Iterable[nn.Parameter], size: float) -> None:
    """Clamp gradients element by element to [-size, size], in place; parameters without one are left out."""
    for parameter in parameters:
        if parameter.grad is not None:
            parameter.grad.clamp_(-size, size)
