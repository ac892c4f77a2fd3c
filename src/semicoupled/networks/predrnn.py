"""PredRNN, the rival (Wang et al. 2017): a stack of ST-LSTM layers through which one memory M runs in a zigzag.

Y. Wang, M. Long, J. Wang, Z. Gao, P. S. Yu: PredRNN: Recurrent Neural Networks for Predictive Learning using
Spatiotemporal LSTMs, NeurIPS 2017, Sec. 3. Written from its equations, without the layer norms and the forget bias of
released code. M goes up through the layers at one time step, and from the top layer to the bottom one at the next. So
unlike in the other stacks, no layer can run over all frames before the layer above it has seen the first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

import torch
from torch import nn

from semicoupled.errors import ShapeError
from semicoupled.nn import fold
from semicoupled.nn.gather import recorded_layers
from semicoupled.nn.norm import Norm, StreamNorm
from semicoupled.nn.operators import conv2d
from semicoupled.nn.recurrent import check_clip
from semicoupled.nn.shapes import Float, Tensor
from semicoupled.nn.shortcut import Passing, Shortcuts
from semicoupled.nn.size import strided
from semicoupled.nn.streams import (
    CellState,
    LayerRecord,
    LSTMState,
    MapName,
    Outputs,
    StackState,
    STLSTMState,
    Stream,
    fitting,
)
from semicoupled.nn.switch import Switching


class STLSTMLayer(nn.Module):
    """The ST-LSTM (Wang et al. 2017, Sec. 3.2), layer l at time t; * convolves, [ , ] joins channels.

    i, f = sigmoid(W_x * X + W_h * H_{t-1} + b), g = tanh(W_x * X + W_h * H_{t-1} + b); C_t = f C_{t-1} + i g;
    i', f' = sigmoid(W'_x * X + W_m * M^{l-1} + b'), g' = tanh(W'_x * X + W_m * M^{l-1} + b'); M^l = f' M^{l-1} + i' g';
    o = sigmoid(W_xo * X + W_ho * H_{t-1} + W_co * C_t + W_mo * M^l + b_o); H_t = o tanh(W_1x1 * [C_t, M^l]).
    """

    def __init__(self, in_channels: int, out_channels: int, *, kernel_size: int = 3, stride: int = 1) -> None:
        """Build the layer; the stride sits on the input's convolution."""
        super().__init__()
        self.out_channels = out_channels
        self.input = conv2d(in_channels, 7 * out_channels, kernel_size=kernel_size, stride=stride, bias=True)
        self.recurrent = conv2d(out_channels, 4 * out_channels, kernel_size=kernel_size, stride=1, bias=False)
        self.memory = conv2d(out_channels, 3 * out_channels, kernel_size=kernel_size, stride=1, bias=False)
        self.output = conv2d(2 * out_channels, out_channels, kernel_size=kernel_size, stride=1, bias=False)
        self.mixture = conv2d(2 * out_channels, out_channels, kernel_size=1, stride=1, bias=False)

    def advance(
        self,
        drive: Float[Tensor, "B C7 H W"],
        hidden: Float[Tensor, "B C H W"],
        cell: Float[Tensor, "B C H W"],
        memory: Float[Tensor, "B C H W"],
    ) -> STLSTMState:
        """One time step.

        Args:
            drive: what `input` made of the frame: i, f, g, o, i', f', g', in this order.
            hidden: H of the time step before.
            cell: C of the time step before.
            memory: M of the layer below; for the bottom layer, M of the top layer at the time step before.
        """
        width = self.out_channels
        to_cell, to_memory = drive.split([4 * width, 3 * width], dim=1)
        to_input, to_forget, candidate, to_output = fold.channel_parts(to_cell + self.recurrent(hidden), 4)
        cell = torch.sigmoid(to_forget) * cell + torch.sigmoid(to_input) * torch.tanh(candidate)
        to_input, to_forget, candidate = fold.channel_parts(to_memory + self.memory(memory), 3)
        memory = torch.sigmoid(to_forget) * memory + torch.sigmoid(to_input) * torch.tanh(candidate)
        both = torch.cat([cell, memory], dim=1)
        hidden = torch.sigmoid(to_output + self.output(both)) * torch.tanh(self.mixture(both))
        return STLSTMState(hidden, cell, memory)

    def recurrent_parameters(self) -> Iterator[nn.Parameter]:
        """W_h and W_m, which read what went before: H of this layer, and M on its way through layers and time."""
        yield from self.recurrent.parameters()
        yield from self.memory.parameters()


class PredRNN(nn.Module):
    """ST-LSTM layers with the signature of `SemiCoupledStack`; `forward`, `step`, `initial_state` as there.

    As in all rivals there is the main stream alone. The state is explicit: H and C of every layer, and with those of
    the top layer the M that the bottom layer receives next.
    """

    def __init__(
        self,
        in_channels: int,
        widths: Sequence[int],
        *,
        kernel_size: int = 3,
        strides: int | Sequence[int] = 1,
        norm: Norm = "none",
        shortcut_every: int | None = None,
    ) -> None:
        """Build the stack.

        Args:
            in_channels: channels of the frames.
            widths: channels of each layer; the same for all, as M goes from each to the next.
            kernel_size: of all convolutions but W_1x1, odd.
            strides: of the input's convolutions, one number or one for each layer; 1 above the first layer.
            norm: of what the input's convolution gives: `group` or `none`.
            shortcut_every: layers that a shortcut spans, counted from the second layer on; None for none (paper). It
                is added to what goes up, not to what a layer feeds back to itself.

        Raises:
            ShapeError: an option does not fit.
        """
        super().__init__()
        depth = len(widths)
        if norm in ("batch", "joint"):
            raise ShapeError(
                f"norm: expected 'group' or 'none', got {norm!r}. Its statistics are of all frames of a layer, and in "
                "PredRNN a layer's second frame waits for the top layer's first."
            )
        if depth == 0 or len(set(widths)) != 1:
            raise ShapeError(
                f"widths: expected the same number of channels for each layer, as one memory goes through all of them, "
                f"got {list(widths)}."
            )
        self.strides = (strides,) * depth if isinstance(strides, int) else tuple(strides)
        if len(self.strides) != depth or set(self.strides[1:]) - {1}:
            raise ShapeError(
                f"strides: expected one for each of {depth} layers, and 1 above the first, as one memory goes through "
                f"all of them, got {strides}."
            )
        self.in_channels = in_channels
        self.out_channels = widths[-1]
        inputs = [in_channels, *widths[:-1]]
        self.layers = nn.ModuleList(
            STLSTMLayer(inputs[i], widths[i], kernel_size=kernel_size, stride=self.strides[i]) for i in range(depth)
        )
        self.norms = nn.ModuleList(StreamNorm(7 * width, norm, ("main",)) for width in widths)
        self.shortcuts = Shortcuts(in_channels, widths, self.strides, every=shortcut_every, operator=conv2d, norm=norm)

    @property
    def depth(self) -> int:
        """Number of layers."""
        return len(self.layers)

    def forward(
        self,
        frames: Float[Tensor, "B T C H W"],
        state: StackState | None = None,
        *,
        streams: Sequence[Stream] = ("main",),
        switch: Switching | None = None,
        state_at: int | None = None,
        record: Sequence[MapName] = (),
        record_layers: Sequence[int] | None = None,
    ) -> Outputs:
        """Run a clip; see `SemiCoupledStack.forward`. Of the maps there are `features` alone.

        Raises:
            ShapeError: a stream other than `main`, a switch, or frames, a state, or a map's or layer's name that do
                not fit.
        """
        count, batch = check_clip(frames, self.in_channels, streams, switch, state_at), frames.shape[0]
        drives = self._drive(0, fold.channels_last(self._layer(0).input(fold.fold(frames))), count)
        like = drives[:batch, : self.out_channels]
        cells = _zeros(like, self.depth) if state is None else self._checked(state, like)
        at = StackState(cells, None) if state_at == 0 else None
        recorded = recorded_layers(record, record_layers, self.depth)
        kept: dict[int, list[Tensor]] = {index: [] for index in recorded if "features" in record}
        tops: list[Tensor] = []
        for time, drive in enumerate(fold.parts(drives, batch), 1):
            levels, cells = self._advance(drive, cells)
            tops.append(levels[-1])
            for index, features in kept.items():
                features.append(levels[index])
            if state_at == time:
                at = StackState(cells, None)
        return Outputs(
            main=fold.unfold(torch.cat(tops), count),
            spatial=None,
            temporal=None,
            state=StackState(cells, None),
            state_at=at,
            record=tuple(
                LayerRecord(index, "main", None, None, None, fold.unfold(torch.cat(features), count))
                for index, features in kept.items()
            ),
        )

    def _advance(
        self, drive: Float[Tensor, "B C7 H W"], cells: tuple[CellState, ...]
    ) -> tuple[list[Tensor], tuple[CellState, ...]]:
        """One time step of all layers: the features behind each, and the state after it."""
        memory = cast("STLSTMState", cells[-1]).memory  # M^0_t = M^L_{t-1}
        rows, levels, after = drive, list[Tensor](), list[CellState]()
        passing = Passing(self.shortcuts, 1)
        for index, before in enumerate(cells):
            layer = self._layer(index)
            if index:
                passing.leave(index, {"main": rows})
                drive = self._drive(index, layer.input(rows), 1)
            step = layer.advance(drive, before[0], cast("LSTMState | STLSTMState", before).cell, memory)
            memory = step.memory
            after.append(LSTMState(step.hidden, step.cell) if index + 1 < self.depth else step)
            rows = passing.land(index, {"main": step.hidden})["main"]
            levels.append(rows)
        return levels, tuple(after)

    def _drive(self, index: int, rows: Float[Tensor, "N C7 H W"], count: int) -> Float[Tensor, "N C7 H W"]:
        """What a layer's input gives, normalized."""
        return cast("StreamNorm", self.norms[index])(rows, "main", count)

    def _layer(self, index: int) -> STLSTMLayer:
        return cast("STLSTMLayer", self.layers[index])

    def _checked(self, state: StackState, like: Float[Tensor, "B C H W"]) -> tuple[CellState, ...]:
        """The cells of a state that fits.

        Raises:
            ShapeError: it is of another kind of stack, of another depth, or of another batch or size.
        """
        given = tuple(type(cell).__name__ for cell in state.main or ())
        expected = (*[LSTMState.__name__] * (self.depth - 1), STLSTMState.__name__)
        if given != expected:
            raise ShapeError(
                f"state: expected {', '.join(expected)}, got {', '.join(given) or 'none'}. Pass what `initial_state` "
                "or the last call of a PredRNN of this depth gave."
            )
        return tuple(fitting(cell, like) for cell in state.main or ())

    def step(
        self, frame: Float[Tensor, "B C H W"], state: StackState | None = None
    ) -> tuple[Float[Tensor, "B D H2 W2"], StackState]:
        """Run one frame; see `SemiCoupledStack.step`."""
        outputs: Outputs = self(frame[:, None], state)
        assert outputs.main is not None  # it is the only stream
        return outputs.main[:, 0], outputs.state

    def initial_state(self, batch: int, size: Sequence[int]) -> StackState:
        """The state before the first frame, the same as passing None; `size` is (H, W)."""
        like = next(self.parameters()).new_empty((batch, self.out_channels, *self.output_size(size)))
        return StackState(_zeros(like, self.depth), None)

    def output_size(self, size: Sequence[int]) -> tuple[int, ...]:
        """Spatial size of the output for frames of a size."""
        return strided(size, self.strides[0])

    def recurrent_parameters(self) -> Iterator[nn.Parameter]:
        """W_h and W_m of all layers, whose gradients are clamped (Sec. 5.9)."""
        for index in range(self.depth):
            yield from self._layer(index).recurrent_parameters()

    def normed(self) -> Iterator[tuple[nn.Module, StreamNorm]]:
        """The input's operator of each layer with its norm (see `folding`)."""
        for index, norm in enumerate(self.norms):
            yield self._layer(index).input, cast("StreamNorm", norm)


def _zeros(like: Float[Tensor, "B C H W"], depth: int) -> tuple[CellState, ...]:
    """H, C and M before the first frame."""
    zeros = [torch.zeros_like(like) for _ in range(2 * depth + 1)]
    layers = [LSTMState(zeros[2 * index], zeros[2 * index + 1]) for index in range(depth - 1)]
    return (*layers, STLSTMState(*zeros[-3:]))
