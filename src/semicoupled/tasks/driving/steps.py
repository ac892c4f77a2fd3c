"""What the steering model does with one frame, as a program that `semicoupled export` writes."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from semicoupled.steps import Steps, frame_steps
from semicoupled.task import Description
from semicoupled.tasks.driving.model import CHANNELS, DrivingModel
from semicoupled.tasks.driving.settings import DrivingSettings

_EDGE = 1e-6


class _Angle(nn.Module):
    """A head whose answer is turned back into an angle."""

    def __init__(self, head: nn.Module, scale: float, bounded: bool) -> None:
        super().__init__()
        self.head, self.scale, self.bounded = head, scale, bounded

    def forward(self, features: Tensor) -> Tensor:
        inside = self.head(features).clamp(_EDGE, 1 - _EDGE)
        angle = self.scale * (torch.log(inside) - torch.log(1 - inside))
        return angle.clamp(-1, 1) if self.bounded else angle


def make_steps(settings: DrivingSettings, description: Description, model: DrivingModel) -> Steps:
    """See `Task.steps`: one program, from a frame to an angle."""
    unit, data = str(description["unit"]), settings.data
    bounded = unit == "normalized"
    what = "-1 to 1 of full lock" if bounded else unit
    return frame_steps(
        model.network,
        _Angle(model.main_head, data.scale(unit), bounded),
        channels=CHANNELS,
        size=(data.height, data.width),
        frame=(
            f"a frame, RGB, cropped ({data.crop_top:g} of the height above, {data.crop_bottom:g} below) and resized; "
            f"0..255 as value / 255 - .5; one every {description['frame_seconds']} s; B 3 H W"
        ),
        answer=("angle", f"steering angle, {what}, positive to the right; B 1"),
        about={"unit": unit, "frame_seconds": description["frame_seconds"]},
    )
