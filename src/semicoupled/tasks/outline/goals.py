"""The three losses: the next point, predicted by all three streams (Sec. 5.6), and maps that the features must show."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import torch
import torch.nn.functional as F

from semicoupled.nn.shapes import Float, Tensor
from semicoupled.tasks.outline.data import OutlineBatch
from semicoupled.tasks.outline.model import OutlineOutput
from semicoupled.tasks.outline.network.evaluator import evaluator_loss
from semicoupled.tasks.outline.network.graph import graph_loss
from semicoupled.tasks.outline.network.reinforce import self_critical
from semicoupled.tasks.outline.settings import LossSettings
from semicoupled.training.objective import Losses

REACH = 2
"""Cells, in both directions, that a right point is spread over at most."""


def make_goals(settings: LossSettings, grid: int) -> Callable[[OutlineOutput, OutlineBatch], Losses]:
    """Give the function from a model's output and its batch to the three losses.

    Args:
        settings: of the losses.
        grid: cells on a side.
    """

    def points(scores: Tensor | None, batch: OutlineBatch) -> Tensor | None:
        return None if scores is None else point_loss(scores, batch.target, batch.weight, settings.spread, grid)

    def goals(output: OutlineOutput, batch: OutlineBatch) -> Losses:
        main = settings.points * point_loss(output.main, batch.target, batch.weight, settings.spread, grid)
        if settings.maps:
            main = main + settings.maps * map_loss(output.maps, batch.maps)
        main = main + drawn_loss(output, batch, settings)
        return Losses(
            main=main,
            spatial=points(output.spatial, batch),
            temporal=points(output.temporal, batch),
            comparable=output.main.float().softmax(-1),
        )

    return goals


def drawn_loss(output: OutlineOutput, batch: OutlineBatch, settings: LossSettings) -> Float[Tensor, ""]:
    """What is learned of whole outlines: by the self-critical loss, the evaluator's, and the graph network's."""
    total = output.main.new_zeros((), dtype=torch.float32)
    practice, nodes = output.practice, output.nodes
    if practice is not None and practice.log_probability is not None:
        total = total + settings.reinforce * self_critical(practice.log_probability, practice.reward, practice.baseline)
    if practice is not None and practice.guessed is not None:
        iou = torch.cat([practice.reward, practice.baseline])
        total = total + settings.evaluator * evaluator_loss(practice.guessed, iou)
    if nodes is not None:
        total = total + settings.graph * graph_loss(nodes.scores, nodes.ring, batch.contour)
    return total


def point_loss(
    scores: Float[Tensor, "B T K"], target: Tensor, weight: Tensor, spread: float, grid: int
) -> Float[Tensor, ""]:
    """Cross entropy of the next point, masked behind the end; every outline counts the same.

    Args:
        scores: before the softmax.
        target: B T, the right class.
        weight: B T, 0 where nothing counts; a mean over whole outlines is the mean over their points.
        spread: cells over which a right point is spread, 0 for none.
        grid: cells on a side.
    """
    chances = scores.float().log_softmax(-1)
    if not spread:
        each = F.nll_loss(chances.flatten(0, 1), target.flatten(), reduction="none").view_as(weight)
    else:
        index, share = (tensor.to(scores.device) for tensor in spread_targets(grid, spread))
        each = -(chances.gather(-1, index[target]) * share[target]).sum(-1)
    return (torch.where(weight > 0, each, 0.0) * weight).mean()


def map_loss(scores: Float[Tensor, "B 3 g g"], target: Float[Tensor, "B 3 g g"]) -> Float[Tensor, ""]:
    """Cross entropy of each cell of the object, of its border and of its points, which are rare and weigh more."""
    rare = scores.new_tensor([1.0, 3.0, 10.0]).view(1, 3, 1, 1)
    return F.binary_cross_entropy_with_logits(scores.float(), target, pos_weight=rare.float())


@lru_cache(maxsize=4)
def spread_targets(grid: int, spread: float) -> tuple[Tensor, Tensor]:
    """Give for each class the classes that are right in its place, and how much each is.

    Args:
        grid: cells on a side.
        spread: standard deviation in cells of a bell over the cells at most `REACH` away; "closed" stays alone.

    Returns:
        Classes, K N, and shares, K N, which add up to 1.
    """
    steps = torch.arange(-REACH, REACH + 1)
    dy, dx = (part.flatten() for part in torch.meshgrid(steps, steps, indexing="ij"))
    bell = torch.exp(-(dx**2 + dy**2) / (2 * spread**2))
    y, x = torch.arange(grid).repeat_interleave(grid), torch.arange(grid).repeat(grid)
    rows, columns = y[:, None] + dy, x[:, None] + dx
    inside = (rows >= 0) & (rows < grid) & (columns >= 0) & (columns < grid)
    index = torch.where(inside, rows * grid + columns, 0)
    share = torch.where(inside, bell, 0.0)
    closed = torch.zeros(1, len(dx))
    closed[0, 0] = 1.0
    index = torch.cat([index, torch.full((1, len(dx)), grid * grid)])
    share = torch.cat([share / share.sum(1, keepdim=True), closed])
    return index, share
