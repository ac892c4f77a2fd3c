"""The toys' three losses."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from semicoupled.nn.shapes import Float
from semicoupled.tasks.toy.data import ToyBatch
from semicoupled.tasks.toy.model import ToyOutput
from semicoupled.tasks.toy.settings import Question, SubGoals
from semicoupled.training.motion_goal import motion_loss
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
            temporal.append(motion_loss(output.motion, batch.frames, batch.flow, sub_goals.temporal))
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
    """Cross entropy of the average of the frames' scores: one answer a clip, of those that B T frames have."""
    return F.cross_entropy(scores.float().mean(1), answer[:, 0])


def frame_loss(scores: Float[Tensor, "B T K"], answer: Tensor) -> Float[Tensor, ""]:
    """Cross entropy with the answers, B T, a mean over the frames."""
    return F.cross_entropy(scores.float().flatten(0, 1), answer.flatten())
