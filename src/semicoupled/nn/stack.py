"""The deep structure (Eq. 3, 7-12): layers, shortcuts, three streams over one set of weights, explicit state.

Read it from `forward` down: frames become rows, each layer turns the streams' features u^{l-1} into u^l, and the last
layer's features come out, B T C *size, with the state after the last frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import checkpoint

from semicoupled.errors import ShapeError, nearest
from semicoupled.nn import fold, synthesizers
from semicoupled.nn.cells import Cell
from semicoupled.nn.gather import of, record_of, recorded_layers, stack_state
from semicoupled.nn.layer import SHARED, LayerMaps, SemiCoupledLayer
from semicoupled.nn.norm import Norm, keep_statistics
from semicoupled.nn.operators import Operator, conv2d
from semicoupled.nn.per_layer import per_layer
from semicoupled.nn.shapes import Float, Tensor
from semicoupled.nn.shortcut import Passing, Shortcuts
from semicoupled.nn.size import Size, strided
from semicoupled.nn.streams import (
    STREAMS,
    CellState,
    LayerRecord,
    MapName,
    Outputs,
    StackState,
    Stream,
    check_streams,
)
from semicoupled.nn.switch import Pattern, Switching
from semicoupled.nn.synthesizers import ACTIVATIONS, Activation

Rows = dict[str, Tensor]
"""Folded features by stream."""


class SemiCoupledStack(nn.Module):
    """n semi-coupled layers: T, and with the same weights T^1 (`spatial`) and T^2 (`temporal`).

    A clip and the same frames one by one give the same output: what is remembered lies in the state that `forward` and
    `step` return, never in the module.
    """

    def __init__(
        self,
        in_channels: int,
        widths: Sequence[int],
        *,
        kernel_size: int | Sequence[int] = 3,
        temporal_kernel_size: int | Sequence[int] | None = None,
        strides: int | Sequence[int] = 1,
        operator: Operator = conv2d,
        norm: Norm = "batch",
        activation: Activation = "relu",
        cell: Cell = "rnn",
        initial_gate: float = 0.5,
        shortcut_every: int | None = 2,
        separate_statistics: bool = True,
        pool_first: bool = False,
        checkpointing: bool = False,
    ) -> None:
        """Build the stack.

        Args:
            in_channels: channels of the frames.
            widths: channels of each layer; their number is the depth.
            kernel_size: of Conv_s, odd; one for all layers or one for each.
            temporal_kernel_size: of Conv_u and Conv_c, likewise; as `kernel_size` if None.
            strides: of Conv_s and Conv_u, likewise.
            operator: what stands for Conv: `operators.conv2d`, `operators.linear`, or your own.
            norm: `batch`, `joint`, `group` or `none`.
            activation: of the spatial map: `relu` (paper) or `tanh`.
            cell: the temporal branch: `rnn` (Eq. 5), `lstm`, `gru` or `linear`.
            initial_gate: sigma(c_0): 0.5 (paper) or 0 (released code). An `lstm` starts from zeros.
            shortcut_every: layers that a shortcut spans, counted from the second layer on; None for no shortcuts.
            separate_statistics: running statistics of batch norm for each stream, or one for all (released code).
            pool_first: a 3x3 max-pool with stride 2 behind the first layer (Table 1).
            checkpointing: recompute each layer in the backward pass instead of keeping its maps.

        Raises:
            ShapeError: an option is unknown, or a sequence has another length than `widths`.
        """
        super().__init__()
        depth = len(widths)
        if depth == 0:
            raise ShapeError("widths: expected one number of channels for each layer, got none.")
        if activation not in ACTIVATIONS:
            raise ShapeError(f"activation: {activation!r} is unknown. {nearest(activation, ACTIVATIONS)}")
        if shortcut_every is not None and shortcut_every < 1:
            raise ShapeError(f"shortcut_every: expected at least 1, or None for no shortcuts, got {shortcut_every}.")
        kernels = per_layer("kernel_size", kernel_size, depth)
        temporal_kernels = per_layer("temporal_kernel_size", temporal_kernel_size or kernel_size, depth)
        steps = per_layer("strides", strides, depth)
        inputs = [in_channels, *widths[:-1]]
        self.in_channels = in_channels
        self.out_channels = widths[-1]
        self.strides = steps
        self.kernels = kernels
        self.activation: Activation = activation
        self.pool_first = pool_first
        self.checkpointing = checkpointing
        self.layers = nn.ModuleList(
            SemiCoupledLayer(
                inputs[index],
                widths[index],
                kernel_size=kernels[index],
                temporal_kernel_size=temporal_kernels[index],
                stride=steps[index],
                operator=operator,
                norm=norm,
                cell=cell,
                initial_gate=initial_gate,
                separate_statistics=separate_statistics,
                first=index == 0,
            )
            for index in range(depth)
        )
        self.shortcuts = Shortcuts(
            in_channels,
            widths,
            steps,
            every=shortcut_every,
            operator=operator,
            norm=norm,
            separate_statistics=separate_statistics,
        )

    @property
    def depth(self) -> int:
        """Number of layers n."""
        return len(self.layers)

    def forward(
        self,
        frames: Float[Tensor, "B T C *size"],
        state: StackState | None = None,
        *,
        streams: Sequence[Stream] = ("main",),
        switch: Switching | None = None,
        state_at: int | None = None,
        record: Sequence[MapName] = (),
        record_layers: Sequence[int] | None = None,
    ) -> Outputs:
        """Run a clip through the streams asked for.

        Args:
            frames: the clip; layout B T C H W (B T C with the linear operator).
            state: the state before the first frame; None for c_0 = 0.
            streams: `main` (Eq. 7), `spatial` (Eq. 10), `temporal` (Eq. 12), any of them.
            switch: gradient switches of the main stream (Eq. 17), drawn by STSGD or ASTSGD; inert in eval().
            state_at: also return the state after this many frames (0..T).
            record: names of the maps to hand out: `spatial` s, `temporal` c, `gate` sigma(c), `features` u.
            record_layers: layers to record, from 0, negative from the end; None for all.

        Returns:
            Features of the last layer by stream, B T C *size; the state; the maps asked for.

        Raises:
            ShapeError: the frames, the state, a stream or a map's name do not fit.
        """
        wanted: tuple[Stream, ...] = tuple(stream for stream in STREAMS if stream in streams)
        check_streams(tuple(streams))
        count = self._check(frames, state, wanted, state_at)
        recorded = recorded_layers(record, record_layers, self.depth)
        rows: Rows = dict.fromkeys(wanted, fold.fold(frames))
        records: list[LayerRecord] = []
        states: list[dict[str, CellState]] = []
        states_at: list[dict[str, CellState]] = []
        passing = Passing(self.shortcuts, count)
        for index in range(self.depth):
            passing.leave(index, rows)
            maps, rows = self._layer(
                index, rows, state, count, index in recorded and "temporal" in record, state_at, switch
            )
            rows = passing.land(index, rows)
            if index in recorded:
                records += [record_of(index, stream, maps, rows[stream], count, record) for stream in wanted]
            if index == 0 and self.pool_first:
                rows = {stream: F.max_pool2d(u, 3, 2, 1) for stream, u in rows.items()}
            states.append({name: cell.state for name, cell in maps.temporal.items()})
            states_at.append({name: cell.state_at for name, cell in maps.temporal.items() if cell.state_at is not None})
        outputs = {stream: fold.unfold(u, count) for stream, u in rows.items()}
        return Outputs(
            main=outputs.get("main"),
            spatial=outputs.get("spatial"),
            temporal=outputs.get("temporal"),
            state=stack_state(states, wanted),
            state_at=None if state_at is None else stack_state(states_at, wanted),
            record=tuple(records),
        )

    def step(
        self,
        frame: Float[Tensor, "B C *size"],
        state: StackState | None = None,
    ) -> tuple[Float[Tensor, "B D *out"], StackState]:
        """Run one frame through the main stream: the same weights, frame by frame.

        Args:
            frame: one frame, B C H W.
            state: the state that the last call returned; None before the first frame.

        Returns:
            Features of the last layer, and the new state.
        """
        outputs: Outputs = self(frame[:, None], state)
        assert outputs.main is not None  # it was asked for
        return outputs.main[:, 0], outputs.state

    def initial_state(self, batch: int, size: Sequence[int], *, streams: Sequence[Stream] = ("main",)) -> StackState:
        """The state before the first frame (c_0 = 0), the same as passing None.

        Args:
            batch: number of samples.
            size: spatial size of the frames, (H, W); () with the linear operator.
            streams: streams that will be run.
        """
        check_streams(tuple(streams))
        like = next(self.parameters())
        layers: list[CellState] = []
        for layer, (inside, _) in zip(self._layers(), self._sizes(size), strict=True):
            layers.append(layer.cell.initial_state(like.new_empty((batch, layer.out_channels, *inside))))
        return StackState(
            main=tuple(layers) if "main" in streams else None,
            temporal=tuple(layers) if "temporal" in streams else None,
        )

    def output_size(self, size: Sequence[int]) -> tuple[int, ...]:
        """Spatial size of the output for frames of a size."""
        return self._sizes(size)[-1][1]

    def recurrent_parameters(self) -> Iterator[nn.Parameter]:
        """Conv_c of all layers: what Sec. 5.9 clamps the gradients of."""
        for layer in self._layers():
            yield from layer.cell.parameters()

    def spatial_parameters(self) -> Iterator[nn.Parameter]:
        """Psi_s: what the spatial goal may change."""
        for layer in self._layers():
            yield from layer.spatial.parameters()
            yield from layer.spatial_norm.parameters()

    def temporal_parameters(self) -> Iterator[nn.Parameter]:
        """Psi_t: what the temporal goal may change."""
        for layer in self._layers():
            yield from layer.drive.parameters()
            yield from layer.temporal_norm.parameters()
            yield from layer.cell.parameters()

    def _layers(self) -> list[SemiCoupledLayer]:
        return [layer for layer in self.layers if isinstance(layer, SemiCoupledLayer)]

    def _layer(
        self,
        index: int,
        rows: Rows,
        state: StackState | None,
        frames: int,
        recorded: bool,
        state_at: int | None,
        switch: Switching | None,
    ) -> tuple[LayerMaps, Rows]:
        """The maps and outputs of layer `index`; the first layer sees the same frames in all streams and runs once."""
        layer = self._layers()[index]
        if index == 0:
            shared = next(iter(rows.values()))
            spatial_inputs = {SHARED: shared} if {"main", "spatial"} & set(rows) else {}
            temporal_inputs = {SHARED: shared} if {"main", "temporal"} & set(rows) else {}
            before = None if state is None else (state.main or state.temporal)
            states: dict[str, CellState | None] = {SHARED: None if before is None else before[0]}
            patterns = (None, None)  # nothing learns below the first layer
        else:
            spatial_inputs = {name: u for name, u in rows.items() if name != "temporal"}
            temporal_inputs = {name: u for name, u in rows.items() if name != "spatial"}
            states = {
                "main": None if state is None or state.main is None else state.main[index],
                "temporal": None if state is None or state.temporal is None else state.temporal[index],
            }
            patterns = self._patterns(switch, index, rows, frames)

        def run(spatial_inputs: dict[str, Tensor], temporal_inputs: dict[str, Tensor]) -> tuple[LayerMaps, Rows]:
            maps = layer(
                spatial_inputs,
                temporal_inputs,
                states,
                frames=frames,
                with_map=(*temporal_inputs,) if recorded or (index == 0 and "temporal" in rows) else ("temporal",),
                state_at=state_at,
                spatial_switch=patterns[0],
                temporal_switch=patterns[1],
            )
            return maps, {
                stream: self._synthesize(stream, maps) for stream in STREAMS if stream in rows
            }  # (6), (9), (11)

        if not (self.checkpointing and torch.is_grad_enabled()):
            return run(spatial_inputs, temporal_inputs)
        return checkpoint(run, spatial_inputs, temporal_inputs, use_reentrant=False, context_fn=_second_run)

    def _patterns(
        self, switch: Switching | None, index: int, rows: Rows, frames: int
    ) -> tuple[Pattern | None, Pattern | None]:
        """The switches in front of a layer's two branches; inert in eval()."""
        if switch is None or not self.training or "main" not in rows:
            return None, None
        batch = rows["main"].shape[0] // frames
        return switch.pattern("spatial", index, frames, batch), switch.pattern("temporal", index, frames, batch)

    def _synthesize(self, stream: Stream, maps: LayerMaps) -> Tensor:
        """U of one stream: F of Eq. 6, 9 or 11."""
        if stream == "main":
            gate = of(maps.temporal, "main").gate
            return synthesizers.main(of(maps.spatial, "main"), gate, self.activation)
        if stream == "spatial":
            return synthesizers.spatial(of(maps.spatial, "spatial"), self.activation)
        c = of(maps.temporal, "temporal").map
        assert c is not None  # the layer was asked for it
        return synthesizers.temporal(c)

    def _sizes(self, size: Sequence[int]) -> list[tuple[Size, Size]]:
        """Spatial size of each layer's state, and of what it passes on."""
        sizes: list[tuple[Size, Size]] = []
        passed = tuple(size)
        for index, stride in enumerate(self.strides):
            inside = strided(passed, stride)
            passed = strided(inside, 2) if index == 0 and self.pool_first else inside
            sizes.append((inside, passed))
        return sizes

    def _check(
        self, frames: Tensor, state: StackState | None, streams: tuple[Stream, ...], state_at: int | None
    ) -> int:
        """Refuse what does not fit, with a sentence that helps; return the number of frames."""
        if frames.dim() < 3 or frames.shape[2] != self.in_channels or frames.shape[1] == 0:
            raise ShapeError(
                f"frames: expected B T C H W with C = {self.in_channels} and at least one frame, got "
                f"{tuple(frames.shape)}. A single frame goes to step(), or needs frame[:, None]."
            )
        count = frames.shape[1]
        if state_at is not None and not 0 <= state_at <= count:
            raise ShapeError(f"state_at: expected 0 to {count} (the number of frames), got {state_at}.")
        for stream, layers in zip(("main", "temporal"), state or (), strict=False):
            if stream in streams and (layers is None or len(layers) != self.depth):
                held = "none" if layers is None else f"{len(layers)} layers"
                raise ShapeError(
                    f"state: expected {self.depth} layers for the {stream} stream, got {held}. "
                    f"The state must come from a call that asked for this stream too (streams={streams!r})."
                )
        return count


def _second_run() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    """A checkpointed layer runs twice; running statistics must move once."""
    return nullcontext(), keep_statistics()
