"""ResNet-18 and Inception V1 up to their last map, part by part as torchvision has them.

So a state dict of torchvision loads: names and shapes are the same. Its Inception V1 has 3x3 convolutions where the
paper's third branch has 5x5, and batch norm behind each; with them its weights fit.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import nn

from semicoupled.networks.beginning import begin_he
from semicoupled.nn.shapes import Float, Tensor

RESNET18_WIDTHS = (64, 128, 256, 512)


class ResNet18(nn.Module):
    """The 17 convolutions of ResNet-18 (He et al. 2016, Table 1): stride 32, 512 channels."""

    def __init__(self) -> None:
        """Build it with random weights (He)."""
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        entering = 64
        for number, width in enumerate(RESNET18_WIDTHS, start=1):
            blocks = nn.Sequential(_Residual(entering, width, 1 if number == 1 else 2), _Residual(width, width, 1))
            self.add_module(f"layer{number}", blocks)
            entering = width
        begin_he(self)


class _Residual(nn.Module):
    """Two convolutions and a shortcut."""

    def __init__(self, entering: int, leaving: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(entering, leaving, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(leaving)
        self.conv2 = nn.Conv2d(leaving, leaving, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(leaving)
        self.downsample: nn.Module | None = None
        if stride != 1 or entering != leaving:
            self.downsample = nn.Sequential(
                nn.Conv2d(entering, leaving, 1, stride=stride, bias=False), nn.BatchNorm2d(leaving)
            )

    def forward(self, rows: Float[Tensor, "N C H W"]) -> Float[Tensor, "N D h w"]:
        passed = rows if self.downsample is None else self.downsample(rows)
        inner = torch.relu(self.bn1(self.conv1(rows)))
        return torch.relu(self.bn2(self.conv2(inner)) + passed)


class _Widths(NamedTuple):
    """Channels inside one inception block: the four branches' ends, and the two reductions before 3x3 convolutions."""

    one: int
    reduce_three: int
    three: int
    reduce_five: int
    five: int
    pooled: int


_BLOCKS: dict[str, _Widths] = {
    "3a": _Widths(64, 96, 128, 16, 32, 32),
    "3b": _Widths(128, 128, 192, 32, 96, 64),
    "4a": _Widths(192, 96, 208, 16, 48, 64),
    "4b": _Widths(160, 112, 224, 24, 64, 64),
    "4c": _Widths(128, 128, 256, 24, 64, 64),
    "4d": _Widths(112, 144, 288, 32, 64, 64),
    "4e": _Widths(256, 160, 320, 32, 128, 128),
    "5a": _Widths(256, 160, 320, 32, 128, 128),
    "5b": _Widths(384, 192, 384, 48, 128, 128),
}
"""Szegedy et al. 2015, Table 1."""


class InceptionV1(nn.Module):
    """The convolutions of Inception V1 (GoogLeNet, Szegedy et al. 2015): stride 32, 1024 channels."""

    def __init__(self) -> None:
        """Build it with random weights (He)."""
        super().__init__()
        self.conv1 = _Convolution(3, 64, 7, stride=2, padding=3)
        self.maxpool1 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.conv2 = _Convolution(64, 64, 1)
        self.conv3 = _Convolution(64, 192, 3, padding=1)
        self.maxpool2 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        entering = 192
        for name, widths in _BLOCKS.items():
            self.add_module(f"inception{name}", _Inception(entering, widths))
            entering = widths.one + widths.three + widths.five + widths.pooled
            if name == "3b":
                self.maxpool3 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
            if name == "4e":
                self.maxpool4 = nn.MaxPool2d(2, stride=2, ceil_mode=True)
        begin_he(self)


class _Convolution(nn.Module):
    """A convolution with batch norm and ReLU."""

    def __init__(self, entering: int, leaving: int, kernel: int, *, stride: int = 1, padding: int = 0) -> None:
        super().__init__()
        self.conv = nn.Conv2d(entering, leaving, kernel, stride=stride, padding=padding, bias=False)
        self.bn = nn.BatchNorm2d(leaving, eps=1e-3)

    def forward(self, rows: Float[Tensor, "N C H W"]) -> Float[Tensor, "N D h w"]:
        return torch.relu(self.bn(self.conv(rows)))


class _Inception(nn.Module):
    """Four branches side by side: 1x1, two with a reduction before 3x3, and a pool."""

    def __init__(self, entering: int, widths: _Widths) -> None:
        super().__init__()
        self.branch1 = _Convolution(entering, widths.one, 1)
        self.branch2 = nn.Sequential(
            _Convolution(entering, widths.reduce_three, 1),
            _Convolution(widths.reduce_three, widths.three, 3, padding=1),
        )
        self.branch3 = nn.Sequential(
            _Convolution(entering, widths.reduce_five, 1), _Convolution(widths.reduce_five, widths.five, 3, padding=1)
        )
        self.branch4 = nn.Sequential(
            nn.MaxPool2d(3, stride=1, padding=1, ceil_mode=True), _Convolution(entering, widths.pooled, 1)
        )

    def forward(self, rows: Float[Tensor, "N C H W"]) -> Float[Tensor, "N D H W"]:
        return torch.cat([self.branch1(rows), self.branch2(rows), self.branch3(rows), self.branch4(rows)], 1)
