"""Learning from the outline as a whole: the self-critical policy gradient (Polygon-RNN++, Acuna et al. 2018, Sec. 3.3).

An outline is drawn by chance; its reward is its IoU with the true one. What the network draws when it takes the
likeliest point each time is the baseline (Rennie et al. 2017), which costs no bias, since it does not depend on chance:

    gradient of the expected IoU = E[(IoU of what was drawn - IoU of the likeliest) * gradient of log p(what was drawn)]
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch

from semicoupled.nn.shapes import Float, Tensor
from semicoupled.tasks.outline.network.raster import FINE, fill, overlap
from semicoupled.tasks.outline.network.rollout import Corners, Rolled, Step, corners, log_probability, roll, told


class Practice(NamedTuple):
    """Outlines that were drawn in training, two of each object.

    Attributes:
        log_probability: B, of the outlines that were drawn by chance.
        reward: B, their IoU.
        baseline: B, IoU of the likeliest ones.
        guessed: 2B, the IoU that the evaluator takes the outlines for, by chance first; None without one.
    """

    log_probability: Tensor | None
    reward: Tensor
    baseline: Tensor
    guessed: Tensor | None


class Drawn(NamedTuple):
    """What was drawn, with how good it is.

    Attributes:
        rolled: the choices.
        corners: the points.
        iou: B.
    """

    rolled: Rolled
    corners: Corners
    iou: Tensor


def try_out(
    step: Step, first: Tensor, end: Tensor, truth: Float[Tensor, "B P 2"], *, grid: int, most: int, sample: bool
) -> Drawn:
    """Draw outlines and compare them with the truth.

    Args:
        step: of the network.
        first: see `roll`.
        end: see `roll`.
        truth: the true outlines, in cells.
        grid: cells on a side.
        most: points at most.
        sample: by chance.
    """
    rolled = roll(step, first, end, grid=grid, most=most, sample=sample)
    found = corners(rolled, grid)
    return Drawn(rolled, found, iou_of(found, truth, grid))


def iou_of(drawn: Corners, truth: Float[Tensor, "B P 2"], grid: int) -> Float[Tensor, "B"]:
    """IoU with true outlines, on `FINE` x `FINE` pixels a cell."""
    side = grid * FINE
    counts = torch.full((len(truth),), truth.shape[1], device=truth.device)
    return overlap(fill(drawn.points * FINE, drawn.counts, side), fill(truth * FINE, counts, side))


def likelihood(scores: Callable[[Tensor], Tensor], rolled: Rolled, grid: int) -> Float[Tensor, "B"]:
    """Logarithm of the probability of what was drawn, with its gradient.

    Args:
        scores: of the network, from all steps' maps (B S 3 g g) to all steps' scores (B S K).
        rolled: what was drawn.
        grid: cells on a side.
    """
    return log_probability(scores(told(rolled, grid)), rolled)


def self_critical(log_probability: Tensor, reward: Tensor, baseline: Tensor) -> Float[Tensor, ""]:
    """A loss whose gradient is, in expectation, that of the expected reward, downward; all three are B."""
    return -((reward - baseline).detach() * log_probability).mean()
