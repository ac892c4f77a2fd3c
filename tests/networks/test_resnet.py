"""ResNet-50 as a backbone: torchvision's names and sizes, strides that stop at 8."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from semicoupled.errors import RunError
from semicoupled.networks.resnet import ResNet50


def test_it_has_the_weights_of_resnet_50() -> None:
    with torch.device("meta"):
        network = ResNet50()
    assert sum(parameter.numel() for parameter in network.parameters()) == 23_508_032  # 25 557 032 less the classifier
    names = set(network.state_dict())
    assert {"conv1.weight", "layer1.0.downsample.1.running_mean", "layer3.5.conv2.weight", "layer4.2.bn3.bias"} <= names
    assert len(names) == 318
    dilations = [part.dilation[0] for part in network.modules() if isinstance(part, torch.nn.Conv2d)]
    assert sorted(set(dilations)) == [1, 2, 4]


def test_it_keeps_its_resolution_from_stride_8_on() -> None:
    network = ResNet50().eval()
    with torch.no_grad():
        maps = network(torch.rand(1, 3, 32, 32))
    assert [tuple(one.shape[1:]) for one in maps] == [
        (64, 16, 16),
        (256, 8, 8),
        (512, 4, 4),
        (1024, 4, 4),
        (2048, 4, 4),
    ]


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    torch.save({"conv1.weight": torch.zeros(3)}, tmp_path / "other.pth")
    with pytest.raises(RunError, match=r"conv1\.weight: expected weights of the shape \(64, 3, 7, 7\), got \(3,\)"):
        ResNet50().load_torchvision(tmp_path / "other.pth")
