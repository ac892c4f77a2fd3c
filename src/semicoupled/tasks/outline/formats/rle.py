"""COCO's run-length encoding: counts of pixels outside and inside in turn, column by column, plain or as text.

The text is COCO's own (mask API): six bits a character, five of them data, least first, a sign in the last; from the
fourth count on the difference to the one before the last is what is stored.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from semicoupled.errors import DataError
from semicoupled.tasks.outline.geometry.raster import Mask


def encode(mask: Mask) -> list[int]:
    """Give the counts of a mask; the first counts pixels outside and may be 0."""
    flat = np.asarray(mask, dtype=np.bool_).T.ravel()
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    ends = np.concatenate([[0], changes, [flat.size]]) if flat.size else np.array([0, 0])
    counts = np.diff(ends).tolist()
    return [0, *counts] if flat.size and flat[0] else counts


def decode(counts: Sequence[int] | str, height: int, width: int) -> Mask:
    """Give the mask of counts.

    Args:
        counts: as numbers, or as COCO's text.
        height: px.
        width: px.

    Raises:
        DataError: they do not add up to the image's pixels.
    """
    numbers = np.asarray(from_text(counts) if isinstance(counts, str) else counts)
    whole = numbers.ndim == 1 and (numbers.size == 0 or numbers.dtype.kind in "iu")
    # in Python's numbers: a sum that overflows may be right by chance, and NumPy would write beyond the mask's end
    total = sum(numbers.tolist()) if numbers.ndim == 1 and numbers.dtype.kind in "iuf" else "no number"
    if not whole or (numbers < 0).any() or total != height * width:
        raise DataError(
            f"run-length encoding: its counts add up to {total}; expected {height * width}, the pixels of {width} x "
            f"{height}"
        )
    inside = (np.arange(len(numbers)) % 2).astype(np.bool_)
    return np.repeat(inside, numbers).reshape(width, height).T.copy()


def to_text(counts: Sequence[int]) -> str:
    """Write counts as COCO's text."""
    text: list[str] = []
    for index, count in enumerate(counts):
        value = count - counts[index - 2] if index > 2 else count
        more = True
        while more:
            bits = value & 31
            value >>= 5
            more = value != (-1 if bits & 16 else 0)
            text.append(chr((bits | 32 if more else bits) + 48))
    return "".join(text)


def from_text(text: str) -> list[int]:
    """Read COCO's text.

    Raises:
        DataError: a character that is none of its, or an end within a number.
    """
    counts: list[int] = []
    value = shift = 0
    for character in text:
        bits = ord(character) - 48
        if not 0 <= bits < 64:
            raise DataError(f"run-length encoding: character {character!r}; expected one from '0' to 'o'")
        value |= (bits & 31) << shift
        shift += 5
        if not bits & 32:
            if bits & 16:
                value -= 1 << shift
            counts.append(value + (counts[-2] if len(counts) > 2 else 0))
            value = shift = 0
    if shift:
        raise DataError("run-length encoding: the text ends within a number. Is the file whole?")
    return counts
