"""What the steering model does with one frame, as a program that `semicoupled export` writes."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from semicoupled.description import Description
from semicoupled.nn.streams import StackState
from semicoupled.steps import Steps, frame_steps
from semicoupled.tasks.driving.data import standardize
from semicoupled.tasks.driving.model import CHANNELS, AngleHead, DrivingModel
from semicoupled.tasks.driving.settings import DrivingSettings


class _Standardized(nn.Module):
    """A network whose frames are standardized first, as they were in training."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def step(self, frame: Tensor, state: StackState) -> tuple[Tensor, StackState]:
        return self.network.step(standardize(frame), state)  # pyright: ignore[reportCallIssue]

    def initial_state(self, batch: int, size: Sequence[int]) -> StackState:
        return self.network.initial_state(batch, size)  # pyright: ignore[reportCallIssue]


class _Angle(nn.Module):
    """A head whose answer is an angle: what the sigmoid would be put on, times the scale."""

    def __init__(self, head: AngleHead, scale: float, bounded: bool) -> None:
        super().__init__()
        self.logit, self.scale, self.bounded = head.head, scale, bounded

    def forward(self, features: Tensor) -> Tensor:
        angle = self.scale * self.logit(features)
        return angle.clamp(-1, 1) if self.bounded else angle


def make_steps(settings: DrivingSettings, description: Description, model: DrivingModel) -> Steps:
    """See `Task.steps`: one program, from a frame to an angle."""
    unit, data = str(description["unit"]), settings.data
    bounded = unit == "normalized"
    what = "-1 to 1 of full lock" if bounded else unit
    return frame_steps(
        _Standardized(model.network) if data.standardize else model.network,
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
