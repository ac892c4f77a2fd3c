"""Files of radar fields, told apart by their content.

A format is one module with `NAME`, `matches(path, head)` and `read(path)`; to add one, write the module and name it in
`FORMATS`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from semicoupled.errors import DataError
from semicoupled.tasks.nowcasting import fmi, knmi, netcdf
from semicoupled.tasks.nowcasting.frame import RadarFrame


class Format(Protocol):
    """What a module that reads a format offers."""

    NAME: str

    def matches(self, path: Path, head: bytes) -> bool:
        """Whether the file is of this format; `head` are its first bytes."""
        ...

    def read(self, path: Path) -> tuple[RadarFrame, ...]:
        """Read the file's fields, in order of time."""
        ...


FORMATS: tuple[Format, ...] = (knmi, netcdf, fmi)
_HEAD = 4096


def read_frames(path: Path) -> tuple[RadarFrame, ...]:
    """Read the fields of one file.

    Args:
        path: a file of any known format, whatever its name.

    Returns:
        The fields in order of time; one for most formats.

    Raises:
        DataError: the file cannot be read, is damaged, or holds no radar field.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); expected a file of radar fields") from error
    if not head:
        raise DataError(f"{path}: is empty; expected a file of radar fields. Fetch it again, or leave it out")
    for candidate in FORMATS:
        if candidate.matches(path, head):
            return candidate.read(path)
    known = ", ".join(candidate.NAME for candidate in FORMATS)
    raise DataError(f"{path}: is no radar file that is known; expected one of: {known}. It starts with {head[:16]!r}")
