"""Driving's three losses: squared errors of the angle between 0 and 1, and the motion that the temporal stream sees."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from semicoupled.tasks.driving.data import DrivingBatch
from semicoupled.tasks.driving.model import DrivingOutput
from semicoupled.tasks.driving.settings import SubGoals
from semicoupled.training.motion_goal import motion_loss
from semicoupled.training.objective import Losses
from semicoupled.training.pooling import pooled_mean


def make_goals(sub_goals: SubGoals) -> Callable[[DrivingOutput, DrivingBatch], Losses]:
    """Give the function from a prediction and its batch to the losses.

    Args:
        sub_goals: what the temporal stream learns, and how much the motion weighs beside the angle.
    """

    def losses(output: DrivingOutput, batch: DrivingBatch) -> Losses:
        temporal: Tensor | None = None
        if output.temporal is not None:
            temporal = angle_loss(output.temporal, batch)
        if output.motion is not None:
            motion = sub_goals.motion * motion_loss(output.motion, batch.frames, batch.flow, sub_goals.temporal)
            temporal = motion if temporal is None else temporal + motion
        return Losses(
            main=angle_loss(output.main, batch),
            spatial=None if output.spatial is None else angle_loss(output.spatial, batch),
            temporal=temporal,
        )

    return losses


def angle_loss(answer: Tensor, batch: DrivingBatch) -> Tensor:
    """Squared error of the normalized angle, a mean over the frames that count; 0 where none does.

    Args:
        answer: B T 1.
        batch: with label and weight, B T.
    """
    square = (answer.float().squeeze(-1) - batch.angle).square()
    return pooled_mean((square * batch.weight).sum(), batch.weight.sum())
