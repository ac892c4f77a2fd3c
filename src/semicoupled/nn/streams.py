"""The vocabulary of the structure: streams, branches, explicit state, and what a forward pass returns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from torch import Tensor

from semicoupled.errors import ShapeError

Stream = Literal["main", "spatial", "temporal"]
"""T, T^1 and T^2 of the paper: the whole network, h_s alone, h_t alone; one set of weights (Eq. 7-12)."""

Branch = Literal["spatial", "temporal"]
"""h_s and h_t, the two halves of every layer (Eq. 4, 5)."""

MapName = Literal["spatial", "temporal", "gate", "features"]
"""s, c, sigma(c) and u of one layer."""

STREAMS: tuple[Stream, ...] = ("main", "spatial", "temporal")
MAPS: tuple[MapName, ...] = ("spatial", "temporal", "gate", "features")


class RNNState(NamedTuple):
    """State of one layer with the paper's temporal branch (Eq. 5).

    Attributes:
        gate: sigma(c) after the last frame, B C *size.
    """

    gate: Tensor


class LSTMState(NamedTuple):
    """State of one layer with an LSTM as its temporal branch, of one ConvLSTM layer, or of a layer of PredRNN.

    Attributes:
        hidden: o * tanh(cell), B C *size.
        cell: the additive memory, B C *size.
    """

    hidden: Tensor
    cell: Tensor


class STLSTMState(NamedTuple):
    """State of the top layer of PredRNN, which hands the memory of the whole stack to the next time step.

    Attributes:
        hidden: H, B C *size.
        cell: C, the memory that stays in the layer, B C *size.
        memory: M, which goes up through all layers and then to the bottom layer of the next time step, B C *size.
    """

    hidden: Tensor
    cell: Tensor
    memory: Tensor


class GRUState(NamedTuple):
    """State of one layer with a gated Eq. 5 as its temporal branch.

    Attributes:
        map: c after the last frame, B C *size.
        gate: what is fed back, sigma(c) after the first frame, B C *size.
    """

    map: Tensor
    gate: Tensor


class LinearState(NamedTuple):
    """State of one layer with a linear recurrence as its temporal branch.

    Attributes:
        map: c after the last frame, B C *size.
    """

    map: Tensor


class HiddenState(NamedTuple):
    """State of one ConvGRU layer.

    Attributes:
        hidden: B C *size.
    """

    hidden: Tensor


CellState = RNNState | LSTMState | STLSTMState | GRUState | LinearState | HiddenState


class StackState(NamedTuple):
    """Everything that a stack remembers, one entry a layer and stream. The spatial stream has no memory.

    Attributes:
        main: states of the main stream, or None where that stream was not asked for.
        temporal: states of the temporal stream, or None. Its first entry is the main stream's: layer 1 is shared.
    """

    main: tuple[CellState, ...] | None
    temporal: tuple[CellState, ...] | None


class LayerRecord(NamedTuple):
    """Maps of one layer in one stream, each B T C *size, or None where not asked for or not there.

    Attributes:
        layer: index of the layer, from 0.
        stream: the stream the maps belong to.
        spatial: s (Eq. 4).
        temporal: c (Eq. 5), before the sigmoid.
        gate: sigma(c).
        features: u, what the next layer receives.
    """

    layer: int
    stream: Stream
    spatial: Tensor | None
    temporal: Tensor | None
    gate: Tensor | None
    features: Tensor | None


class Outputs(NamedTuple):
    """What a stack returns: the last layer's features of the streams asked for, and the state.

    Attributes:
        main: y_t of T (Eq. 8), B T C *size, or None.
        spatial: y_t of T^1 (Eq. 10), or None.
        temporal: y_t of T^2 (Eq. 12), or None.
        state: the state after the last frame.
        state_at: the state after the first `state_at` frames, if that was asked for.
        record: the maps asked for, by layer and stream.
    """

    main: Tensor | None
    spatial: Tensor | None
    temporal: Tensor | None
    state: StackState
    state_at: StackState | None
    record: tuple[LayerRecord, ...]


def map_state(function: Callable[[Tensor], Tensor], state: StackState) -> StackState:
    """Apply a function to every tensor of a state.

    Args:
        function: takes and returns a tensor.
        state: the state; it stays as it is.

    Returns:
        A new state of the same form.
    """

    def layers(states: tuple[CellState, ...] | None) -> tuple[CellState, ...] | None:
        if states is None:
            return None
        return tuple(type(cell)(*(function(tensor) for tensor in cell)) for cell in states)

    return StackState(main=layers(state.main), temporal=layers(state.temporal))


def detach(state: StackState) -> StackState:
    """Cut a state from its graph, so that no gradient flows into the frames before it and nothing of them is kept."""
    return map_state(_alone, state)


def _alone(tensor: Tensor) -> Tensor:
    """Without the graph, and without the buffer of a whole segment that a last frame may be a view of."""
    bare = tensor.detach()
    return bare if bare.untyped_storage().nbytes() == bare.numel() * bare.element_size() else bare.clone()


def fitting(state: CellState, like: Tensor, kind: type[CellState] | None = None) -> CellState:
    """Give a layer's state in the precision of its maps.

    Args:
        state: of an earlier call.
        like: one frame of what the layer maps, B C *size.
        kind: the state's kind; None where somebody else looks at it.

    Raises:
        ShapeError: it is of another batch, size or kind.
    """
    if kind is not None and not isinstance(state, kind):
        raise ShapeError(
            f"state: expected a {kind.__name__}, got {type(state).__name__}. It comes from another kind of network; "
            "start with state=None."
        )
    for tensor in state:
        if tensor.shape != like.shape:
            raise ShapeError(
                f"state: expected {tuple(like.shape)} (batch, channels, size) in this layer, got "
                f"{tuple(tensor.shape)}. A state belongs to one batch and one frame size; start with state=None."
            )
    return type(state)(*(tensor.to(like.dtype) for tensor in state))


def check_streams(streams: tuple[Stream, ...], allowed: tuple[Stream, ...] = STREAMS) -> None:
    """Refuse streams that do not exist.

    Raises:
        ShapeError: nothing was asked for, or something that is not there.
    """
    unknown = [stream for stream in streams if stream not in allowed]
    if unknown or not streams:
        raise ShapeError(
            f"streams: expected one or more of {', '.join(allowed)}, got {tuple(streams)!r}. "
            'Pass for example streams=("main",).'
        )
