"""Tiles of a large field: each is computed with its surroundings, and they are blended where they meet.

Along each axis the tiles' weights are ramps that add up to one (a partition of unity), so that what all tiles agree on
comes out as it is, and no seam can be seen where they differ:

    used       from BLEND pixels before a tile's first seam to BLEND pixels behind its last, where it fades
    computed   a halo farther on each side
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np

BLEND = 16
"""Pixels on both sides of a seam over which one tile fades into the next."""


class Tile(NamedTuple):
    """A part of a field.

    Attributes:
        computed: rows and columns that are computed.
        used: rows and columns that count, inside of `computed`.
        inside: `used`, counted from the beginning of `computed`.
        weight: of the pixels of `used`.
    """

    computed: tuple[slice, slice]
    used: tuple[slice, slice]
    inside: tuple[slice, slice]
    weight: np.ndarray


class _Span(NamedTuple):
    computed: slice
    used: slice
    inside: slice
    weight: np.ndarray


def cut_tiles(shape: tuple[int, int], side: int, halo: int, align: int = 1) -> list[Tile]:
    """Cut a field into tiles.

    Args:
        shape: height and width, pixels.
        side: of a tile's core, pixels; a field that is no larger is one tile, without seams.
        halo: pixels around what counts that are computed as well, because the result depends on them.
        align: tiles begin at multiples of this.

    Returns:
        Tiles whose weights add up to 1 in every pixel.
    """
    rows, columns = (list(_spans(length, side, halo, align)) for length in shape)
    return [
        Tile(
            (down.computed, across.computed),
            (down.used, across.used),
            (down.inside, across.inside),
            down.weight[:, None] * across.weight,
        )
        for down in rows
        for across in columns
    ]


def _spans(length: int, side: int, halo: int, align: int) -> Iterator[_Span]:
    count = max(1, round(length / side)) if length > side else 1
    seams = [length * index // count for index in range(count + 1)]
    positions = np.arange(length)
    for first, stop in pairwise(seams):
        begin, end = max(0, first - BLEND), min(length, stop + BLEND)
        start = max(0, begin - halo) // align * align
        weight = np.ones(end - begin)
        here = positions[begin:end] + 0.5
        if first > 0:
            weight *= np.clip((here - first + BLEND) / (2 * BLEND), 0, 1)
        if stop < length:
            weight *= np.clip((stop + BLEND - here) / (2 * BLEND), 0, 1)
        yield _Span(
            slice(start, min(length, end + halo)),
            slice(begin, end),
            slice(begin - start, end - start),
            weight.astype(np.float32),
        )
