"""R(2+1)D-18, the rival for action (Tran et al. 2018): 3D convolutions taken apart into space and time.

The sizes are those of the 18-layer network of the paper, as torchvision has it (31 505 325 parameters, 400 classes).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from semicoupled.nn.shapes import Float, Tensor

WIDTHS = (64, 128, 256, 512)
STEM_MIDDLE = 45


class R2Plus1D(nn.Module):
    """A clip in, one answer out."""

    def __init__(self, num_classes: int, in_channels: int = 3, widths: Sequence[int] = WIDTHS) -> None:
        """Build the network.

        Args:
            num_classes: number of classes K.
            in_channels: channels of the frames.
            widths: channels of the four stages.
        """
        super().__init__()
        self.in_channels, self.out_channels = in_channels, widths[-1]
        self.stem = nn.Sequential(
            nn.Conv3d(in_channels, STEM_MIDDLE, (1, 7, 7), (1, 2, 2), (0, 3, 3), bias=False),
            nn.BatchNorm3d(STEM_MIDDLE),
            nn.ReLU(inplace=True),
            nn.Conv3d(STEM_MIDDLE, widths[0], (3, 1, 1), padding=(1, 0, 0), bias=False),
            nn.BatchNorm3d(widths[0]),
            nn.ReLU(inplace=True),
        )
        inputs = (widths[0], *widths[:-1])
        blocks: list[nn.Module] = []
        for index, (entering, leaving) in enumerate(zip(inputs, widths, strict=True)):
            blocks += [_Block(entering, leaving, 1 if index == 0 else 2), _Block(leaving, leaving, 1)]
        self.blocks = nn.Sequential(*blocks)
        self.head: nn.Module = nn.Linear(widths[-1], num_classes)

    def forward(self, frames: Float[Tensor, "B T C H W"]) -> Float[Tensor, "B K"]:
        """Score the classes of a clip, before the softmax."""
        return self.head(self.features(frames).mean((2, 3, 4)))

    def features(self, frames: Float[Tensor, "B T C H W"]) -> Float[Tensor, "B D T2 H2 W2"]:
        """Give the maps below the head; time is three times halved, as is space behind the first halving."""
        return self.blocks(self.stem(frames.transpose(1, 2)))


class _Block(nn.Module):
    """Two convolutions in space and time, and a shortcut."""

    def __init__(self, entering: int, leaving: int, stride: int) -> None:
        super().__init__()
        # as many parameters as the 3x3x3 convolution that the pair stands for
        middle = (entering * leaving * 27) // (entering * 9 + 3 * leaving)
        self.first = nn.Sequential(
            _pair(entering, middle, leaving, stride), nn.BatchNorm3d(leaving), nn.ReLU(inplace=True)
        )
        self.second = nn.Sequential(_pair(leaving, middle, leaving, 1), nn.BatchNorm3d(leaving))
        self.shortcut = (
            nn.Identity()
            if entering == leaving and stride == 1
            else nn.Sequential(nn.Conv3d(entering, leaving, 1, stride, bias=False), nn.BatchNorm3d(leaving))
        )

    def forward(self, features: Tensor) -> Tensor:
        return torch.relu(self.second(self.first(features)) + self.shortcut(features))


def _pair(entering: int, middle: int, leaving: int, stride: int) -> nn.Sequential:
    """A convolution in space, then one in time."""
    return nn.Sequential(
        nn.Conv3d(entering, middle, (1, 3, 3), (1, stride, stride), (0, 1, 1), bias=False),
        nn.BatchNorm3d(middle),
        nn.ReLU(inplace=True),
        nn.Conv3d(middle, leaving, (3, 1, 1), (stride, 1, 1), (1, 0, 0), bias=False),
    )
