"""Between the layout of callers, B T C *size, and the layout inside a stack: time-major rows, channels last.

Row t * B + b is frame t of sample b. So one step of a recurrence is a contiguous slice, and a convolution over all
frames is one call.
"""

from __future__ import annotations

import torch

from semicoupled.nn.shapes import Float, Tensor


def fold(frames: Float[Tensor, "B T C *size"]) -> Float[Tensor, "N C *size"]:
    """Lay all frames out as rows, time-major; images channels last."""
    return channels_last(frames.transpose(0, 1).flatten(0, 1))


def unfold(rows: Float[Tensor, "N C *size"], frames: int) -> Float[Tensor, "B T C *size"]:
    """The inverse of `fold` (a view)."""
    return rows.unflatten(0, (frames, -1)).transpose(0, 1)


def channels_last(rows: Float[Tensor, "N C *size"]) -> Float[Tensor, "N C *size"]:
    """Images channels last in memory: the layout in which convolutions are fast here; vectors as they are."""
    return rows.contiguous(memory_format=torch.channels_last) if rows.dim() == 4 else rows.contiguous()


def side_by_side(streams: list[Tensor], frames: int) -> Tensor:
    """Put folded streams next to each other within each time step: rows (t, stream, b)."""
    if len(streams) == 1:
        return streams[0]
    joined = torch.cat([rows.unflatten(0, (frames, -1)) for rows in streams], dim=1).flatten(0, 1)
    return channels_last(joined)


def apart(rows: Tensor, frames: int, count: int) -> list[Tensor]:
    """The inverse of `side_by_side`."""
    if count == 1:
        return [rows]
    return [channels_last(part.flatten(0, 1)) for part in rows.unflatten(0, (frames, -1)).chunk(count, dim=1)]
