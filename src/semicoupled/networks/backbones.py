"""Backbones: what an image looks like, as maps of features at several sizes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from semicoupled.networks.beginning import begin_he
from semicoupled.networks.from_torchvision import begin_with
from semicoupled.nn.shapes import Float

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of the colors of ImageNet, 0 to 1: what backbones expect."""

VGG16 = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
"""Channels of the convolutions of VGG-16, block by block (Simonyan and Zisserman 2014)."""


class VGG16BN(nn.Module):
    """The convolutions of VGG-16 with batch norm, layer by layer as torchvision's ``vgg16_bn().features``.

    So a state dict of torchvision loads: its names and shapes are the same (see `load_torchvision`).
    """

    def __init__(self) -> None:
        """Build it with random weights (He)."""
        super().__init__()
        layers: list[nn.Module] = []
        taps: list[int] = []
        channels = 3
        for block in VGG16:
            for width in block:
                layers += [nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
                channels = width
            taps.append(len(layers) - 1)
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.taps = tuple(taps)
        self.channels = tuple(block[-1] for block in VGG16)
        begin_he(self)

    def forward(self, image: Float[Tensor, "B 3 H W"]) -> list[Tensor]:
        """Give the maps at the end of the five blocks, before their pooling: strides 1, 2, 4, 8 and 16."""
        maps: list[Tensor] = []
        for index, layer in enumerate(list(self.features)[:-1]):  # the last pooling has no one who needs it
            image = layer(image)
            if index in self.taps:
                maps.append(image)
        return maps

    def load_torchvision(self, source: str | Path) -> None:
        """Take the weights of torchvision's ``vgg16_bn``.

        Args:
            source: a file of its state dict (``.pth``, ``.safetensors``), or ``imagenet``, which torchvision downloads.

        Raises:
            MissingExtraError: ``imagenet`` without torchvision.
            RunError: the file is missing or holds something else, or there is no network.
        """
        instead = "give the file of torchvision's vgg16_bn weights instead, or start from scratch"
        begin_with(self, source, "vgg16_bn", "VGG16_BN_Weights", instead)


class Block(nn.Module):
    """Two convolutions with batch norm and a shortcut (He et al. 2015)."""

    def __init__(self, channels: int) -> None:
        """Build it."""
        super().__init__()
        self.first = convolution(channels, channels)
        self.second = nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels))

    def forward(self, features: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """Add what the convolutions see."""
        return torch.relu(features + self.second(self.first(features)))


class LightBackbone(nn.Module):
    """A small residual network that a CPU can train: strides 2, 4, 8, 16 and 32, a few hundred million products."""

    def __init__(self, channels: Sequence[int] = (16, 32, 64, 96, 128)) -> None:
        """Build it.

        Args:
            channels: of the five maps.
        """
        super().__init__()
        self.channels = tuple(channels)
        inputs = (3, *self.channels[:-1])
        blocks = (0, 1, 2, 2, 1)
        self.stages = nn.ModuleList(
            nn.Sequential(convolution(before, width, stride=2), *(Block(width) for _ in range(count)))
            for before, width, count in zip(inputs, self.channels, blocks, strict=True)
        )

    def forward(self, image: Float[Tensor, "B 3 H W"]) -> list[Tensor]:
        """Give the maps of the five stages."""
        maps: list[Tensor] = []
        for stage in self.stages:
            image = stage(image)
            maps.append(image)
        return maps


class FeaturePyramid(nn.Module):
    """One map of features of several maps of a backbone: each 3x3 to as many channels, brought to one size, joined.

    The outline's way (METHOD 9, after Castrejon et al. 2017): VGG-16's blocks 2 (pooled), 3, 4 and 5 (enlarged).
    """

    def __init__(self, inputs: Sequence[int], channels: int, *, kernel_size: int = 3) -> None:
        """Build it.

        Args:
            inputs: channels of each map.
            channels: of the result, and of each map before they are joined.
            kernel_size: of the first convolutions.
        """
        super().__init__()
        self.channels = channels
        self.sides = nn.ModuleList(convolution(width, channels, kernel_size=kernel_size) for width in inputs)
        self.join = convolution(len(inputs) * channels, channels)

    def forward(self, maps: Sequence[Tensor], size: tuple[int, int]) -> Float[Tensor, "B C h w"]:
        """Join maps at a size: larger ones are pooled, smaller ones enlarged."""
        sided = [_sized(side(one), size) for side, one in zip(self.sides, maps, strict=True)]
        return self.join(torch.cat(sided, dim=1))


def normalize(image: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B 3 H W"]:
    """Bring colors, 0 to 1, onto the scale that backbones expect."""
    mean, deviation = (image.new_tensor(values).view(1, 3, 1, 1) for values in (MEAN, DEVIATION))
    return (image - mean) / deviation


def convolution(inputs: int, outputs: int, *, kernel_size: int = 3, stride: int = 1) -> nn.Sequential:
    """A convolution with batch norm and ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel_size, stride=stride, padding=kernel_size // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


def _sized(features: Tensor, size: tuple[int, int]) -> Tensor:
    height, width = features.shape[-2:]
    if (height, width) == size:
        return features
    if height >= size[0] and width >= size[1]:
        return F.adaptive_max_pool2d(features, size)
    return F.interpolate(features, size=size, mode="bilinear", align_corners=False)
