"""The temporal goal where frames move: optical flow, and the difference from the frame before (Sec. 5.7, 5.8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
import torch.nn.functional as F

from semicoupled.errors import ShapeError
from semicoupled.nn.shapes import Float, Tensor

Motion = Literal["flow", "difference"]


def motion_channels(goals: Sequence[str], channels: int) -> int:
    """Give the channels of a map that says the goals: 2 for the flow, as many as a frame has for the difference.

    Args:
        goals: `flow`, `difference`; others, such as `main`, need no map.
        channels: of a frame.
    """
    return sum({"flow": 2, "difference": channels}.get(goal, 0) for goal in goals)


def motion_loss(
    motion: Float[Tensor, "B T M h w"],
    frames: Float[Tensor, "B T C H W"],
    flow: Tensor,
    goals: Sequence[str],
) -> Float[Tensor, ""]:
    """Mean squared error of the flow and of the difference from the frame before, at the prediction's size.

    The flow is to be given signed, in pixels per frame, at any size not below the prediction's.

    Args:
        motion: the prediction, channels in the order of `goals`.
        frames: the clip; before its first frame the difference is 0.
        flow: B T 2 H W where the goals have `flow`.
        goals: `flow`, `difference` or both, in any order; others are passed over.

    Raises:
        ShapeError: the samples come without flow.
    """
    height, width = motion.shape[-2:]
    targets: list[Tensor] = []
    for goal in goals:
        if goal == "flow":
            if flow.dim() != 5:
                raise ShapeError(f"flow: expected B T 2 H W, got {tuple(flow.shape)}. Make the samples with_flow.")
            targets.append(F.adaptive_avg_pool2d(flow.flatten(0, 1), (height, width)))
        if goal == "difference":
            before = torch.cat([frames[:, :1], frames[:, :-1]], 1)
            targets.append(F.adaptive_avg_pool2d((frames - before).flatten(0, 1), (height, width)))
    return F.mse_loss(motion.float().flatten(0, 1), torch.cat(targets, 1))
