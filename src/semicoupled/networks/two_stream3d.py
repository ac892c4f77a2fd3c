"""Two towers, one for images and one for how they move, fused in space and time: the rival "3D-Fused" of Table 2.

Feichtenhofer, Pinz and Zisserman 2016, "Convolutional Two-Stream Network Fusion for Video Action Recognition": the last
maps of both towers are put side by side, a 3x3x3 convolution fuses them, and a pool over space and time follows. Ours
shows the motion tower the flow of one frame where theirs sees ten; the convolution over time joins what follows.
"""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import nn

from semicoupled.errors import ShapeError
from semicoupled.networks.framewise import Trunk
from semicoupled.nn import fold
from semicoupled.nn.shapes import Float, Tensor

FLOW_CHANNELS = 2


class TwoStream3D(nn.Module):
    """A clip of images and flow in, one answer out."""

    def __init__(self, images: Trunk, flow: Trunk, width: int, num_classes: int = 1) -> None:
        """Build the network.

        Args:
            images: the tower that sees images, whose channels come first.
            flow: the tower that sees the flow, 2 channels; one of 3 sees its size as the third.
            width: channels behind the fusion.
            num_classes: number of classes K.

        Raises:
            ShapeError: the flow's tower takes neither 2 nor 3 channels.
        """
        super().__init__()
        if flow.in_channels not in (FLOW_CHANNELS, FLOW_CHANNELS + 1):
            raise ShapeError(f"flow: expected a tower that takes 2 or 3 channels, got one for {flow.in_channels}.")
        self.image_tower, self.flow_tower = cast(nn.Module, images), cast(nn.Module, flow)
        self.image_channels, self.with_size = images.in_channels, flow.in_channels > FLOW_CHANNELS
        self.in_channels, self.out_channels = images.in_channels + FLOW_CHANNELS, width
        fuse = nn.Sequential(
            nn.Conv3d(images.out_channels + flow.out_channels, width, 3, padding=1, bias=False),
            nn.BatchNorm3d(width),
            nn.ReLU(inplace=True),
        )
        self.blocks = nn.Sequential(fuse)
        self.head: nn.Module = nn.Linear(width, num_classes)

    def forward(self, frames: Float[Tensor, "B T C H W"]) -> Float[Tensor, "B K"]:
        """Score the classes of a clip, before the softmax."""
        return self.head(self.features(frames).mean((2, 3, 4)))

    def features(self, frames: Float[Tensor, "B T C H W"]) -> Float[Tensor, "B D T2 h2 w2"]:
        """Give the maps below the head, after the pool over space and time (halved, as far as there is more than 1).

        Args:
            frames: images, and behind them dx and dy of the flow.
        """
        count = frames.shape[1]
        images, flow = frames[:, :, : self.image_channels], frames[:, :, self.image_channels :]
        if self.with_size:
            flow = torch.cat([flow, flow.norm(dim=2, keepdim=True)], 2)
        towers = ((self.image_tower, images), (self.flow_tower, flow))
        maps = [fold.unfold(tower(fold.fold(seen))[-1], count) for tower, seen in towers]
        fused = self.blocks(torch.cat(maps, 2).transpose(1, 2))
        return F.max_pool3d(fused, [min(2, size) for size in fused.shape[2:]])
