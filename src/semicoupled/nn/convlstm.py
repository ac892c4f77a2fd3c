"""ConvLSTM, the rival (Shi et al. 2015): four gates by convolutions, an additive memory, no peepholes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import nn

from semicoupled.nn import fold
from semicoupled.nn.norm import Norm
from semicoupled.nn.operators import conv2d
from semicoupled.nn.recurrent import RecurrentStack
from semicoupled.nn.shapes import Float, Tensor
from semicoupled.nn.streams import CellState, LSTMState


class ConvLSTMLayer(nn.Module):
    """i, f, o = sigmoid(W_x x + W_h h + b); cell = f cell + i tanh(W_x x + W_h h + b); h = o tanh(cell)."""

    def __init__(self, in_channels: int, out_channels: int, *, kernel_size: int = 3, stride: int = 1) -> None:
        """Build the layer; the stride sits on the input's convolution."""
        super().__init__()
        self.out_channels = out_channels
        self.input = conv2d(in_channels, 4 * out_channels, kernel_size=kernel_size, stride=stride, bias=True)
        self.recurrent = conv2d(out_channels, 4 * out_channels, kernel_size=kernel_size, stride=1, bias=False)

    def initial_state(self, like: Float[Tensor, "B C H W"]) -> LSTMState:
        """Zeros."""
        return LSTMState(torch.zeros_like(like), torch.zeros_like(like))

    def advance(self, drive: Float[Tensor, "B C4 H W"], state: CellState) -> LSTMState:
        """One time step; the drive holds input, forget and output gate and the candidate, in this order."""
        hidden, before = state[0], state[-1]
        to_input, to_forget, to_output, candidate = fold.channel_parts(drive + self.recurrent(hidden), 4)
        cell = torch.sigmoid(to_forget) * before + torch.sigmoid(to_input) * torch.tanh(candidate)
        return LSTMState(torch.sigmoid(to_output) * torch.tanh(cell), cell)

    def recurrent_parameters(self) -> Iterator[nn.Parameter]:
        """W_h."""
        yield from self.recurrent.parameters()


def convlstm(
    in_channels: int,
    widths: Sequence[int],
    *,
    kernel_size: int = 3,
    strides: int | Sequence[int] = 1,
    norm: Norm = "none",
    shortcut_every: int | None = None,
) -> RecurrentStack:
    """Build a stack of ConvLSTM layers with the signature of `SemiCoupledStack`; see `RecurrentStack`."""
    return RecurrentStack(
        ConvLSTMLayer,
        in_channels,
        widths,
        kernel_size=kernel_size,
        strides=strides,
        norm=norm,
        shortcut_every=shortcut_every,
    )
