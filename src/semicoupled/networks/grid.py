"""A map as the means over the cells of a grid: what is there, and about where, whatever the size of the map."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from semicoupled.nn.shapes import Float, Tensor


def grid_mean(rows: Float[Tensor, "N C H W"], cells: tuple[int, int]) -> Float[Tensor, "N C h w"]:
    """Average over the cells of a grid; as two products in an export, as ONNX knows no such pool for every size.

    Args:
        rows: maps.
        cells: rows and columns of the grid; where there are more of them than of the map's, neighbors share.
    """
    if not torch.compiler.is_exporting():
        return F.adaptive_avg_pool2d(rows, cells)
    down, across = (_shares(length, count) for length, count in zip(rows.shape[-2:], cells, strict=True))
    return down @ rows @ across.t()


def _shares(length: int, cells: int) -> Float[Tensor, "cells length"]:
    """What each place adds to each cell."""
    edges = torch.arange(cells + 1) * length
    starts, stops = edges[:-1] // cells, (edges[1:] + cells - 1) // cells
    places = torch.arange(length)
    inside = ((places >= starts[:, None]) & (places < stops[:, None])).float()
    return inside / inside.sum(1, keepdim=True)


class GridHead(nn.Module):
    """One vector a frame: means over the cells of a grid, side by side, then a linear map."""

    def __init__(self, channels: int, outputs: int, grid: tuple[int, int] = (1, 1), dropout: float = 0.0) -> None:
        """Build the head.

        Args:
            channels: of the features.
            outputs: numbers to predict.
            grid: rows and columns of cells; 1 x 1 is a global average.
            dropout: share of the means that is left out in training.
        """
        super().__init__()
        self.grid = grid
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(channels * grid[0] * grid[1], outputs)

    def forward(self, features: Float[Tensor, "B T C H W"]) -> Float[Tensor, "B T K"]:
        """Pool each frame and map it."""
        rows = features.flatten(0, 1)
        means = grid_mean(rows, self.grid).flatten(1).unflatten(0, features.shape[:2])
        return self.linear(self.dropout(means))
