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
    """The inverse of `fold` (a view); the gradient comes back channels last, as the layers below need it."""
    if rows.requires_grad:
        _ = rows.register_hook(channels_last)
    return rows.unflatten(0, (frames, -1)).transpose(0, 1)


def parts(rows: Float[Tensor, "N C *size"], batch: int) -> tuple[Tensor, ...]:
    """Part rows into time steps or streams of `batch` rows; a single one stays whole, for the export of one step."""
    return (rows,) if rows.shape[0] == batch else rows.split(batch)


def channel_parts(rows: Float[Tensor, "N C *size"], count: int) -> tuple[Tensor, ...]:
    """Part the channels evenly, as for the gates of an LSTM; with sizes one by one, as ONNX knows no `chunk`."""
    return rows.split([rows.shape[1] // count] * count, dim=1)


def channels_last(rows: Float[Tensor, "N C *size"]) -> Float[Tensor, "N C *size"]:
    """Images channels last in memory: the layout in which convolutions are fast here; vectors as they are."""
    return rows.contiguous(memory_format=torch.channels_last) if rows.dim() == 4 else rows.contiguous()
