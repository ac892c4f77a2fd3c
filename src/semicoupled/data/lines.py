"""Lists that lie as text: their lines, each with its number in the file, read without trusting them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from semicoupled.errors import DataError

MOST_BYTES = 2**28
"""Of a list; a million lines have about 100 bytes each."""


class Line(NamedTuple):
    """A line that is not empty.

    Attributes:
        number: in the file, from 1; empty lines count.
        text: without its end.
    """

    number: int
    text: str


def numbered_lines(path: Path, what: str) -> list[Line]:
    """Read the lines of a text file that are not empty.

    Args:
        path: the file.
        what: that it should be, for the error: ``a list of videos``.

    Raises:
        DataError: it cannot be read, is far too long, or is no text.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise DataError(f"{path}: has {path.stat().st_size} bytes; expected {what} of at most {MOST_BYTES}")
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); expected {what}") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is no text (byte {error.start}); expected {what} in UTF-8. Fetch it again") from error
    return [Line(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
