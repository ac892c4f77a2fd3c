"""Heads: from the last layer's features to answers, frame by frame."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from semicoupled.nn.shapes import Float, Tensor
from semicoupled.nn.streams import Stream


class PooledHead(nn.Module):
    """One vector a frame: global average pool, then a linear map."""

    def __init__(self, channels: int, outputs: int) -> None:
        """Build the head.

        Args:
            channels: of the features.
            outputs: classes, or numbers to predict.
        """
        super().__init__()
        self.linear = nn.Linear(channels, outputs)

    def forward(self, features: Float[Tensor, "B T C H W"]) -> Float[Tensor, "B T K"]:
        """Pool each frame and map it."""
        return self.linear(features.mean((3, 4)))


class MapHead(nn.Module):
    """One map a frame, at the features' size: a 1x1 convolution without a nonlinearity, so that signs survive."""

    def __init__(self, channels: int, outputs: int) -> None:
        """Build the head.

        Args:
            channels: of the features.
            outputs: channels of the map, for example 2 for optical flow (dx, dy).
        """
        super().__init__()
        self.convolution = nn.Conv2d(channels, outputs, 1)

    def forward(self, features: Float[Tensor, "B T C H W"]) -> Float[Tensor, "B T K H W"]:
        """Map each frame."""
        rows = features.flatten(0, 1).contiguous(memory_format=torch.channels_last)
        return self.convolution(rows).unflatten(0, features.shape[:2])


def read_head(head: nn.Module | None, features: Tensor | None) -> Tensor | None:
    """Read a stream by its head.

    Args:
        head: of the stream; None where nothing is to be learned from it.
        features: B T C H W of the stream; None where it was not asked for.

    Returns:
        What the head says, B T ...; None where one of the two is missing.
    """
    return None if head is None or features is None else head(features)


def with_main(streams: Sequence[Stream]) -> tuple[Stream, ...]:
    """Give streams with the main one among them, first: a network answers by it, whichever others are asked for."""
    return ("main", *(stream for stream in streams if stream != "main"))
