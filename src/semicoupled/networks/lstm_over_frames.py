"""An LSTM over the frames of a clip, fed by the means of a map over the cells of a grid (LRCN, Donahue et al. 2015).

Plain functions on an ``nn.LSTM`` of one layer, for the networks that have one (`CNNLSTM`, `FramewiseLSTM`).
"""

from __future__ import annotations

from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import nn

from semicoupled.errors import ShapeError
from semicoupled.networks.grid import grid_mean
from semicoupled.nn import fold
from semicoupled.nn.shapes import Float, Tensor
from semicoupled.nn.streams import LSTMState, StackState

Memory = tuple[Tensor, Tensor]
"""Hidden state and cell, 1 B C each, as ``nn.LSTM`` has them."""


class Remembered(NamedTuple):
    """What an LSTM makes of a clip.

    Attributes:
        main: B T C 1 1.
        state: behind the last frame.
        state_at: behind the frames that were asked for; None where none were.
    """

    main: Tensor
    state: StackState
    state_at: StackState | None


def remember(
    lstm: nn.LSTM,
    rows: Float[Tensor, "TB C H W"],
    grid: tuple[int, int],
    count: int,
    state: StackState | None,
    state_at: int | None,
) -> Remembered:
    """Average maps over the cells of a grid, and run an LSTM over the frames.

    Args:
        lstm: one layer; it sees the cells side by side.
        rows: the maps of a clip, folded.
        grid: rows and columns of cells.
        count: frames of the clip, T.
        state: of an earlier call; None for zeros.
        state_at: frames behind which the state is wanted too.

    Raises:
        ShapeError: the state does not fit.
    """
    if rows.requires_grad:
        _ = rows.register_hook(fold.channels_last)  # the pool's gradient is not
    pooled = grid_mean(rows, grid).flatten(1).unflatten(0, (count, -1))  # T B C
    first = _memory(state, pooled, lstm.hidden_size)
    if state_at is None or state_at in (0, count):
        hidden, last = _run(lstm, pooled, first)
        at = first if state_at == 0 else last
    else:
        early, at = _run(lstm, pooled[:state_at], first)
        late, last = _run(lstm, pooled[state_at:], at)
        hidden = torch.cat([early, late])
    return Remembered(hidden.transpose(0, 1)[..., None, None], _state(last), None if state_at is None else _state(at))


def initial_memory(lstm: nn.LSTM, batch: int) -> StackState:
    """Zeros, the same as passing None."""
    zeros = recurrent_weight(lstm).new_zeros(batch, lstm.hidden_size)
    return StackState(main=(LSTMState(zeros, zeros),), temporal=None)


def recurrent_weight(lstm: nn.LSTM) -> nn.Parameter:
    """Weights between one hidden state and the next, whose gradients are clamped (Sec. 5.9)."""
    return cast(nn.Parameter, lstm.weight_hh_l0)


def _run(lstm: nn.LSTM, pooled: Tensor, memory: Memory) -> tuple[Tensor, Memory]:
    """The LSTM over T B C; an export of one step has it gate by gate, because ONNX would get it for whole clips."""
    if not torch.compiler.is_exporting():
        return lstm(pooled, memory)
    hidden, cell = memory[0][0], memory[1][0]
    outputs = list[Tensor]()
    for frame in pooled.unbind():
        drive = F.linear(frame, cast(Tensor, lstm.weight_ih_l0), cast(Tensor, lstm.bias_ih_l0))
        gates = drive + F.linear(hidden, cast(Tensor, lstm.weight_hh_l0), cast(Tensor, lstm.bias_hh_l0))
        to_input, to_forget, candidate, to_output = fold.channel_parts(gates, 4)
        cell = torch.sigmoid(to_forget) * cell + torch.sigmoid(to_input) * torch.tanh(candidate)
        hidden = torch.sigmoid(to_output) * torch.tanh(cell)
        outputs.append(hidden)
    return torch.stack(outputs), (hidden[None], cell[None])


def _memory(state: StackState | None, pooled: Tensor, width: int) -> Memory:
    batch = pooled.shape[1]
    if state is None:
        zeros = pooled.new_zeros(1, batch, width)
        return zeros, zeros
    cells = state.main or ()
    if len(cells) != 1 or not isinstance(cells[0], LSTMState) or cells[0].hidden.shape != (batch, width):
        given = ", ".join(f"{type(cell).__name__} {tuple(cell[0].shape)}" for cell in cells) or "none"
        raise ShapeError(
            f"state: expected the LSTM's state of {batch} samples, LSTMState {batch, width}, got {given}. Pass what "
            "the last call returned, for the same batch, or start with state=None."
        )
    return cells[0].hidden[None].to(pooled.dtype), cells[0].cell[None].to(pooled.dtype)


def _state(memory: Memory) -> StackState:
    hidden, cell = memory
    return StackState(main=(LSTMState(hidden[0], cell[0]),), temporal=None)
