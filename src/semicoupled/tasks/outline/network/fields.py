"""Positions as the decoder may be shown them: fields that fall off with the distance from a point."""

from __future__ import annotations

import torch
from torch import nn

from semicoupled.nn.shapes import Float, Tensor


class Fields(nn.Module):
    """Spreads positions over the grid: exp(-d / `reach`) at a distance of d cells. Nothing is learned."""

    spread: Tensor

    def __init__(self, grid: int, reach: float = 5.0) -> None:
        """Build it.

        Args:
            grid: cells on a side.
            reach: cells over which a field falls to 1/e.
        """
        super().__init__()
        cells = torch.arange(grid * grid)
        x, y = (cells % grid).float(), (cells // grid).float()
        distance = torch.hypot(x[:, None] - x, y[:, None] - y)
        self.register_buffer("spread", torch.exp(-distance / reach), persistent=False)

    def forward(self, positions: Float[Tensor, "*B g g"]) -> Float[Tensor, "*B g g"]:
        """Spread maps that are 1 in one cell, or empty."""
        return (positions.flatten(-2).to(self.spread.dtype) @ self.spread).view_as(positions)
