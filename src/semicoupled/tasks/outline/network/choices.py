"""What a step may choose and what it does: from scores of the cells to the next point, and back to maps."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F

from semicoupled.nn.shapes import Float, Tensor

LEAST_POINTS = 3
"""An outline is not closed before it has so many points."""


def one_hot(classes: Sequence[Tensor], grid: int) -> Float[Tensor, "B C g g"]:
    """Maps with 1 in a cell each, and none where the class is -1."""
    maps = torch.zeros(len(classes[0]), len(classes), grid * grid + 1, device=classes[0].device)
    for channel, values in enumerate(classes):
        maps[:, channel].scatter_(1, torch.where(values < 0, grid * grid, values)[:, None], 1.0)
    return maps[..., :-1].unflatten(-1, (grid, grid))


def allowed(scores: Float[Tensor, "B K"], last: Tensor, count: int) -> Float[Tensor, "B K"]:
    """Rule out what makes no outline: staying at the last class (B, int64) and closing before the third point."""
    ruled = scores.clone()
    ruled.scatter_(1, last[:, None], -torch.inf)
    if count < LEAST_POINTS:
        ruled[:, -1] = -torch.inf
    return ruled


def neighborhood(probabilities: Float[Tensor, "B K"], classes: Tensor, grid: int) -> Float[Tensor, "B"]:
    """Probability of a class (B, int64) and of the cells next to it; of "closed" it is its own."""
    return _pooled(probabilities, grid).gather(1, classes[:, None])[:, 0].clamp_max(1.0)


def likeliest(probabilities: Float[Tensor, "B K"], grid: int) -> Tensor:
    """Pick the likeliest cell, or "closed" where that is likelier than any cell together with those next to it.

    A point that is almost sure is spread over its neighbors, as it was learned; an end is not.

    Args:
        probabilities: of the cells and of "closed".
        grid: cells on a side.

    Returns:
        B, int64: the classes.
    """
    around = _pooled(probabilities, grid)
    closes = around[:, -1] > around[:, :-1].amax(1)
    return torch.where(closes, probabilities.shape[1] - 1, probabilities[:, :-1].argmax(1))


def _pooled(probabilities: Tensor, grid: int) -> Tensor:
    cells = probabilities[:, :-1].view(-1, 1, grid, grid)
    pooled = 9 * F.avg_pool2d(cells, 3, stride=1, padding=1)
    return torch.cat([pooled.flatten(1), probabilities[:, -1:]], dim=1)
