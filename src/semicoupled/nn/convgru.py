"""ConvGRU, the rival (Ballas et al. 2016): update and reset gate and candidate by convolutions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import nn

from semicoupled.nn import fold
from semicoupled.nn.norm import Norm
from semicoupled.nn.operators import conv2d
from semicoupled.nn.recurrent import RecurrentStack
from semicoupled.nn.shapes import Float, Tensor
from semicoupled.nn.streams import CellState, HiddenState


class ConvGRULayer(nn.Module):
    """z, r = sigmoid(W_x x + W_h h + b); n = tanh(W_x x + W_n (r h) + b); h = (1 - z) h + z n."""

    def __init__(self, in_channels: int, out_channels: int, *, kernel_size: int = 3, stride: int = 1) -> None:
        """Build the layer; the stride sits on the input's convolution."""
        super().__init__()
        self.out_channels = out_channels
        self.input = conv2d(in_channels, 3 * out_channels, kernel_size=kernel_size, stride=stride, bias=True)
        self.recurrent = conv2d(out_channels, 2 * out_channels, kernel_size=kernel_size, stride=1, bias=False)
        self.candidate = conv2d(out_channels, out_channels, kernel_size=kernel_size, stride=1, bias=False)

    def initial_state(self, like: Float[Tensor, "B C H W"]) -> HiddenState:
        """Zeros."""
        return HiddenState(torch.zeros_like(like))

    def advance(self, drive: Float[Tensor, "B C3 H W"], state: CellState) -> HiddenState:
        """One time step; the drive holds update gate, reset gate and candidate, in this order."""
        hidden = state[0]
        gates_drive, candidate_drive = drive.split([2 * self.out_channels, self.out_channels], dim=1)
        update, reset = fold.channel_parts(torch.sigmoid(gates_drive + self.recurrent(hidden)), 2)
        candidate = torch.tanh(candidate_drive + self.candidate(reset * hidden))
        return HiddenState((1 - update) * hidden + update * candidate)

    def recurrent_parameters(self) -> Iterator[nn.Parameter]:
        """W_h and W_n."""
        yield from self.recurrent.parameters()
        yield from self.candidate.parameters()


def convgru(
    in_channels: int,
    widths: Sequence[int],
    *,
    kernel_size: int = 3,
    strides: int | Sequence[int] = 1,
    norm: Norm = "none",
    shortcut_every: int | None = None,
) -> RecurrentStack:
    """Build a stack of ConvGRU layers with the signature of `SemiCoupledStack`; see `RecurrentStack`."""
    return RecurrentStack(
        ConvGRULayer,
        in_channels,
        widths,
        kernel_size=kernel_size,
        strides=strides,
        norm=norm,
        shortcut_every=shortcut_every,
    )
