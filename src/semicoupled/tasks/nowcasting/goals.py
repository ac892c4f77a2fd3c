"""The three losses: squared error of the images (main and spatial goal), flow and change (temporal goal)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from semicoupled.task_parts import TaskOutput
from semicoupled.tasks.nowcasting.data import NowcastingBatch
from semicoupled.tasks.nowcasting.extrapolation.advection import carry, departures
from semicoupled.tasks.nowcasting.settings import Form, LossSettings
from semicoupled.tasks.nowcasting.units import HIGHEST_DBZ
from semicoupled.training.objective import Losses
from semicoupled.training.pooling import pooled_mean

FLOW_SCALE = 20.0
"""Pixels per frame that count as much as the whole scale of 60 dBZ."""


def make_goals(settings: LossSettings, form: Form) -> Callable[[TaskOutput, NowcastingBatch], Losses]:
    """Give the function from a forecast and its batch to the three losses.

    Args:
        settings: of the main goal.
        form: of the network: in which frame of reference it sees change.
    """

    def goals(output: TaskOutput, batch: NowcastingBatch) -> Losses:
        return Losses(
            main=_image_loss(output.main, batch, settings),
            spatial=None if output.spatial is None else _image_loss(output.spatial, batch, settings),
            temporal=None if output.temporal is None else _temporal_loss(output.temporal, batch, form),
        )

    return goals


def _image_loss(forecast: Tensor, batch: NowcastingBatch, settings: LossSettings) -> Tensor:
    target = batch.future
    there = ~(forecast + target).isnan()
    loss = squared_error(forecast, batch, settings)
    if not settings.overlap_weight:
        return loss
    misfits = [
        1 - soft_overlap(forecast, target, there, threshold / HIGHEST_DBZ, settings.softness / HIGHEST_DBZ).mean()
        for threshold in settings.thresholds
    ]
    return loss + settings.overlap_weight * torch.stack(misfits).mean()


def squared_error(forecast: Tensor, batch: NowcastingBatch, settings: LossSettings) -> Tensor:
    """Mean squared error on the scale dBZ / 60, weighted as the settings say.

    Args:
        forecast: B K 1 H W.
        batch: what came, and the last frame before it.
        settings: `relative`, `floor` and `heavy`.
    """
    weight = 1 + settings.heavy * batch.future.nan_to_num(nan=0.0)  # a NaN would pass into the gradient
    if not settings.relative:
        return mean_square((forecast - batch.future) * weight.sqrt())
    error = _mean_squares((forecast - batch.future) * weight.sqrt())
    change = _mean_squares(batch.future - batch.frames[:, -1:])
    return (error / (change + (settings.floor / HIGHEST_DBZ) ** 2)).mean()


def _mean_squares(error: Tensor) -> Tensor:
    """`mean_square` of each sample."""
    there = ~error.isnan()
    axes = tuple(range(1, error.ndim))
    return (torch.where(there, error, 0.0) ** 2).sum(axes) / there.sum(axes).clamp_min(1)


def soft_overlap(forecast: Tensor, target: Tensor, there: Tensor, threshold: float, softness: float) -> Tensor:
    """CSI (Eq. 25) of each image, with a slope for the step at the threshold, so that it can be learned from.

    It is taken image by image, not pooled: a wide rain would drown the showers of all others.

    Args:
        forecast: dBZ / 60, ... C H W.
        target: the same shape.
        there: which pixels count.
        threshold: dBZ / 60.
        softness: dBZ / 60, over which a forecast goes from "no" to "yes".

    Returns:
        Above 0 and up to 1, of shape ...; 1 where it rains above the threshold in neither, and the forecast is so far
        below it that even all its pixels together are hardly a "yes".
    """
    said = torch.where(there, torch.sigmoid((torch.where(there, forecast, 0.0) - threshold) / softness), 0.0)
    seen = (there & (target >= threshold)).to(said.dtype)
    hits = (said * seen).sum((-3, -2, -1))
    either = said.sum((-3, -2, -1)) + seen.sum((-3, -2, -1)) - hits
    return (hits + 1) / (either + 1)


def _temporal_loss(given: Tensor, batch: NowcastingBatch, form: Form) -> Tensor:
    """Flow (signed, pixels per frame, where an echo shows it) and change since the frame before."""
    flow, change = given.split([2, 1], dim=2)
    before = torch.cat([batch.frames[:, -1:], batch.future[:, :-1]], dim=1)
    if form == "advection":  # change is what is left when the image before has moved on
        points = departures(batch.motion.float(), 1)[:, 0]
        moved = [carry(image, points) for image in before.float().unbind(1)]
        before = torch.stack(moved, dim=1)
    return mean_square((flow - batch.flow) / FLOW_SCALE) + mean_square(change - (batch.future - before))


def mean_square(error: Tensor) -> Tensor:
    """Mean square of what is not NaN, over any shape, with zero gradient elsewhere; 0 where everything is missing."""
    there = ~error.isnan()
    # NaN is taken out before the square, whose gradient would be 0 times NaN
    return pooled_mean((torch.where(there, error, 0.0) ** 2).sum(), there.sum())
