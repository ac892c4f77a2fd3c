"""Patches of pixels as channels: the network works on cells of `patch` x `patch` pixels."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F

from semicoupled.nn.shapes import Float, Tensor


def to_cells(
    images: Float[Tensor, "B T C H W"], patch: int, size: Sequence[int] | None = None
) -> Float[Tensor, "B T C_patch h w"]:
    """Fill up to whole patches and fold each patch into channels.

    Args:
        images: of any size.
        patch: side of a patch, pixels.
        size: (h, w), if it is known.
    """
    batch, count = images.shape[:2]
    rows = images.flatten(0, 1)
    height, width = rows.shape[-2:]
    down, across = size or (-(-height // patch), -(-width // patch))
    rows = F.pad(rows, (0, across * patch - width, 0, down * patch - height))
    cells = F.pixel_unshuffle(rows, patch).contiguous(memory_format=torch.channels_last)
    return cells.unflatten(0, (batch, count))


def to_pixels(
    cells: Float[Tensor, "B C_patch h w"], patch: int, like: Float[Tensor, "B D H W"]
) -> Float[Tensor, "B C H W"]:
    """Unfold channels into patches and cut to the size of `like`, in its precision."""
    return cut(F.pixel_shuffle(cells, patch).to(like.dtype), like)


def spread(cells: Float[Tensor, "B C h w"], patch: int, like: Float[Tensor, "B D H W"]) -> Float[Tensor, "B C H W"]:
    """Interpolate one value a cell to the pixels of `like`, in its precision."""
    size = [side * patch for side in cells.shape[-2:]]
    return cut(F.interpolate(cells.to(like.dtype), size, mode="bilinear", align_corners=False), like)


def cut(images: Float[Tensor, "B C h w"], like: Float[Tensor, "B D H W"]) -> Float[Tensor, "B C H W"]:
    """Cut off what was filled up."""
    height, width = like.shape[-2:]
    if torch.compiler.is_exporting():  # the layout of a slice depends on whether anything was cut off
        return images.index_select(-2, torch.arange(height)).index_select(-1, torch.arange(width))
    return images[..., :height, :width]
