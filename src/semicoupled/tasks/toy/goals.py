"""The toys' three losses."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from semicoupled.errors import ShapeError
from semicoupled.nn.shapes import Float
from semicoupled.tasks.toy.data import ToyBatch
from semicoupled.tasks.toy.model import ToyOutput
from semicoupled.tasks.toy.settings import Question, SubGoals
from semicoupled.training.objective import Losses


def make_goals(question: Question, sub_goals: SubGoals) -> Callable[[ToyOutput, ToyBatch], Losses]:
    """Give the function from a prediction and its batch to the losses.

    Args:
        question: *which way* and *which shape* have one answer a clip, *star* one a frame.
        sub_goals: what the spatial and the temporal stream learn; several goals of a stream are averaged.
    """
    answer = frame_loss if question == "star" else clip_loss

    def losses(output: ToyOutput, batch: ToyBatch) -> Losses:
        spatial: list[Tensor] = []
        temporal: list[Tensor] = []
        if output.spatial is not None:
            spatial.append(answer(output.spatial, batch.answer))
        if output.shape is not None:
            spatial.append(frame_loss(output.shape, batch.shape))
        if output.temporal is not None:
            temporal.append(answer(output.temporal, batch.answer))
        if output.motion is not None:
            temporal.append(motion_loss(output.motion, batch, sub_goals))
        return Losses(
            main=answer(output.main, batch.answer),
            spatial=torch.stack(spatial).mean() if spatial else None,
            temporal=torch.stack(temporal).mean() if temporal else None,
            comparable=output.main.float().softmax(-1),
        )

    return losses


def clip_scores(scores: Float[Tensor, "B T K"]) -> Float[Tensor, "B K"]:
    """Average the frames' probabilities over the clip, as logarithms (Sec. 5.5: the output is the frames' average)."""
    return torch.logsumexp(scores.float().log_softmax(-1), 1) - math.log(scores.shape[1])


def clip_loss(scores: Float[Tensor, "B T K"], answer: Tensor) -> Float[Tensor, ""]:
    """Cross entropy of the average of the frames' scores: one answer a clip."""
    return F.cross_entropy(scores.float().mean(1), answer[:, 0])


def frame_loss(scores: Float[Tensor, "B T K"], answer: Tensor) -> Float[Tensor, ""]:
    """Cross entropy, a mean over the frames."""
    return F.cross_entropy(scores.float().flatten(0, 1), answer.flatten())


def motion_loss(motion: Float[Tensor, "B T M h w"], batch: ToyBatch, sub_goals: SubGoals) -> Float[Tensor, ""]:
    """Squared error of the flow and of the difference from the frame before, at the features' size.

    Raises:
        ShapeError: the samples come without flow.
    """
    targets: list[Tensor] = []
    for goal in sub_goals.temporal:
        if goal == "flow":
            if batch.flow.dim() != 5:
                raise ShapeError(
                    f"flow: expected B T 2 H W, got {tuple(batch.flow.shape)}. Make the samples with_flow."
                )
            targets.append(batch.flow)
        if goal == "difference":
            before = torch.cat([batch.frames[:, :1], batch.frames[:, :-1]], 1)
            targets.append(batch.frames - before)
    target = torch.cat(targets, 2).flatten(0, 1)
    height, width = motion.shape[-2:]
    return F.mse_loss(motion.float().flatten(0, 1), F.adaptive_avg_pool2d(target, (height, width)))
