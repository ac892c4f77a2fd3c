"""Options that are one number for all layers, or one for each."""

from __future__ import annotations

from collections.abc import Sequence

from semicoupled.errors import ShapeError


def per_layer(name: str, value: int | Sequence[int], depth: int) -> tuple[int, ...]:
    """Give a number for each layer.

    Args:
        name: of the option.
        value: one number, or one for each layer.
        depth: number of layers.

    Raises:
        ShapeError: there are not as many numbers as layers.
    """
    values = (value,) * depth if isinstance(value, int) else tuple(value)
    if len(values) != depth:
        raise ShapeError(f"{name}: expected one number, or one for each of {depth} layers, got {len(values)}.")
    return values
