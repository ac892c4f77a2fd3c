"""What the rivals share: a stack of recurrent layers with the signature of `SemiCoupledStack`.

Rivals have no branches: there is the main stream alone, and a switch would have nothing to decouple. Shortcuts and
normalization follow the same rules as ours, so that a comparison is about the layer. As in ours, all that does not
depend on the state runs for all frames at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol, cast, runtime_checkable

import torch
from torch import nn

from semicoupled.errors import ShapeError
from semicoupled.nn import fold
from semicoupled.nn.gather import recorded_layers
from semicoupled.nn.norm import Norm, StreamNorm, refuse_joint
from semicoupled.nn.operators import conv2d
from semicoupled.nn.per_layer import per_layer
from semicoupled.nn.shapes import Float, Tensor
from semicoupled.nn.shortcut import Passing, Shortcuts
from semicoupled.nn.size import strided_sizes
from semicoupled.nn.streams import CellState, LayerRecord, MapName, Outputs, StackState, Stream, check_streams, fitting
from semicoupled.nn.switch import Switching


@runtime_checkable
class RecurrentLayer(Protocol):
    """One layer: a map of the input, and a step in time."""

    out_channels: int
    input: nn.Module

    def initial_state(self, like: Tensor) -> CellState:
        """The state before the first frame, B C *size as `like`."""
        ...

    def advance(self, drive: Tensor, state: CellState) -> CellState:
        """One time step, given what `input` made of the frame, B D H W; the state's first entry is the output."""
        ...

    def recurrent_parameters(self) -> Iterator[nn.Parameter]:
        """Weights of the recurrent convolutions."""
        ...


@runtime_checkable
class LayerBuilder(Protocol):
    """Builds one layer."""

    def __call__(self, in_channels: int, out_channels: int, *, kernel_size: int, stride: int) -> Any:
        """Build the layer."""
        ...


class RecurrentStack(nn.Module):
    """Recurrent layers on top of each other; `forward`, `step` and `initial_state` as in `SemiCoupledStack`."""

    def __init__(
        self,
        build: LayerBuilder,
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
            build: builds a layer, `ConvLSTMLayer` or `ConvGRULayer`.
            in_channels: channels of the frames.
            widths: channels of each layer.
            kernel_size: of all convolutions, odd.
            strides: of the input's convolutions, one number or one for each layer.
            norm: of what the input's convolution gives; `joint` does not exist here.
            shortcut_every: layers that a shortcut spans, counted from the second layer on; None for none.

        Raises:
            ShapeError: an option does not fit.
        """
        super().__init__()
        refuse_joint(norm)
        depth = len(widths)
        self.strides = per_layer("strides", strides, depth)
        if depth == 0:
            raise ShapeError("widths: expected at least one layer, got none.")
        inputs = [in_channels, *widths[:-1]]
        self.in_channels = in_channels
        self.out_channels = widths[-1]
        self.layers = nn.ModuleList(
            build(inputs[i], widths[i], kernel_size=kernel_size, stride=self.strides[i]) for i in range(depth)
        )
        self.norms = nn.ModuleList(
            StreamNorm(layer.input.out_channels, norm, ("main",)) for layer in cast("Any", self.layers)
        )
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
            ShapeError: a stream other than `main`, a switch, or frames, a state, or a map's or layer's name that do not
                fit.
        """
        count, batch = check_clip(frames, self.in_channels, streams, switch, state_at), frames.shape[0]
        if state is not None and len(state.main or ()) != self.depth:
            raise ShapeError(
                f"state: expected {self.depth} layers, got {len(state.main or ())}. Pass what the last call of this "
                "network returned, or start with state=None."
            )
        recorded = recorded_layers(record, record_layers, self.depth)
        rows = fold.fold(frames)
        last: list[CellState] = []
        at: list[CellState] = []
        records: list[LayerRecord] = []
        passing = Passing(self.shortcuts, count)
        for index, (layer, norm) in enumerate(zip(self.layers, self.norms, strict=True)):
            module = cast("RecurrentLayer", cast("object", layer))
            passing.leave(index, {"main": rows})
            drive = norm(fold.channels_last(module.input(rows)), "main", count)
            like = drive[:batch, : module.out_channels]
            states = [module.initial_state(like)]
            if state is not None and state.main is not None:
                states = [fitting(state.main[index], like, type(states[0]))]
            for step in fold.parts(drive, batch):
                states.append(module.advance(step, states[-1]))
            rows = torch.cat([after[0] for after in states[1:]])
            rows = passing.land(index, {"main": rows})["main"]
            if index in recorded and "features" in record:
                records.append(LayerRecord(index, "main", None, None, None, fold.unfold(rows, count)))
            last.append(states[-1])
            at.append(states[0 if state_at is None else state_at])
        return Outputs(
            main=fold.unfold(rows, count),
            spatial=None,
            temporal=None,
            state=StackState(tuple(last), None),
            state_at=None if state_at is None else StackState(tuple(at), None),
            record=tuple(records),
        )

    def step(
        self, frame: Float[Tensor, "B C H W"], state: StackState | None = None
    ) -> tuple[Float[Tensor, "B D H2 W2"], StackState]:
        """Run one frame; see `SemiCoupledStack.step`."""
        outputs: Outputs = self(frame[:, None], state)
        assert outputs.main is not None  # it is the only stream
        return outputs.main[:, 0], outputs.state

    def initial_state(self, batch: int, size: Sequence[int]) -> StackState:
        """The state before the first frame, the same as passing None; `size` is (H, W)."""
        like = next(self.parameters())
        layers: list[CellState] = []
        for layer, inside in zip(self.layers, strided_sizes(size, self.strides), strict=True):
            module = cast("RecurrentLayer", cast("object", layer))
            layers.append(module.initial_state(like.new_empty((batch, module.out_channels, *inside))))
        return StackState(tuple(layers), None)

    def output_size(self, size: Sequence[int]) -> tuple[int, ...]:
        """Spatial size of the output for frames of a size."""
        return strided_sizes(size, self.strides)[-1]

    def recurrent_parameters(self) -> Iterator[nn.Parameter]:
        """Weights of the recurrent convolutions, whose gradients are clamped (Sec. 5.9)."""
        for layer in self.layers:
            yield from cast("RecurrentLayer", cast("object", layer)).recurrent_parameters()

    def normed(self) -> Iterator[tuple[nn.Module, StreamNorm]]:
        """The input's operator of each layer with its norm (see `folding`)."""
        for layer, norm in zip(self.layers, self.norms, strict=True):
            yield cast("RecurrentLayer", cast("object", layer)).input, cast("StreamNorm", norm)


def check_clip(
    frames: Tensor, in_channels: int, streams: Sequence[Stream], switch: Switching | None, state_at: int | None
) -> int:
    """Refuse what a rival cannot be asked for; give the number of frames.

    Args:
        frames: B T C H W.
        in_channels: the channels C that it expects.
        streams: the streams that are asked for.
        switch: of the branches, which it does not have.
        state_at: number of frames after which the state is asked for, 0 to T.

    Raises:
        ShapeError: a stream other than `main`, a switch, or frames that do not fit.
    """
    check_streams(tuple(streams), ("main",))
    if switch is not None:
        raise ShapeError("switch: a rival has no branches to decouple; pass switch=None.")
    if frames.dim() != 5 or frames.shape[2] != in_channels or frames.shape[1] == 0:
        raise ShapeError(f"frames: expected B T C H W with C = {in_channels}, got {tuple(frames.shape)}.")
    count = frames.shape[1]
    if state_at is not None and not 0 <= state_at <= count:
        raise ShapeError(f"state_at: expected 0 to {count} (the number of frames), got {state_at}.")
    return count
