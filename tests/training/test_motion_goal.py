"""Flow and difference as the goal of the temporal stream."""

from __future__ import annotations

import pytest
import torch

from semicoupled.errors import ShapeError
from semicoupled.training.motion_goal import motion_channels, motion_loss


def test_channels_follow_the_goals() -> None:
    assert motion_channels(("main", "flow", "difference"), channels=3) == 5
    assert motion_channels(("main",), channels=3) == 0


def test_the_right_map_has_no_loss_and_another_the_mean_of_its_squares() -> None:
    frames, flow = torch.randn(2, 3, 1, 4, 6), torch.randn(2, 3, 2, 4, 6)
    difference = torch.cat([torch.zeros(2, 1, 1, 4, 6), frames[:, 1:] - frames[:, :-1]], 1)
    right = torch.cat([difference, flow], 2)
    assert motion_loss(right, frames, flow, ("main", "difference", "flow")) == 0
    assert float(motion_loss(right + 2, frames, flow, ("difference", "flow"))) == pytest.approx(4)


def test_targets_are_averaged_to_the_size_of_the_map() -> None:
    flow = torch.arange(16.0).reshape(1, 1, 1, 4, 4).expand(1, 1, 2, 4, 4)
    coarse = torch.tensor([[2.5, 4.5], [10.5, 12.5]]).expand(1, 1, 2, 2, 2)
    assert motion_loss(coarse, torch.zeros(1, 1, 3, 4, 4), flow, ("flow",)) == 0


def test_missing_flow_is_told() -> None:
    with pytest.raises(ShapeError, match=r"flow: expected B T 2 H W, got \(1, 2, 0\)"):
        motion_loss(torch.zeros(1, 2, 2, 2, 2), torch.zeros(1, 2, 1, 4, 4), torch.zeros(1, 2, 0), ("flow",))
