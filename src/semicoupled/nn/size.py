"""Sizes of maps behind strides."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Size = tuple[int, ...]
"""Of a map, px along each side: (H, W); () for vectors."""


def strided(size: Sequence[int], stride: int) -> Size:
    """Give the size behind a stride, of an operator or a pool that keeps a map's size at stride 1.

    Args:
        size: in front, at least 1 along each side.
        stride: at least 1.

    Returns:
        Each side over the stride, rounded up.
    """
    return tuple((length - 1) // stride + 1 for length in size)


def strided_sizes(size: Sequence[int], strides: Iterable[int]) -> list[Size]:
    """Give the sizes behind layers that follow each other.

    Args:
        size: in front of the first.
        strides: of each layer.

    Returns:
        The size behind each layer.
    """
    sizes: list[Size] = []
    for stride in strides:
        sizes.append(strided(sizes[-1] if sizes else size, stride))
    return sizes
