"""The usual way to run recurrent convolutions: frame by frame, layer by layer, each step on its own.

They take the weights of our modules and give the same outputs, so that a comparison is about the way alone. Frames and
weights are channels last, which is their fastest layout.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from semicoupled.nn import RecurrentStack, SemiCoupledStack, reference
from semicoupled.nn.convlstm import ConvLSTMLayer

Loop = Callable[[Tensor], Tensor]
"""From frames, B T C H W, to features of the last layer, B T C H W."""


def reference_loop(stack: SemiCoupledStack) -> Loop:
    """Give `nn.reference` as the paper reads, on a stack's own weights."""

    def run(frames: Tensor) -> Tensor:
        return reference.run(stack, frames_channels_last(frames)).features["main"]

    return run


class UsualRecurrent(nn.Module):
    """ConvLSTM or ConvGRU as it is usually written: one convolution of the input and the hidden state side by side."""

    def __init__(self, stack: RecurrentStack) -> None:
        """Take over the weights of a stack without norm and shortcuts (copies, of the usual shape)."""
        super().__init__()
        layers = cast("Any", stack.layers)
        self.is_lstm = isinstance(layers[0], ConvLSTMLayer)
        self.channels = [layer.out_channels for layer in layers]
        self.strides = stack.strides
        gates = [layer.input.out_channels if self.is_lstm else 2 * layer.out_channels for layer in layers]
        self.weights = nn.ParameterList(
            _side_by_side(layer.input.weight[:count], layer.recurrent.weight)
            for layer, count in zip(layers, gates, strict=True)
        )
        self.biases = nn.ParameterList(
            layer.input.bias[:count].detach().clone() for layer, count in zip(layers, gates, strict=True)
        )
        candidates = [] if self.is_lstm else list(zip(layers, gates, strict=True))
        self.candidate_weights = nn.ParameterList(
            _side_by_side(layer.input.weight[count:], layer.candidate.weight) for layer, count in candidates
        )
        self.candidate_biases = nn.ParameterList(
            layer.input.bias[count:].detach().clone() for layer, count in candidates
        )

    def forward(self, frames: Tensor) -> Tensor:
        """Run a clip, B T C H W, frame by frame; every layer at stride 1."""
        frames = frames_channels_last(frames)
        states: list[tuple[Tensor, ...] | None] = [None] * len(self.channels)
        outputs: list[Tensor] = []
        for t in range(frames.shape[1]):
            features = frames[:, t]
            for index in range(len(self.channels)):
                states[index] = state = self._advance(index, features, states[index])
                features = state[0]
            outputs.append(features)
        return torch.stack(outputs, dim=1)

    def _advance(self, index: int, features: Tensor, state: tuple[Tensor, ...] | None) -> tuple[Tensor, ...]:
        """Give the hidden state (and behind it the cell of an LSTM) after one more frame."""
        if state is None:
            shape = (features.shape[0], self.channels[index], *features.shape[2:])
            zeros = features.new_zeros(shape).contiguous(memory_format=torch.channels_last)
            state = (zeros, zeros) if self.is_lstm else (zeros,)
        hidden = state[0].to(features.dtype)
        both = torch.cat([features, hidden], dim=1)
        gates = F.conv2d(both, self.weights[index], self.biases[index], padding=1)
        if self.is_lstm:
            to_input, to_forget, to_output, candidate = gates.chunk(4, dim=1)
            cell = torch.sigmoid(to_forget) * state[-1] + torch.sigmoid(to_input) * torch.tanh(candidate)
            return torch.sigmoid(to_output) * torch.tanh(cell), cell
        update, reset = torch.sigmoid(gates).chunk(2, dim=1)
        kept = torch.cat([features, (reset * hidden).to(features.dtype)], dim=1)
        candidate = torch.tanh(F.conv2d(kept, self.candidate_weights[index], self.candidate_biases[index], padding=1))
        return ((1 - update) * hidden + update * candidate,)


def _side_by_side(of_input: Tensor, of_hidden: Tensor) -> nn.Parameter:
    weight = torch.cat([of_input, of_hidden], dim=1).detach()
    return nn.Parameter(weight.contiguous(memory_format=torch.channels_last))


def frames_channels_last(frames: Tensor) -> Tensor:
    """Every frame channels last; the same layout B T C H W."""
    return frames.permute(0, 1, 3, 4, 2).contiguous().permute(0, 1, 4, 2, 3)
