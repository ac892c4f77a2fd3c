"""Sizes that are refused before anything is decoded: damage, or a bomb, and never a radar field."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from semicoupled.errors import DataError

MOST_PIXELS = 2**26
"""Of one field: 8192 x 8192."""
MOST_VALUES = 2**31
"""Of all fields of one file or store: 8 GiB as float32, half of it as it is kept."""
MOST_BYTES = 2**30
"""Of a file's content, unpacked, where it is unpacked as a whole."""


@dataclass(frozen=True)
class Sizes:
    """What is let through.

    Args:
        pixels: of one field.
        values: of all fields of one file or store.
        bytes: of a file's content, unpacked, where it is unpacked as a whole.
    """

    pixels: int = MOST_PIXELS
    values: int = MOST_VALUES
    bytes: int = MOST_BYTES


_USUAL = Sizes()
_SIZES: ContextVar[Sizes] = ContextVar("_SIZES", default=_USUAL)


def sizes() -> Sizes:
    """Give what is let through here and now."""
    return _SIZES.get()


@contextmanager
def at_most(limits: Sizes) -> Generator[None]:
    """Let less through within this context, as a server does that reads strangers' files."""
    token = _SIZES.set(limits)
    try:
        yield
    finally:
        _SIZES.reset(token)


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
    most = sizes()
    if pixels > most.pixels or fields * pixels > most.values:
        raise DataError(
            f"{path}: {what} has the shape {shape}; expected at most {most.pixels} pixels a field and {most.values} "
            "in one file. It is damaged, or no radar field; a long archive must be cut into files of some days"
        )
