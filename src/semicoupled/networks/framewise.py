"""Networks that look at every frame alone, and what remembers them by an LSTM: the usual rivals (LRCN).

A trunk maps rows (N C H W) to smaller maps. `Framewise` gives its maps as they are; `FramewiseLSTM` averages them over
the cells of a grid and puts an LSTM over the frames. Both have the signature of `SemiCoupledStack`, so that what trains
one trains the other.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from typing import Protocol, cast

import torch
import torch.nn.functional as F
from torch import nn

from semicoupled.errors import MissingExtraError, ShapeError
from semicoupled.networks.grid import grid_mean
from semicoupled.nn import fold
from semicoupled.nn.norm import Norm, StreamNorm
from semicoupled.nn.operators import conv2d
from semicoupled.nn.recurrent import check_clip
from semicoupled.nn.shapes import Float, Tensor
from semicoupled.nn.shortcut import Passing, Shortcuts
from semicoupled.nn.streams import LayerRecord, LSTMState, MapName, Outputs, StackState, Stream
from semicoupled.nn.switch import Switching


class Trunk(Protocol):
    """A network on single frames; always an ``nn.Module``."""

    in_channels: int
    out_channels: int

    @property
    def depth(self) -> int:
        """Number of layers."""
        ...

    def __call__(self, rows: Float[Tensor, "N C H W"]) -> list[Tensor]:
        """Give the maps of all layers, N C h w each; the last one is the result."""
        ...


class ResidualTrunk(nn.Module):
    """Convolutions with norms and shortcuts: the spatial branch of a `SemiCoupledStack`, and nothing else."""

    def __init__(
        self,
        in_channels: int,
        widths: Sequence[int],
        *,
        kernel_size: Sequence[int],
        strides: Sequence[int],
        norm: Norm = "batch",
        shortcut_every: int | None = 2,
        pool_first: bool = False,
    ) -> None:
        """Build the trunk.

        Args:
            in_channels: channels of the frames.
            widths: channels of each layer.
            kernel_size: of each layer, odd.
            strides: of each layer.
            norm: behind each convolution; `joint` does not exist here.
            shortcut_every: layers that a shortcut spans, counted from the second layer on; None for none.
            pool_first: a 3x3 max-pool with stride 2 behind the first layer.

        Raises:
            ShapeError: an option does not fit.
        """
        super().__init__()
        if norm == "joint":
            raise ShapeError("norm: 'joint' is a form of Eq. 5 and not of a rival; take 'batch', 'group' or 'none'.")
        if not widths or not len(widths) == len(kernel_size) == len(strides):
            raise ShapeError(
                f"strides: expected widths, kernels and strides for the same layers, got {len(widths)}, "
                f"{len(kernel_size)} and {len(strides)}."
            )
        inputs = [in_channels, *widths[:-1]]
        self.in_channels, self.out_channels, self.pool_first = in_channels, widths[-1], pool_first
        self.convolutions = nn.ModuleList(
            conv2d(entering, leaving, kernel_size=kernel, stride=stride, bias=True)
            for entering, leaving, kernel, stride in zip(inputs, widths, kernel_size, strides, strict=True)
        )
        self.norms = nn.ModuleList(StreamNorm(width, norm, ("main",)) for width in widths)
        self.shortcuts = Shortcuts(in_channels, widths, strides, every=shortcut_every, operator=conv2d, norm=norm)

    @property
    def depth(self) -> int:
        """Number of convolutions."""
        return len(self.convolutions)

    def forward(self, rows: Float[Tensor, "N C H W"]) -> list[Tensor]:
        """Run frames, each alone."""
        maps: list[Tensor] = []
        passing = Passing(self.shortcuts, 1)
        for index, (convolution, norm) in enumerate(zip(self.convolutions, self.norms, strict=True)):
            passing.leave(index, {"main": rows})
            rows = torch.relu(cast(StreamNorm, norm)(convolution(rows), "main", 1))
            rows = passing.land(index, {"main": rows})["main"]
            maps.append(rows)
            if index == 0 and self.pool_first:
                rows = F.max_pool2d(rows, 3, 2, 1)
        return maps

    def normed(self) -> Iterator[tuple[nn.Module, StreamNorm]]:
        """Each convolution with its norm (see `semicoupled.nn.folding`)."""
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            yield convolution, cast(StreamNorm, norm)


class TorchvisionTrunk(nn.Module):
    """A named network of torchvision without its head, untrained."""

    def __init__(self, name: str) -> None:
        """Build the network.

        Args:
            name: ``resnet18`` or ``vgg16_bn``.

        Raises:
            MissingExtraError: torchvision is not installed, or does not fit torch.
        """
        super().__init__()
        try:
            models = importlib.import_module("torchvision.models")
        except (ImportError, RuntimeError) as error:
            raise MissingExtraError(
                f"{name} comes from torchvision, which cannot be imported ({error}). Install it: "
                "pip install torchvision"
            ) from error
        whole = getattr(models, name)(weights=None)
        parts = list(whole.children())[:-2] if name == "resnet18" else list(whole.features)
        self.body = nn.Sequential(*parts)
        self.in_channels = 3
        self.out_channels = 512

    @property
    def depth(self) -> int:
        """Number of convolutions with a kernel above 1."""
        return sum(isinstance(part, nn.Conv2d) and part.kernel_size[0] > 1 for part in self.body.modules())

    def forward(self, rows: Float[Tensor, "N 3 H W"]) -> list[Tensor]:
        """Run frames, each alone."""
        return [self.body(rows)]


class Framewise(nn.Module):
    """A trunk on each frame of a clip; it remembers nothing."""

    def __init__(self, trunk: Trunk) -> None:
        """Take the trunk."""
        super().__init__()
        self.trunk = cast(nn.Module, trunk)
        self.in_channels, self.out_channels, self._depth = trunk.in_channels, trunk.out_channels, trunk.depth

    @property
    def depth(self) -> int:
        """Number of layers."""
        return self._depth

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
        """Run a clip; see `SemiCoupledStack.forward`. Of the maps there are the `features` alone; the state is empty.

        Raises:
            ShapeError: a stream other than `main`, a switch, or frames that do not fit.
        """
        del state
        count = check_clip(frames, self.in_channels, streams, switch, state_at)
        maps = _run(self.trunk, frames)
        nothing = StackState(main=(), temporal=None)
        return Outputs(
            main=fold.unfold(maps[-1], count),
            spatial=None,
            temporal=None,
            state=nothing,
            state_at=None if state_at is None else nothing,
            record=_records(maps, count, record, record_layers),
        )

    def step(
        self, frame: Float[Tensor, "B C H W"], state: StackState | None = None
    ) -> tuple[Float[Tensor, "B D h w"], StackState]:
        """Run one frame; see `SemiCoupledStack.step`."""
        outputs = self(frame[:, None], state)
        return outputs.main[:, 0], outputs.state

    def initial_state(self, batch: int, size: Sequence[int]) -> StackState:
        """Nothing."""
        del batch, size
        return StackState(main=(), temporal=None)

    def recurrent_parameters(self) -> Iterator[nn.Parameter]:
        """None."""
        yield from ()


class FramewiseLSTM(nn.Module):
    """A trunk on each frame, a grid of means, an LSTM over the frames (LRCN, Donahue et al. 2015)."""

    def __init__(self, trunk: Trunk, hidden: int, grid: tuple[int, int] = (1, 1)) -> None:
        """Put an LSTM on a trunk.

        Args:
            trunk: the network on single frames.
            hidden: width of the LSTM.
            grid: rows and columns of cells that the last map is averaged over; the LSTM sees them side by side.
        """
        super().__init__()
        self.trunk = cast(nn.Module, trunk)
        self.in_channels, self.out_channels, self._depth = trunk.in_channels, hidden, trunk.depth
        self.grid = grid
        self.lstm = nn.LSTM(trunk.out_channels * grid[0] * grid[1], hidden)

    @property
    def depth(self) -> int:
        """Number of layers of the trunk."""
        return self._depth

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
        """Run a clip; see `SemiCoupledStack.forward`. Of the maps there are the `features` of the trunk alone.

        Returns:
            What the LSTM makes of each frame, B T C 1 1, and its state.

        Raises:
            ShapeError: a stream other than `main`, a switch, frames or a state that do not fit.
        """
        count = check_clip(frames, self.in_channels, streams, switch, state_at)
        maps = _run(self.trunk, frames)
        if maps[-1].requires_grad:
            _ = maps[-1].register_hook(fold.channels_last)  # the pool's gradient is not
        pooled = grid_mean(maps[-1], self.grid).flatten(1).unflatten(0, (count, -1))  # T B C
        first = self._memory(state, pooled)
        if state_at is None or state_at in (0, count):
            hidden, last = self._remember(pooled, first)
            at = first if state_at == 0 else last
        else:
            early, at = self._remember(pooled[:state_at], first)
            late, last = self._remember(pooled[state_at:], at)
            hidden = torch.cat([early, late])
        return Outputs(
            main=hidden.transpose(0, 1)[..., None, None],
            spatial=None,
            temporal=None,
            state=_state(last),
            state_at=None if state_at is None else _state(at),
            record=_records(maps, count, record, record_layers),
        )

    def step(
        self, frame: Float[Tensor, "B C H W"], state: StackState | None = None
    ) -> tuple[Float[Tensor, "B D 1 1"], StackState]:
        """Run one frame; see `SemiCoupledStack.step`."""
        outputs = self(frame[:, None], state)
        return outputs.main[:, 0], outputs.state

    def initial_state(self, batch: int, size: Sequence[int]) -> StackState:
        """Zeros; the size of the frames plays no part."""
        del size
        zeros = cast(Tensor, self.lstm.weight_hh_l0).new_zeros(batch, self.out_channels)
        return StackState(main=(LSTMState(zeros, zeros),), temporal=None)

    def recurrent_parameters(self) -> Iterator[nn.Parameter]:
        """Weights between one hidden state and the next, whose gradients are clamped (Sec. 5.9)."""
        yield cast(nn.Parameter, self.lstm.weight_hh_l0)

    def _remember(self, pooled: Tensor, memory: tuple[Tensor, Tensor]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """The LSTM over T B C; an export of one step has it gate by gate, because ONNX would get it for whole clips."""
        if not torch.compiler.is_exporting():
            return self.lstm(pooled, memory)
        hidden, cell = memory[0][0], memory[1][0]
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


def _run(trunk: nn.Module, frames: Tensor) -> list[Tensor]:
    return trunk(fold.fold(frames))


def _records(
    maps: Sequence[Tensor], count: int, record: Sequence[MapName], layers: Sequence[int] | None
) -> tuple[LayerRecord, ...]:
    if "features" not in record:
        return ()
    chosen = range(len(maps)) if layers is None else sorted({index % len(maps) for index in layers})
    return tuple(LayerRecord(index, "main", None, None, None, fold.unfold(maps[index], count)) for index in chosen)


def _state(memory: tuple[Tensor, Tensor]) -> StackState:
    hidden, cell = memory
    return StackState(main=(LSTMState(hidden[0], cell[0]),), temporal=None)
