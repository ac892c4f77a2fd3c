"""Features with skip branches (Polygon-RNN++, Acuna et al. 2018, Sec. 3.1): fine ones, and coarse ones made of them.

Every map of a backbone, fine and coarse, goes through a convolution of its own to the size of the finest; joined they
are the fine features. Two more convolutions, each of which halves the size, give the features that a decoder sees.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from semicoupled.networks.backbones import convolution
from semicoupled.nn.shapes import Float, Tensor

STEP = 4
"""How many times finer the fine features are, along a side."""


class Skipped(NamedTuple):
    """Features at two sizes.

    Attributes:
        features: B C h w.
        fine: B D 4h 4w.
    """

    features: Tensor
    fine: Tensor


class SkipBranches(nn.Module):
    """Joins the maps of a backbone at a fine size, and gives features at a coarse one."""

    def __init__(self, inputs: Sequence[int], channels: int, fine: int) -> None:
        """Build it.

        Args:
            inputs: channels of each map.
            channels: of the features.
            fine: channels of each branch, and of the fine features.
        """
        super().__init__()
        self.channels = channels
        self.sides = nn.ModuleList(convolution(width, fine) for width in inputs)
        self.join = convolution(len(inputs) * fine, fine)
        self.down = nn.Sequential(convolution(fine, channels, stride=2), convolution(channels, channels, stride=2))

    def forward(self, maps: Sequence[Tensor], size: tuple[int, int]) -> Skipped:
        """Join maps.

        Args:
            maps: B C H W each, of any size.
            size: height and width of the features; the fine ones are `STEP` times as large.
        """
        large = (size[0] * STEP, size[1] * STEP)
        sided = [_sized(side(one), large) for side, one in zip(self.sides, maps, strict=True)]
        fine = self.join(torch.cat(sided, dim=1))
        return Skipped(self.down(fine), fine)


def _sized(features: Float[Tensor, "B C H W"], size: tuple[int, int]) -> Float[Tensor, "B C h w"]:
    if tuple(features.shape[-2:]) == size:
        return features
    return F.interpolate(features, size=size, mode="bilinear", align_corners=False)
