"""The three losses: the class from the main and the spatial stream, the class or the motion from the temporal one."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from semicoupled.nn.shapes import Float
from semicoupled.tasks.action.data import ActionBatch
from semicoupled.tasks.action.model import ActionOutput
from semicoupled.tasks.action.settings import LossSettings, SubGoals
from semicoupled.training.motion_goal import motion_loss
from semicoupled.training.objective import Losses
from semicoupled.training.pooling import pooled_mean


def make_goals(settings: LossSettings, sub_goals: SubGoals) -> Callable[[ActionOutput, ActionBatch], Losses]:
    """Give the function from a prediction and its batch to the losses.

    Args:
        settings: of the main goal, which is the spatial stream's as well.
        sub_goals: what the temporal stream learns; several goals are averaged.
    """

    def losses(output: ActionOutput, batch: ActionBatch) -> Losses:
        temporal: list[Tensor] = []
        if output.temporal is not None:
            temporal.append(answer_loss(output.temporal, batch, settings))
        if output.motion is not None:
            temporal.append(motion_loss(output.motion, batch.frames, batch.flow, sub_goals.temporal))
        return Losses(
            main=answer_loss(output.main, batch, settings),
            spatial=None if output.spatial is None else answer_loss(output.spatial, batch, settings),
            temporal=torch.stack(temporal).mean() if temporal else None,
            comparable=output.main.float().softmax(-1),
        )

    return losses


def answer_loss(scores: Float[Tensor, "B T K"], batch: ActionBatch, settings: LossSettings) -> Float[Tensor, ""]:
    """Cross entropy of the video's answer; frames after its end count in nothing.

    In a segment that a video does not reach it has no answer and no loss.

    Args:
        scores: of every frame.
        batch: labels, and which frames are there.
        settings: what is averaged, and label smoothing.
    """
    scores, valid = scores.float(), batch.valid
    count = valid.sum(1)
    there = (count > 0).float()
    if settings.average == "frames":
        logs = scores.log_softmax(-1)
        each = _smooth(logs.flatten(0, 1), batch.label.flatten(), settings.smoothing).view_as(valid)
        per_video = (each * valid).sum(1) / count.clamp_min(1)
    else:
        logs = video_logs(scores, valid) if settings.average == "probabilities" else _mean_scores(scores, valid)
        per_video = _smooth(logs, batch.label[:, 0], settings.smoothing)
    return pooled_mean((per_video * there).sum(), there.sum())


def video_logs(scores: Float[Tensor, "B T K"], valid: Float[Tensor, "B T"]) -> Float[Tensor, "B K"]:
    """Average the frames' probabilities over the video, as logarithms (Sec. 5.5: the output is the frames' average)."""
    hidden = torch.where(valid[..., None] > 0, scores.float().log_softmax(-1), torch.finfo(torch.float32).min / 4)
    return torch.logsumexp(hidden, 1) - valid.sum(1, keepdim=True).clamp_min(1).log()


def _mean_scores(scores: Tensor, valid: Tensor) -> Tensor:
    mean = (scores * valid[..., None]).sum(1) / valid.sum(1, keepdim=True).clamp_min(1)
    return mean.log_softmax(-1)


def _smooth(logs: Float[Tensor, "N K"], label: Tensor, smoothing: float) -> Float[Tensor, "N"]:
    """Cross entropy with a truth of which a share is spread over all classes."""
    return (1 - smoothing) * F.nll_loss(logs, label, reduction="none") - smoothing * logs.mean(-1)
