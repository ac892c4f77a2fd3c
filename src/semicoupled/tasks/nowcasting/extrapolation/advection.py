"""Semi-Lagrangian advection: a field is carried along a motion that stays as it is.

Every pixel looks back along its path; what it finds there has arrived. Values are interpolated between four pixels
once, not once a step, so that long leads are no more blurred than short ones.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F

from semicoupled.nn.shapes import Float, Tensor


def departures(motion: Float[Tensor, "B 2 H W"], steps: int) -> Float[Tensor, "B K 2 H W"]:
    """Give where the air that arrives at each pixel has come from.

    Args:
        motion: dx and dy, pixels per time step, constant in time.
        steps: number of steps K.

    Returns:
        x and y of the points of departure after 1..K steps, in pixels.
    """
    return torch.stack([*follow(motion, steps)], dim=1)


def follow(motion: Float[Tensor, "B 2 H W"], steps: int) -> Iterator[Tensor]:
    """Give the same one step after the other, B 2 H W each, for large fields of which only one fits into memory."""
    point = pixels(motion)
    for _ in range(steps):
        point = point - sample(motion, point)
        yield point


def pixels(like: Float[Tensor, "B C H W"]) -> Float[Tensor, "B 2 H W"]:
    """Give x and y of every pixel."""
    height, width = like.shape[-2:]
    rows = torch.arange(height, dtype=like.dtype, device=like.device)
    columns = torch.arange(width, dtype=like.dtype, device=like.device)
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    return torch.stack([x, y]).expand(like.shape[0], 2, height, width)


def sample(field: Float[Tensor, "B C H W"], points: Float[Tensor, "B 2 h w"]) -> Float[Tensor, "B C h w"]:
    """Interpolate a field at points; beyond its edge it goes on as it is there.

    Args:
        field: without NaN.
        points: x and y in pixels.
    """
    height, width = field.shape[-2:]
    across, down = points.unbind(1)
    grid = torch.stack([across * (2 / max(width - 1, 1)) - 1, down * (2 / max(height - 1, 1)) - 1], dim=-1)
    return F.grid_sample(field, grid, mode="bilinear", padding_mode="border", align_corners=True)


def is_inside(points: Float[Tensor, "B 2 h w"], height: int, width: int) -> Tensor:
    """Whether points lie on the field, B h w."""
    x, y = points[:, 0], points[:, 1]
    return (x >= -0.5) & (x <= width - 0.5) & (y >= -0.5) & (y <= height - 0.5)


def carry(field: Float[Tensor, "B C H W"], points: Float[Tensor, "B 2 h w"]) -> Float[Tensor, "B C h w"]:
    """Interpolate a field with missing pixels (NaN); missing is what flows in from outside or from missing pixels.

    Args:
        field: NaN = missing.
        points: x and y in pixels.

    Returns:
        The weighted mean of the pixels that are there, where they have at least half of the weight; else NaN.
    """
    there = (~field.isnan()).to(field.dtype)
    weight = sample(there, points) * is_inside(points, *field.shape[-2:])[:, None]
    value = sample(field.nan_to_num(nan=0.0), points) / weight.clamp_min(1e-6)
    return torch.where(weight >= 0.5, value, torch.nan)
