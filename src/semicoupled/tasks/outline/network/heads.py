"""Heads: from the decoder's last map to a score of every cell and of "closed"."""

from __future__ import annotations

import torch
from torch import nn

from semicoupled.nn.shapes import Float, Tensor


class LinearHead(nn.Module):
    """One linear map of the whole last map (Sec. 5.6)."""

    def __init__(self, channels: int, grid: int) -> None:
        """Build it.

        Args:
            channels: of the last map.
            grid: cells on a side.
        """
        super().__init__()
        self.linear = nn.Linear(channels * grid * grid, grid * grid + 1)

    def forward(self, features: Float[Tensor, "B T C g g"]) -> Float[Tensor, "B T K"]:
        """Score the classes."""
        return self.linear(features.flatten(2))


class CellHead(nn.Module):
    """The same small map in every cell; "closed" is read from the mean and the maximum over all."""

    def __init__(self, channels: int) -> None:
        """Build it.

        Args:
            channels: of the last map.
        """
        super().__init__()
        self.cell = nn.Conv2d(channels, 1, 1)
        self.closed = nn.Linear(2 * channels, 1)

    def forward(self, features: Float[Tensor, "B T C g g"]) -> Float[Tensor, "B T K"]:
        """Score the classes."""
        cells = self.cell(features.flatten(0, 1)).flatten(1).unflatten(0, features.shape[:2])
        pooled = torch.cat([features.mean((3, 4)), features.amax((3, 4))], dim=2)
        return torch.cat([cells, self.closed(pooled)], dim=2)
