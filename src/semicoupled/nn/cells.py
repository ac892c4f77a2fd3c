"""The temporal branch h_t behind one interface: the paper's simple recurrence, or another one in its place.

The paper: "It is feasible to replace h_t with LSTM architecture, but the computing complexity is too high". All take
what Conv_u made of all frames and go over time, all but the linear one with Conv_c; each returns the map c, whose
sigmoid is the gate.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal, NamedTuple, TypeVar

import torch
from torch import nn

from semicoupled.errors import ShapeError
from semicoupled.nn import fold
from semicoupled.nn.norm import StreamNorm
from semicoupled.nn.operators import Operator
from semicoupled.nn.recurrence import Recurrence, recurrence
from semicoupled.nn.shapes import Float, Tensor
from semicoupled.nn.streams import CellState, GRUState, LinearState, LSTMState, RNNState

Cell = Literal["rnn", "lstm", "gru", "linear"]
"""The temporal branch: Eq. 5 (paper), a gated one, or one without a convolution over the step before."""

CELLS: tuple[Cell, ...] = ("rnn", "lstm", "gru", "linear")


class CellOutput(NamedTuple):
    """What a temporal branch makes of a clip in one stream.

    Attributes:
        map: c of all frames, folded time-major, or None where it was not asked for.
        gate: sigma(c) of all frames.
        state: the state after the last frame.
        state_at: the state after the first `state_at` frames, if asked for.
    """

    map: Tensor | None
    gate: Tensor
    state: CellState
    state_at: CellState | None


Drives = Mapping[str, Tensor]
"""What Conv_u made of all frames, by stream: folded time-major rows."""

States = Mapping[str, CellState]
"""State before the first frame, by stream."""


class RNNCell(nn.Module):
    """c_t = norm(Conv_u(u_t)) + Conv_c(sigma(c_{t-1})) (Eq. 5)."""

    drive_factor = 1

    def __init__(self, channels: int, operator: Operator, kernel_size: int, initial_gate: float) -> None:
        """Build Conv_c, which has stride 1 and no bias."""
        super().__init__()
        self.recurrent = operator(channels, channels, kernel_size=kernel_size, stride=1, bias=False)
        self.initial_gate = initial_gate

    def initial_state(self, like: Float[Tensor, "B C *size"]) -> RNNState:
        """sigma(c_0): 0.5 where c_0 = 0 (paper), or the option's value."""
        return RNNState(torch.full_like(like, self.initial_gate))

    def forward(
        self, drives: Drives, states: States, *, with_map: Collection[str], state_at: int | None
    ) -> dict[str, CellOutput]:
        """Run over all frames, the streams side by side; c is kept for the streams in `with_map`.

        Raises:
            ShapeError: the state is of another kind of cell.
        """
        first = [_expect(states[name], RNNState).gate for name in drives]
        outcomes = recurrence(list(drives.values()), self.recurrent, first, [name in with_map for name in drives])
        return {
            name: self._output(outcome, gate, state_at)
            for name, outcome, gate in zip(drives, outcomes, first, strict=True)
        }

    def forward_joint(
        self, drives: Drives, states: States, *, norm: StreamNorm, state_at: int | None
    ) -> dict[str, CellOutput]:
        """The same with batch norm on the whole of c_t, one step after the other (paper-literal).

        Raises:
            ShapeError: the state is of another kind of cell.
        """
        outputs: dict[str, CellOutput] = {}
        for name, drive in drives.items():
            first = gate = _expect(states[name], RNNState).gate
            maps: list[Tensor] = []
            gates: list[Tensor] = []
            for step in fold.parts(drive, gate.shape[0]):
                c = norm.one_step(step + self.recurrent(gate), name)  # (5), normalized
                gate = torch.sigmoid(c)
                maps.append(c)
                gates.append(gate)
            outputs[name] = self._output(Recurrence(torch.cat(maps), torch.cat(gates)), first, state_at)
        return outputs

    @staticmethod
    def _output(outcome: Recurrence, first: Tensor, state_at: int | None) -> CellOutput:
        batch, gates = first.shape[0], outcome.gate
        at = None
        if state_at is not None:
            at = RNNState(_own(gates[(state_at - 1) * batch : state_at * batch]) if state_at else first)
        return CellOutput(outcome.map, gates, RNNState(_own(gates[-batch:])), at)


class LSTMCell(nn.Module):
    """An LSTM without peepholes as the temporal branch; c of Eq. 6 is its cell, the additive memory."""

    drive_factor = 4

    def __init__(self, channels: int, operator: Operator, kernel_size: int, initial_gate: float) -> None:
        """Build the recurrent operator of the four gates."""
        super().__init__()
        del initial_gate  # its feedback is o * tanh(c), which starts at 0
        self.recurrent = operator(channels, 4 * channels, kernel_size=kernel_size, stride=1, bias=False)

    def initial_state(self, like: Float[Tensor, "B C *size"]) -> LSTMState:
        """Zeros."""
        return LSTMState(torch.zeros_like(like), torch.zeros_like(like))

    def forward(
        self, drives: Drives, states: States, *, with_map: Collection[str], state_at: int | None
    ) -> dict[str, CellOutput]:
        """Run over all frames; a drive holds input, forget and output gate and the candidate, in this order.

        Raises:
            ShapeError: the state is of another kind of cell.
        """
        del with_map  # the map is the cell, which is there anyway
        return {name: self._one_stream(drive, states[name], state_at) for name, drive in drives.items()}

    def _one_stream(self, drive: Tensor, state: CellState, state_at: int | None) -> CellOutput:
        hidden, cell = _expect(state, LSTMState)
        states = [LSTMState(hidden, cell)]
        for step in fold.parts(drive, hidden.shape[0]):
            gates = step + self.recurrent(hidden)
            if gates.requires_grad:
                # nothing reads the last hidden: autograd fills in zeros, and not channels last
                _ = gates.register_hook(fold.channels_last)
            to_input, to_forget, to_output, candidate = fold.channel_parts(gates, 4)
            cell = torch.sigmoid(to_forget) * cell + torch.sigmoid(to_input) * torch.tanh(candidate)
            hidden = torch.sigmoid(to_output) * torch.tanh(cell)
            states.append(LSTMState(hidden, cell))
        maps = torch.cat([after.cell for after in states[1:]])
        at = None if state_at is None else states[state_at]
        return CellOutput(maps, torch.sigmoid(maps), states[-1], at)


class GRUCell(nn.Module):
    """Eq. 5 with an update and a reset gate: c_t = (1 - z) c_{t-1} + z (drive_t + Conv_c(r * sigma(c_{t-1})))."""

    drive_factor = 3

    def __init__(self, channels: int, operator: Operator, kernel_size: int, initial_gate: float) -> None:
        """Build the recurrent operators of the two gates and of the candidate."""
        super().__init__()
        self.recurrent = operator(channels, 2 * channels, kernel_size=kernel_size, stride=1, bias=False)
        self.candidate = operator(channels, channels, kernel_size=kernel_size, stride=1, bias=False)
        self.initial_gate = initial_gate

    def initial_state(self, like: Float[Tensor, "B C *size"]) -> GRUState:
        """c_0 = 0 and the option's first gate."""
        return GRUState(torch.zeros_like(like), torch.full_like(like, self.initial_gate))

    def forward(
        self, drives: Drives, states: States, *, with_map: Collection[str], state_at: int | None
    ) -> dict[str, CellOutput]:
        """Run over all frames; a drive holds update gate, reset gate and candidate, in this order.

        Raises:
            ShapeError: the state is of another kind of cell.
        """
        del with_map  # the map is the state, which is there anyway
        return {name: self._one_stream(drive, states[name], state_at) for name, drive in drives.items()}

    def _one_stream(self, drive: Tensor, state: CellState, state_at: int | None) -> CellOutput:
        c, gate = _expect(state, GRUState)
        channels = c.shape[1]
        states = [GRUState(c, gate)]
        for step in fold.parts(drive, c.shape[0]):
            gates_drive, candidate_drive = step.split([2 * channels, channels], dim=1)
            update, reset = fold.channel_parts(torch.sigmoid(gates_drive + self.recurrent(gate)), 2)
            candidate = candidate_drive + self.candidate(reset * gate)
            c = (1 - update) * c + update * candidate
            gate = torch.sigmoid(c)
            states.append(GRUState(c, gate))
        maps = torch.cat([after.map for after in states[1:]])
        gates = torch.cat([after.gate for after in states[1:]])
        return CellOutput(maps, gates, states[-1], None if state_at is None else states[state_at])


class LinearCell(nn.Module):
    """c_t = z_t c_{t-1} + (1 - z_t) d_t, where Conv_u gives z and d: linear in c, and no convolution waits for a step.

    In the manner of gated linear recurrences (Martin and Cundy 2018). What happened elsewhere in the map reaches a
    place through the layers above alone.
    """

    drive_factor = 2

    def __init__(self, channels: int, operator: Operator, kernel_size: int, initial_gate: float) -> None:
        """There is nothing to build."""
        super().__init__()
        del channels, operator, kernel_size, initial_gate  # no Conv_c; c_0 = 0 says what the first gate would be

    def initial_state(self, like: Float[Tensor, "B C *size"]) -> LinearState:
        """c_0 = 0."""
        return LinearState(torch.zeros_like(like))

    def forward(
        self, drives: Drives, states: States, *, with_map: Collection[str], state_at: int | None
    ) -> dict[str, CellOutput]:
        """Run over all frames; a drive holds z before its sigmoid and d, in this order.

        Raises:
            ShapeError: the state is of another kind of cell.
        """
        del with_map  # the map is the state, which is there anyway
        return {name: self._one_stream(drive, states[name], state_at) for name, drive in drives.items()}

    @staticmethod
    def _one_stream(drive: Tensor, state: CellState, state_at: int | None) -> CellOutput:
        c = _expect(state, LinearState).map
        to_keep, new = fold.channel_parts(drive, 2)
        keep = torch.sigmoid(to_keep)
        maps = [c]
        for step_keep, step_new in zip(fold.parts(keep, c.shape[0]), fold.parts(new, c.shape[0]), strict=True):
            c = torch.lerp(step_new, c, step_keep)
            maps.append(c)
        whole = torch.cat(maps[1:])
        at = None if state_at is None else LinearState(maps[state_at])
        return CellOutput(whole, torch.sigmoid(whole), LinearState(c), at)


TemporalCell = RNNCell | LSTMCell | GRUCell | LinearCell


def build_cell(cell: Cell, channels: int, operator: Operator, kernel_size: int, initial_gate: float) -> TemporalCell:
    """Build a temporal branch by its name."""
    kinds: dict[Cell, type[RNNCell] | type[LSTMCell] | type[GRUCell] | type[LinearCell]] = {
        "rnn": RNNCell,
        "lstm": LSTMCell,
        "gru": GRUCell,
        "linear": LinearCell,
    }
    return kinds[cell](channels, operator, kernel_size, initial_gate)


def _own(gate: Tensor) -> Tensor:
    """One frame's gate in memory of its own: a view would keep the gates of all frames alive as long as the state."""
    return gate.clone()


_State = TypeVar("_State", RNNState, LSTMState, GRUState, LinearState)


def _expect(state: CellState, kind: type[_State]) -> _State:
    if not isinstance(state, kind):
        raise ShapeError(
            f"state: expected a {kind.__name__}, got {type(state).__name__}. "
            "It comes from a network with another temporal cell; start with state=None."
        )
    return state
