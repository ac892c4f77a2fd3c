"""Networks that look at every frame alone, and what remembers them by an LSTM: the usual rivals (LRCN).

A trunk maps rows (N C H W) to smaller maps. `Framewise` gives its maps as they are; `FramewiseLSTM` averages them over
the cells of a grid and puts an LSTM over the frames. Both have the signature of `SemiCoupledStack`, so that what trains
one trains the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, cast

from torch import nn

from semicoupled.networks.lstm_over_frames import Remembered, initial_memory, recurrent_weight, remember
from semicoupled.nn import fold
from semicoupled.nn.gather import recorded_layers
from semicoupled.nn.recurrent import check_clip
from semicoupled.nn.shapes import Float, Tensor
from semicoupled.nn.streams import LayerRecord, MapName, Outputs, StackState, Stream
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
            record=feature_records(maps, count, record, record_layers),
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
        records = feature_records(maps, count, record, record_layers)
        return remembered_outputs(remember(self.lstm, maps[-1], self.grid, count, state, state_at), records)

    def step(
        self, frame: Float[Tensor, "B C H W"], state: StackState | None = None
    ) -> tuple[Float[Tensor, "B D 1 1"], StackState]:
        """Run one frame; see `SemiCoupledStack.step`."""
        outputs = self(frame[:, None], state)
        return outputs.main[:, 0], outputs.state

    def initial_state(self, batch: int, size: Sequence[int]) -> StackState:
        """Zeros; the size of the frames plays no part."""
        del size
        return initial_memory(self.lstm, batch)

    def recurrent_parameters(self) -> Iterator[nn.Parameter]:
        """Weights between one hidden state and the next, whose gradients are clamped (Sec. 5.9)."""
        yield recurrent_weight(self.lstm)


def _run(trunk: nn.Module, frames: Tensor) -> list[Tensor]:
    return trunk(fold.fold(frames))


def feature_records(
    maps: Sequence[Tensor], count: int, record: Sequence[MapName], layers: Sequence[int] | None
) -> tuple[LayerRecord, ...]:
    """Give the `features` of layers, where they are asked for.

    Args:
        maps: of all layers, time-major rows N C h w.
        count: frames of the clip.
        record: names of the maps that are asked for.
        layers: which layers, counted from 0 or from the end; None for all.

    Raises:
        ShapeError: there is no such map, or no such layer.
    """
    chosen = recorded_layers(record, layers, len(maps))
    if "features" not in record:
        return ()
    return tuple(LayerRecord(index, "main", None, None, None, fold.unfold(maps[index], count)) for index in chosen)


def remembered_outputs(remembered: Remembered, records: tuple[LayerRecord, ...]) -> Outputs:
    """Give the outputs of a network whose only stream is what an LSTM remembers.

    Args:
        remembered: what the LSTM gave.
        records: the maps below it that were asked for.
    """
    return Outputs(
        main=remembered.main,
        spatial=None,
        temporal=None,
        state=remembered.state,
        state_at=remembered.state_at,
        record=records,
    )
