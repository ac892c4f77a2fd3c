"""Which pixels many polygons cover, all at once: the rule of `geometry.raster`, in torch, for rewards in training."""

from __future__ import annotations

import torch

from semicoupled.nn.shapes import Float, Tensor

FINE = 4
"""Pixels to a cell, along a side, on which outlines are compared: 112 for 28 cells."""


def fill(points: Float[Tensor, "B N 2"], counts: Tensor, side: int) -> Tensor:
    """Fill polygons by the even-odd rule; a pixel belongs if its center does (reference: `geometry.raster.rasterize`).

    Args:
        points: x and y, px.
        counts: B, int64: how many of the points belong to each polygon; less than three cover nothing.
        side: of the square of pixels.

    Returns:
        B side side, bool.
    """
    batch, most = points.shape[:2]
    index = torch.arange(most, device=points.device)
    following = torch.where(index + 1 < counts[:, None], index + 1, 0)
    start = points.double()
    stop = start.gather(1, following[..., None].expand(-1, -1, 2))
    (x1, y1), (x2, y2) = start.unbind(-1), stop.unbind(-1)
    low, high = torch.minimum(y1, y2), torch.maximum(y1, y2)
    centers = torch.arange(side, device=points.device) + 0.5
    sides = (index < counts[:, None]) & (counts[:, None] >= 3) & (y1 != y2)
    crossed = sides[..., None] & (centers >= low[..., None]) & (centers < high[..., None])  # B N side
    slope = torch.where(sides, (x2 - x1) / torch.where(y1 == y2, 1.0, y2 - y1), 0.0)
    x = x1[..., None] + (centers - y1[..., None]) * slope[..., None]
    columns = (x - 0.5).ceil().clamp(0, side).long()  # centers at or right of the edge
    crossings = torch.zeros(batch, side, side + 1, dtype=torch.int32, device=points.device)
    crossings.scatter_add_(2, columns.transpose(1, 2), crossed.transpose(1, 2).int())
    return (crossings[..., :-1].cumsum(2) & 1).bool()


def overlap(one: Tensor, other: Tensor) -> Float[Tensor, "B"]:
    """IoU of masks, B H W each; 0 where neither covers a pixel."""
    both, either = (one & other).flatten(1).sum(1), (one | other).flatten(1).sum(1)
    return both.double().div(either.clamp_min(1)).float()
