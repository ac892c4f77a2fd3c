"""From what the layers made to what a caller receives: the state by stream, and the maps that are asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from semicoupled.errors import ShapeError, nearest
from semicoupled.nn import fold
from semicoupled.nn.layer import SHARED, LayerMaps
from semicoupled.nn.shapes import Tensor
from semicoupled.nn.streams import MAPS, CellState, LayerRecord, MapName, StackState, Stream

_Entry = TypeVar("_Entry")


def of(by_stream: Mapping[str, _Entry], stream: str) -> _Entry:
    """A stream's entry; in the first layer all streams share one."""
    return by_stream[stream] if stream in by_stream else by_stream[SHARED]


def stack_state(layers: Sequence[Mapping[str, CellState]], streams: Sequence[Stream]) -> StackState:
    """The state of a stack from the states of its layers; the first layer's serves both streams."""
    main, temporal = (
        tuple(of(layer, stream) for layer in layers) if stream in streams else None for stream in ("main", "temporal")
    )
    return StackState(main, temporal)


def recorded_layers(record: Sequence[MapName], layers: Sequence[int] | None, depth: int) -> tuple[int, ...]:
    """Give the layers whose maps are asked for.

    Args:
        record: names of the maps.
        layers: from 0, negative from the end; None for all.
        depth: how many there are.

    Returns:
        Numbers from 0, rising; none where no map is asked for.

    Raises:
        ShapeError: there is no such map, or no such layer.
    """
    unknown = [name for name in record if name not in MAPS]
    if unknown:
        raise ShapeError(f"record: {unknown[0]!r} is unknown. {nearest(unknown[0], MAPS)}")
    if not record:
        return ()
    chosen = range(depth) if layers is None else layers
    if any(not -depth <= index < depth for index in chosen):
        raise ShapeError(f"record_layers: expected numbers from {-depth} to {depth - 1}, got {chosen}.")
    return tuple(sorted({index % depth for index in chosen}))


def record_of(
    index: int, stream: Stream, maps: LayerMaps, features: Tensor, frames: int, names: Sequence[MapName]
) -> LayerRecord:
    """The maps of one layer and stream, time-major rows T*B C H W, as callers know them: B T C H W."""
    cell = of(maps.temporal, stream) if stream != "spatial" else None
    there: dict[MapName, Tensor | None] = {
        "spatial": of(maps.spatial, stream) if stream != "temporal" else None,
        "temporal": None if cell is None else cell.map,
        "gate": None if cell is None else cell.gate,
        "features": features,
    }
    given = {
        name: None if name not in names or rows is None else fold.unfold(rows, frames) for name, rows in there.items()
    }
    return LayerRecord(index, stream, given["spatial"], given["temporal"], given["gate"], given["features"])
