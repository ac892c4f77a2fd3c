"""Files of radar fields, told apart by their content.

A format is one module of ``formats`` with `NAME`, `matches(path, head)` and `read(path, given)`; to add one, write the
module and name it in `FORMATS`. A zarr store is a folder and told by what lies in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import numpy as np

from semicoupled.data.damage import damage_told
from semicoupled.errors import DataError
from semicoupled.tasks.nowcasting.data_settings import FileSettings
from semicoupled.tasks.nowcasting.files.formats import arrays, fmi, images, knmi, meteoswiss, netcdf, odim, zarr_store
from semicoupled.tasks.nowcasting.files.frame import RadarFrame


class Format(Protocol):
    """What a module that reads a format offers."""

    NAME: str

    def matches(self, path: Path, head: bytes) -> bool:
        """Whether the file is of this format; `head` are its first bytes."""
        ...

    def read(self, path: Path, given: FileSettings) -> tuple[RadarFrame, ...]:
        """Read the file's fields, in order of time."""
        ...


FORMATS: tuple[Format, ...] = (knmi, odim, netcdf, fmi, meteoswiss, images, arrays)
"""Asked in this order: MeteoSwiss's GIF before other GIF."""
_HEAD = 4096
_LEAST_KM, _MOST_KM = 0.01, 100.0
_NOTHING = FileSettings()


def read_frames(path: Path, given: FileSettings = _NOTHING) -> tuple[RadarFrame, ...]:
    """Read the fields of one file, or of one zarr store.

    Args:
        path: a file of any known format, whatever its name.
        given: what files of some formats do not say of themselves.

    Returns:
        The fields in order of time; one for most formats.

    Raises:
        DataError: the file cannot be read, is damaged, or holds no radar field.
        MissingExtraError: what reads it is not installed.
    """
    return tuple(iterate_frames(path, given))


def iterate_frames(path: Path, given: FileSettings = _NOTHING) -> Iterator[RadarFrame]:
    """Read like `read_frames`, but one field after the other, so that a long store need not be held whole.

    Raises:
        DataError: see `read_frames`.
    """
    name, reader = _find(path)
    with damage_told(path, name):
        for frame in reader(path, given):
            _check(frame)
            yield frame


def format_name(path: Path) -> str:
    """Give the name of a file's format.

    Raises:
        DataError: see `read_frames`.
    """
    return _find(path)[0]


def _find(path: Path) -> tuple[str, Callable[[Path, FileSettings], Iterator[RadarFrame] | tuple[RadarFrame, ...]]]:
    if zarr_store.is_store(path):
        return zarr_store.NAME, zarr_store.read
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); expected a file of radar fields") from error
    if not head:
        raise DataError(f"{path}: is empty; expected a file of radar fields. Fetch it again, or leave it out")
    for candidate in FORMATS:
        with damage_told(path, candidate.NAME):
            if candidate.matches(path, head):
                return candidate.NAME, candidate.read
    known = ", ".join([*(candidate.NAME for candidate in FORMATS), zarr_store.NAME])
    raise DataError(f"{path}: is no radar file that is known; expected one of: {known}. It starts with {head[:16]!r}")


def _check(frame: RadarFrame) -> None:
    """Refuse what no field has, whatever the format."""
    grid = frame.grid
    if frame.values.shape != grid.shape:
        raise DataError(f"{frame.source}: {frame.values.shape} pixels on a grid of {grid.shape}; expected as many")
    edges = np.array([grid.x_first, grid.y_first, *grid.sides])
    if not np.isfinite(edges).all() or not all(_LEAST_KM <= side <= _MOST_KM for side in grid.sides):
        raise DataError(
            f"{frame.source}: pixels of {grid.sides[0]:.3g} x {grid.sides[1]:.3g} km; expected {_LEAST_KM:g} to "
            f"{_MOST_KM:g}. "
            "Its grid is damaged, or in other units than it says"
        )
    infinite = int(np.isinf(frame.values).sum())
    if infinite:
        raise DataError(
            f"{frame.source}: {infinite} pixels are infinite; expected numbers, or NaN for missing. Look for a "
            "logarithm of 0"
        )
