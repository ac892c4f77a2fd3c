"""The objective: main + w_s * spatial + w_t * temporal + w_o * overlap."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from semicoupled.training.settings import GoalWeights

__all__ = ["GoalWeights", "Losses", "total"]


class Losses(NamedTuple):
    """The losses of one forward pass, each a mean over its samples and frames.

    Attributes:
        main: L_g.
        spatial: L_s, or None where the spatial stream was not computed.
        temporal: L_t, or None where the temporal stream was not computed.
        comparable: what the overlap loss compares, B T ...: a classifier's probabilities (softmax of its scores);
            None compares the main prediction as it is.
    """

    main: Tensor
    spatial: Tensor | None = None
    temporal: Tensor | None = None
    comparable: Tensor | None = None


def total(losses: Losses, weights: GoalWeights, overlap: Tensor | None = None) -> Tensor:
    """Add the losses up.

    Args:
        losses: of one forward pass; what is None counts nothing.
        weights: of each.
        overlap: the overlap loss, a scalar, where there is one.

    Returns:
        A scalar to go backward from.
    """
    value = weights.main * losses.main
    if losses.spatial is not None and weights.spatial:
        value = value + weights.spatial * losses.spatial
    if losses.temporal is not None and weights.temporal:
        value = value + weights.temporal * losses.temporal
    if overlap is not None and weights.overlap:
        value = value + weights.overlap * overlap
    return value
