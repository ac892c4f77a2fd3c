"""The two-stream rival fused in 3D: what it sees, that both towers learn, that order counts."""

from __future__ import annotations

import pytest
import torch

from semicoupled.errors import SettingsError, ShapeError
from semicoupled.networks.residual_trunk import ResidualTrunk
from semicoupled.networks.two_stream3d import TwoStream3D
from semicoupled.tasks.action.architecture import build_network
from semicoupled.tasks.action.data_settings import DataSettings
from semicoupled.tasks.action.settings import ActionSettings, ModelSettings
from semicoupled.training.settings import GoalWeights, SwitchSettings


def tower(channels: int) -> ResidualTrunk:
    return ResidualTrunk(channels, [4, 6], kernel_size=[3, 3], strides=[2, 2])


def test_both_towers_and_the_fusion_learn() -> None:
    network = TwoStream3D(tower(3), tower(2), 8, num_classes=5)
    frames = torch.randn(2, 4, 5, 16, 24)
    assert network(frames).shape == (2, 5)
    assert network.features(frames).shape == (2, 8, 2, 2, 3)
    network(frames).square().sum().backward()
    for name, parameter in network.named_parameters():
        # a bias below a batch norm has none
        if not name.endswith("convolutions.0.bias") and not name.endswith("convolutions.1.bias"):
            assert parameter.grad is not None
            assert float(parameter.grad.abs().sum()) > 0, name


def test_each_tower_sees_its_own_channels() -> None:
    network = TwoStream3D(tower(3), tower(2), 8).eval()
    frames = torch.randn(1, 3, 5, 16, 16)
    moved = frames.clone()
    moved[:, :, 3:] += 1
    seen: list[torch.Tensor] = []
    network.image_tower.register_forward_hook(lambda _, given, __: seen.append(given[0]))
    with torch.no_grad():
        assert not torch.equal(network.features(frames), network.features(moved))
    assert torch.equal(seen[0], seen[1])
    assert seen[0].shape == (3, 3, 16, 16)


def test_the_order_of_frames_counts() -> None:
    network = TwoStream3D(tower(1), tower(2), 8).eval()
    frames = torch.randn(1, 6, 3, 16, 16)
    with torch.no_grad():
        assert not torch.allclose(network(frames), network(frames.flip(1)), atol=1e-4)


def test_a_backbone_sees_the_size_of_the_flow_as_its_third_channel() -> None:
    settings = ModelSettings(kind="two_stream_3d", size="backbone", backbone="resnet18")
    network = build_network(settings, 5).eval()
    with torch.no_grad():
        assert network(torch.randn(1, 2, 5, 32, 32)).main.shape == (1, 2, 512, 1, 1)
    with pytest.raises(SettingsError, match=r"expected frames of 3 \+ 2 channels, got 3\. Set data\.color to rgb_flow"):
        _ = build_network(settings, 3)
    with pytest.raises(ShapeError, match="expected a tower that takes 2 or 3 channels, got one for 4"):
        _ = TwoStream3D(tower(3), tower(4), 8)


def test_it_needs_frames_with_flow() -> None:
    model, none, goals = (
        ModelSettings(kind="two_stream_3d"),
        SwitchSettings(method="none"),
        GoalWeights(spatial=0, temporal=0),
    )
    with pytest.raises(SettingsError, match=r"two_stream_3d: sees .* expected data\.color rgb_flow"):
        _ = ActionSettings(model=model, switches=none, goals=goals)
    settings = ActionSettings(data=DataSettings(color="rgb_flow"), model=model, switches=none, goals=goals)
    assert settings.data.channels == 5
