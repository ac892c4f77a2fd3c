"""ResNet-50 as a backbone that keeps its resolution (He et al. 2015; dilated as in Polygon-RNN++, Acuna et al. 2018).

The last two stages do not halve the size; their 3x3 convolutions are dilated instead, so that a neuron sees as far as
before. Names and shapes of the weights are torchvision's, so that its files fit.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from semicoupled.networks.beginning import begin_he
from semicoupled.networks.from_torchvision import begin_with
from semicoupled.nn.shapes import Float, Tensor

STAGES = ((64, 3, 1, 1), (128, 4, 2, 1), (256, 6, 1, 2), (512, 3, 1, 4))
"""Channels inside, blocks, stride of the first block, dilation: of each stage."""
EXPANSION = 4
"""How many times wider the output of a block is than its inside."""


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1, each with batch norm, beside a shortcut."""

    def __init__(self, inputs: int, width: int, stride: int, dilation: int) -> None:
        """Build it; `dilation` is that of the 3x3 convolution."""
        super().__init__()
        outputs = width * EXPANSION
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride=stride, padding=dilation, dilation=dilation, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample: nn.Module | None = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, features: Float[Tensor, "B C H W"]) -> Float[Tensor, "B D h w"]:
        """Add what the convolutions see."""
        mapped = torch.relu(self.bn1(self.conv1(features)))
        mapped = torch.relu(self.bn2(self.conv2(mapped)))
        beside = features if self.downsample is None else self.downsample(features)
        return torch.relu(self.bn3(self.conv3(mapped)) + beside)


class ResNet50(nn.Module):
    """Maps of strides 2, 4, 8, 8 and 8."""

    def __init__(self) -> None:
        """Build it with random weights (He)."""
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        channels, before = 64, 1
        for number, (width, blocks, stride, dilation) in enumerate(STAGES, 1):
            parts: list[nn.Module] = []
            for block in range(blocks):
                # the first block still sees what is as near as before, as in torchvision's dilated form
                parts.append(Bottleneck(channels, width, stride if not block else 1, dilation if block else before))
                channels = width * EXPANSION
            self.add_module(f"layer{number}", nn.Sequential(*parts))
            before = dilation
        self.channels = (64, *(width * EXPANSION for width, *_ in STAGES))
        begin_he(self)

    def forward(self, image: Float[Tensor, "B 3 H W"]) -> list[Tensor]:
        """Give the maps of the first convolution and of the four stages."""
        maps = [torch.relu(self.bn1(self.conv1(image)))]
        features = self.maxpool(maps[0])
        for number in range(1, len(STAGES) + 1):
            features = self.get_submodule(f"layer{number}")(features)
            maps.append(features)
        return maps

    def load_torchvision(self, source: str | Path) -> None:
        """Take the weights of torchvision's ``resnet50``.

        Args:
            source: a file of its state dict (``.pth``, ``.safetensors``), or ``imagenet``, which torchvision downloads.

        Raises:
            MissingExtraError: ``imagenet`` without torchvision.
            RunError: the file is missing or holds something else, or there is no network.
        """
        instead = "give the file of torchvision's resnet50 weights instead, or start from scratch"
        begin_with(self, source, "resnet50", "ResNet50_Weights", instead)
