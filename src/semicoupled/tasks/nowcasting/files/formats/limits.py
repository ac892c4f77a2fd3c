"""Sizes that are refused before anything is decoded: damage, or a bomb, and never a radar field."""

from __future__ import annotations

from pathlib import Path

from semicoupled.errors import DataError

MOST_PIXELS = 2**26
"""Of one field: 8192 x 8192."""
MOST_VALUES = 2**31
"""Of all fields of one file or store: 8 GiB as float32, half of it as it is kept."""
MOST_BYTES = 2**30
"""Of a file's content, unpacked, where it is unpacked as a whole."""


def check_size(path: Path, shape: tuple[int, ...], what: str = "the field") -> None:
    """Refuse absurd sizes.

    Args:
        path: the file, for the message.
        shape: of what shall be decoded; the last two are rows and columns.
        what: what it is, for the message.

    Raises:
        DataError: too many pixels, or none.
    """
    fields, pixels = 1, 1
    for size in shape[:-2]:
        fields *= int(size)
    for size in shape[-2:]:
        pixels *= int(size)
    if pixels < 1 or fields < 1:
        raise DataError(f"{path}: {what} has the shape {shape}; expected at least one pixel. Fetch it again")
    if pixels > MOST_PIXELS or fields * pixels > MOST_VALUES:
        raise DataError(
            f"{path}: {what} has the shape {shape}; expected at most {MOST_PIXELS} pixels a field and {MOST_VALUES} "
            "in one file. It is damaged, or no radar field; a long archive must be cut into files of some days"
        )
