"""CNN+LSTM: a CNN on every frame, an average over the cells of a grid, an LSTM over the frames (LRCN). The usual rival.

It has the depth, the widths, the strides and the shortcuts of the `SemiCoupledStack` that it is compared with, and the
same signature, so that what trains one trains the other. Its output is a vector for each frame (B T C 1 1).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

import torch
import torch.nn.functional as F
from torch import nn

from semicoupled.errors import ShapeError
from semicoupled.networks.grid import grid_mean
from semicoupled.nn import fold
from semicoupled.nn.norm import Norm, StreamNorm
from semicoupled.nn.operators import conv2d
from semicoupled.nn.recurrent import check_clip
from semicoupled.nn.shapes import Float, Tensor
from semicoupled.nn.shortcut import Passing, Shortcuts
from semicoupled.nn.streams import LayerRecord, LSTMState, MapName, Outputs, StackState, Stream
from semicoupled.nn.switch import Switching


class CNNLSTM(nn.Module):
    """A CNN, a coarse grid, an LSTM over the frames; `forward` and `step` as in `SemiCoupledStack`."""

    def __init__(
        self,
        in_channels: int,
        widths: Sequence[int],
        *,
        hidden: int | None = None,
        grid: int = 1,
        kernel_size: int = 3,
        strides: int | Sequence[int] = 1,
        norm: Norm = "batch",
        shortcut_every: int | None = 2,
    ) -> None:
        """Build the network.

        Args:
            in_channels: channels of the frames.
            widths: channels of each convolution.
            hidden: width of the LSTM; the last of `widths` if None.
            grid: the last map is averaged over the cells of a grid x grid, which the LSTM sees side by side. 1 is a
                global average, which tells what is there but not where.
            kernel_size: of all convolutions, odd.
            strides: of the convolutions, one number or one for each layer.
            norm: behind each convolution; `joint` does not exist here.
            shortcut_every: layers that a shortcut spans, counted from the second layer on; None for none.

        Raises:
            ShapeError: an option does not fit.
        """
        super().__init__()
        if norm == "joint":
            raise ShapeError("norm: 'joint' is a form of Eq. 5 and not of a rival; take 'batch', 'group' or 'none'.")
        depth = len(widths)
        self.strides = (strides,) * depth if isinstance(strides, int) else tuple(strides)
        if depth == 0 or len(self.strides) != depth:
            raise ShapeError(f"strides: expected one number, or one for each of {depth} layers, got {strides}.")
        inputs = [in_channels, *widths[:-1]]
        self.in_channels = in_channels
        self.out_channels = hidden or widths[-1]
        self.convolutions = nn.ModuleList(
            conv2d(inputs[i], widths[i], kernel_size=kernel_size, stride=self.strides[i], bias=True)
            for i in range(depth)
        )
        self.norms = nn.ModuleList(StreamNorm(width, norm, ("main",)) for width in widths)
        self.shortcuts = Shortcuts(in_channels, widths, self.strides, every=shortcut_every, operator=conv2d, norm=norm)
        self.grid = grid
        self.lstm = nn.LSTM(widths[-1] * grid**2, self.out_channels)

    @property
    def depth(self) -> int:
        """Number of convolutions that look for features."""
        return len(self.convolutions)

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
        """Run a clip; see `SemiCoupledStack.forward`. Of the maps there are the `features` of the CNN alone.

        Returns:
            What the LSTM makes of each frame, B T C 1 1, and its state.

        Raises:
            ShapeError: a stream other than `main`, a switch, or frames that do not fit.
        """
        count = check_clip(frames, self.in_channels, streams, switch, state_at)
        chosen = range(self.depth) if record_layers is None else {index % self.depth for index in record_layers}
        records: list[LayerRecord] = []
        rows = fold.fold(frames)
        passing = Passing(self.shortcuts, count)
        for index, (convolution, norm) in enumerate(zip(self.convolutions, self.norms, strict=True)):
            passing.leave(index, {"main": rows})
            rows = torch.relu(cast(StreamNorm, norm)(convolution(rows), "main", count))
            rows = passing.land(index, {"main": rows})["main"]
            if "features" in record and index in chosen:
                records.append(LayerRecord(index, "main", None, None, None, fold.unfold(rows, count)))
        if rows.requires_grad:
            _ = rows.register_hook(fold.channels_last)  # the pool's gradient is not
        cells = grid_mean(rows, (self.grid, self.grid)).flatten(1)
        pooled = cells.unflatten(0, (count, -1))  # T B C
        first = self._memory(state, pooled)
        if state_at is None or state_at in (0, count):
            hidden, last = self._remember(pooled, first)
            at = first if state_at == 0 else last
        else:
            early, at = self.lstm(pooled[:state_at], first)
            late, last = self.lstm(pooled[state_at:], at)
            hidden = torch.cat([early, late])
        return Outputs(
            main=hidden.transpose(0, 1)[..., None, None],
            spatial=None,
            temporal=None,
            state=_state(last),
            state_at=None if state_at is None else _state(at),
            record=tuple(records),
        )

    def step(
        self, frame: Float[Tensor, "B C H W"], state: StackState | None = None
    ) -> tuple[Float[Tensor, "B C2 1 1"], StackState]:
        """Run one frame; see `SemiCoupledStack.step`."""
        outputs = self(frame[:, None], state)
        return outputs.main[:, 0], outputs.state

    def initial_state(self, batch: int, size: Sequence[int]) -> StackState:
        """Zeros, the same as passing None; the size of the frames plays no part."""
        del size
        zeros = cast(Tensor, self.lstm.weight_hh_l0).new_zeros(batch, self.out_channels)
        return StackState(main=(LSTMState(zeros, zeros),), temporal=None)

    def output_size(self, size: Sequence[int]) -> tuple[int, ...]:
        """Spatial size of the output: one cell, whatever the size of the frames."""
        return (1,) * len(size)

    def recurrent_parameters(self) -> Iterator[nn.Parameter]:
        """Weights between one hidden state and the next, whose gradients are clamped (Sec. 5.9)."""
        yield cast(nn.Parameter, self.lstm.weight_hh_l0)

    def normed(self) -> Iterator[tuple[nn.Module, StreamNorm]]:
        """Each convolution with its norm (see `semicoupled.nn.folding`)."""
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            yield convolution, cast(StreamNorm, norm)

    def _remember(self, pooled: Tensor, first: tuple[Tensor, Tensor]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """The LSTM over T B C; an export of one step has it gate by gate, because ONNX would get it for whole clips."""
        if not torch.compiler.is_exporting():
            return self.lstm(pooled, first)
        hidden, cell = first[0][0], first[1][0]
        lstm, outputs = self.lstm, list[Tensor]()
        for frame in pooled.unbind():
            drive = F.linear(frame, cast(Tensor, lstm.weight_ih_l0), cast(Tensor, lstm.bias_ih_l0))
            gates = drive + F.linear(hidden, cast(Tensor, lstm.weight_hh_l0), cast(Tensor, lstm.bias_hh_l0))
            to_input, to_forget, candidate, to_output = fold.channel_parts(gates, 4)
            cell = torch.sigmoid(to_forget) * cell + torch.sigmoid(to_input) * torch.tanh(candidate)
            hidden = torch.sigmoid(to_output) * torch.tanh(cell)
            outputs.append(hidden)
        return torch.stack(outputs), (hidden[None], cell[None])

    def _memory(self, state: StackState | None, pooled: Tensor) -> tuple[Tensor, Tensor]:
        batch = pooled.shape[1]
        if state is None:
            zeros = pooled.new_zeros(1, batch, self.out_channels)
            return zeros, zeros
        cells = state.main or ()
        if len(cells) != 1 or not isinstance(cells[0], LSTMState) or cells[0].hidden.shape[0] != batch:
            raise ShapeError(
                f"state: expected the LSTM's state of {batch} samples, got {len(cells)} layers. Pass what the last "
                "call returned, for the same batch, or start with state=None."
            )
        return cells[0].hidden[None].to(pooled.dtype), cells[0].cell[None].to(pooled.dtype)


def _state(memory: tuple[Tensor, Tensor]) -> StackState:
    hidden, cell = memory
    return StackState(main=(LSTMState(hidden[0], cell[0]),), temporal=None)
